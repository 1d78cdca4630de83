package dev.gridstride;

/**
 * The maxima that {@link Pooling#maxPoolWithIndices} found.
 *
 * @param values the maxima, of the input's dtype; gradients go through them
 * @param indices their places, i64: row-major in the plane of their image and channel, -1 for a
 *     window that lies in the padding
 */
public record MaxPoolResult(Tensor values, Tensor indices) {}
