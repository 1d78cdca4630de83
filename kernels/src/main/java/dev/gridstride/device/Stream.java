package dev.gridstride.device;

/**
 * An ordered queue of work on one device.
 *
 * <p>Run methods of plans take a stream and may return before the work is done; {@link
 * #synchronize} waits. On the CPU a run method does its work before it returns.
 */
public interface Stream extends AutoCloseable {
  /** The device whose work this stream orders. */
  Device device();

  /** The native handle (a {@code cudaStream_t}); 0 on the CPU. */
  long handle();

  /** Waits until all work queued so far has been done. */
  void synchronize();

  /** Marks the present end of the queue. */
  Event record();

  /** Makes later work of this stream wait for {@code event}, without blocking the caller. */
  void waitFor(Event event);

  /** Waits for the work and frees the stream; a device's default stream can't be closed. */
  @Override
  void close();
}
