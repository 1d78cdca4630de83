package dev.gridstride.device;

/**
 * An immutable description of one operation: shapes, element types and options, no data.
 *
 * <p>A description that can be constructed is valid; its constructor throws {@link
 * InvalidArgumentException} otherwise. Descriptions are value objects and serve as cache keys.
 *
 * @param <P> the plan that carries it out
 */
public interface Op<P extends Plan> {
  /** The op's name in messages, as {@code gemm}. */
  String name();

  /** Whether {@code device} has an implementation for this description. */
  Support supports(Device device);

  /**
   * Chooses an implementation on {@code device} and prepares it.
   *
   * @throws UnsupportedException when {@link #supports} says no
   */
  P plan(Device device);
}
