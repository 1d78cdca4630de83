package dev.gridstride.device;

/**
 * An index of an index operand lies outside the dimension that it indexes.
 *
 * <p>It carries the numbers, so that a caller who knows the operand by another name or shape can
 * say it better.
 */
public final class IndexOutOfRangeException extends InvalidArgumentException {
  private static final long serialVersionUID = 1L;

  private final long position;
  private final long index;
  private final long least;
  private final long size;

  private IndexOutOfRangeException(
      String message, long position, long index, long least, long size) {
    super(message);
    this.position = position;
    this.index = index;
    this.least = least;
    this.size = size;
  }

  /**
   * An exception that names the index and its place.
   *
   * @param op name of the op
   * @param position place of the index in the index operand, counted row-major
   * @param index the index
   * @param least the smallest index that is allowed
   * @param size length of the dimension; indices must be less
   */
  public static IndexOutOfRangeException of(
      String op, long position, long index, long least, long size) {
    return new IndexOutOfRangeException(
        op
            + ": indices "
            + rule(least, size)
            + ("; position=" + position + ", index=" + index + ", size=" + size),
        position,
        index,
        least,
        size);
  }

  private static String rule(long least, long size) {
    return size == 0
        ? "must be none, for the dimension is empty"
        : "must be in " + least + ".." + (size - 1);
  }

  /**
   * The same for another op and with the index's place in a tensor of indices.
   *
   * @param op name of the op that the caller called
   * @param dims sizes of the tensor of indices
   */
  public IndexOutOfRangeException named(String op, long... dims) {
    var place = new StringBuilder();
    long rest = position;
    for (int i = dims.length - 1; i >= 0; i--) {
      place.insert(0, (i > 0 ? ", " : "") + rest % Math.max(1, dims[i]));
      rest /= Math.max(1, dims[i]);
    }
    var named =
        new IndexOutOfRangeException(
            op
                + ": indices "
                + rule(least, size)
                + "; indices["
                + place
                + "]="
                + index
                + ", size="
                + size,
            position,
            index,
            least,
            size);
    named.initCause(this);
    return named;
  }

  /** Place of the index in the index operand, counted row-major. */
  public long position() {
    return position;
  }

  /** The index. */
  public long index() {
    return index;
  }
}
