package dev.gridstride.vision;

/**
 * Something that is in an image.
 *
 * @param box where
 * @param label of what class
 */
public record Thing(Box box, int label) {}
