package dev.gridstride;

import dev.gridstride.device.DType;

/**
 * Entries by index. Indices are i64 or i32, checked before anything is computed; negative ones
 * count from the end. Negative axes count from the last.
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
   * For each index of this tensor a row of zeros with a 1 at that place: {@code shape + classes}.
   *
   * @param classes length of a row; indices must be in 0..classes
   */
  @NotDifferentiable("its operand is of an integer type")
  default Tensor oneHot(long classes, DType dtype) {
    return IndexFunction.oneHot((Tensor) this, classes, dtype);
  }
}
