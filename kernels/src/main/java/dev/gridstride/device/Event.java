package dev.gridstride.device;

/**
 * A point in the work of a {@link Stream}, recorded by {@link Stream#record()}.
 *
 * <p>An event's time is taken when the work before it has been done.
 */
public interface Event extends AutoCloseable {
  /** Whether the work before this event has been done. */
  boolean isDone();

  /** Waits until the work before this event has been done. */
  void synchronize();

  /**
   * Seconds from {@code earlier} to this event; both must have been done.
   *
   * @throws InvalidArgumentException when {@code earlier} belongs to another kind of device
   */
  double secondsSince(Event earlier);

  /** Frees the event. */
  @Override
  void close();
}
