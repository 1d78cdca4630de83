package dev.gridstride;

/**
 * The elements that {@link Reductions#topK} chose, best first along the axis.
 *
 * @param values the elements, of the input's dtype; gradients go through them
 * @param indices their places along the axis, i64, counted from 0
 */
public record TopKResult(Tensor values, Tensor indices) {}
