package dev.gridstride;

import dev.gridstride.device.DType;

/**
 * Entries and elements by index. Indices are i64 or i32, checked before anything is computed;
 * negative ones count from the end. Negative axes count from the last. Where several sources meet
 * in one place, they do so in a fixed order: the same bits for any number of threads.
 */
public sealed interface Indexing permits Tensor {
  /**
   * The entries of dimension {@code axis} that {@code indices} names, in that order; that dimension
   * is replaced by the dimensions of indices.
   *
   * <p>Backward adds the gradients of entries that were named several times in the order of the
   * indices: the same bits for any number of threads.
   *
   * @param indices of any shape
   */
  default Tensor indexSelect(int axis, Tensor indices) {
    return IndexFunction.select("indexSelect", (Tensor) this, axis, indices);
  }

  /**
   * Rows of this table {@code [entries, size]} by index: a result of {@code indices.shape + size}.
   */
  default Tensor embedding(Tensor indices) {
    return IndexFunction.select("embedding", (Tensor) this, 0, indices);
  }

  /**
   * A copy of this tensor with entry k of {@code source} added to entry {@code indices[k]} of
   * dimension {@code axis}, in the order of k.
   *
   * @param indices of rank 1
   * @param source of this tensor's shape, but with as many entries along axis as there are indices
   */
  default Tensor indexAdd(int axis, Tensor indices, Tensor source) {
    return IndexFunction.add((Tensor) this, axis, indices, source);
  }

  /**
   * One element for each index: {@code y[p] = this[p with p[axis] replaced by indices[p]]}.
   *
   * @param indices of this tensor's rank, and not larger than it but along the axis
   * @return of the shape of indices
   */
  default Tensor gather(int axis, Tensor indices) {
    return ElementFunction.gather((Tensor) this, axis, indices);
  }

  /**
   * A copy of this tensor with the elements of {@code source} put in place of its own: {@code y[p
   * with p[axis] replaced by indices[p]] = source[p]}. Of several for one place the last along the
   * axis stays, and it alone gets the gradient.
   *
   * @param indices of this tensor's rank, and not larger than it but along the axis
   * @param source of the shape of indices
   */
  default Tensor scatter(int axis, Tensor indices, Tensor source) {
    return ElementFunction.scatter((Tensor) this, axis, indices, source);
  }

  /** As {@link #scatter(int, Tensor, Tensor)}, with one value for all. */
  default Tensor scatter(int axis, Tensor indices, double value) {
    Tensor x = (Tensor) this;
    return scatter(
        axis, indices, Tensors.full(x.device(), x.dtype(), value, indices.shape().dims()));
  }

  /**
   * A copy of this tensor with the elements of {@code source} put together with its own: {@code y[p
   * with p[axis] replaced by indices[p]]} becomes the sum, say, of what was there and of all that
   * come, in their order along the axis. Products, maxima and minima take one pass over the tensor
   * for each time that a place is repeated, and read the indices on the host.
   *
   * @param indices of this tensor's rank, and not larger than it but along the axis
   * @param source of the shape of indices
   */
  default Tensor scatter(int axis, Tensor indices, Tensor source, ScatterReduction reduction) {
    return ScatterFunction.elements((Tensor) this, axis, indices, source, reduction);
  }

  /**
   * Entries by tuples of indices: {@code y[b, q] = this[b, indices[b, q, 0], indices[b, q, 1],
   * ...]}, where b stands for the dimensions that both share. Indices are read on the host.
   *
   * @param indices {@code [batch..., queries..., tuple]}: the last dimension has one index for each
   *     of this tensor's dimensions from {@code batchDims} on, or for the first few of them
   * @param batchDims number of first dimensions that tensor and indices share
   * @return of the shape of indices without the last dimension, then this tensor's dimensions that
   *     the tuples leave open
   */
  default Tensor gatherNd(Tensor indices, int batchDims) {
    return ScatterFunction.gatherNd((Tensor) this, indices, batchDims);
  }

  /**
   * A copy of this tensor with the entries of {@code source} put at, or together with, those that
   * tuples of indices name: {@code y[indices[q, 0], indices[q, 1], ...] = source[q]}, in the order
   * of q; see {@link #scatter(int, Tensor, Tensor, ScatterReduction)}.
   *
   * @param indices {@code [queries..., tuple]}: the last dimension has one index for each of this
   *     tensor's dimensions, or for the first few of them
   * @param source of the shape of indices without the last dimension, then this tensor's dimensions
   *     that the tuples leave open
   */
  default Tensor scatterNd(Tensor indices, Tensor source, ScatterReduction reduction) {
    return ScatterFunction.scatterNd((Tensor) this, indices, source, reduction);
  }

  /**
   * A copy of this tensor with the elements of {@code source} added: {@code y[p with p[axis]
   * replaced by indices[p]] += source[p]}, in their order along the axis.
   *
   * @param indices of this tensor's rank, and not larger than it but along the axis
   * @param source of the shape of indices
   */
  default Tensor scatterAdd(int axis, Tensor indices, Tensor source) {
    return ElementFunction.scatterAdd((Tensor) this, axis, indices, source);
  }

  /**
   * For each index of this tensor a row of zeros with a 1 at that place: {@code shape + classes}.
   *
   * @param classes length of a row; indices must be in 0..classes
   */
  @NotDifferentiable("its operand is of an integer type")
  default Tensor oneHot(long classes, DType dtype) {
    return IndexFunction.oneHot((Tensor) this, classes, dtype);
  }
}
