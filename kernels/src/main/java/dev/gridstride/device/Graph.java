package dev.gridstride.device;

import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Work of one stream, recorded once and then run as often as wanted with one call, without the cost
 * of launching each operation.
 *
 * <pre>{@code
 * step(); // once without: kernels are loaded, state is allocated
 * try (var graph = Graph.capture(stream, () -> step())) {
 *   for (int i = 0; i < 1000; i++) {
 *     input.copyFrom(next());
 *     graph.replay();
 *   }
 * }
 * }</pre>
 *
 * <p>While {@link #capture} runs the step, its operations are recorded instead of done, so their
 * results are undefined until a replay. Rules:
 *
 * <ul>
 *   <li>A replay repeats the device's work, not the Java code: shapes, branches, and numbers that
 *       are passed as Java values (a learning rate, a seed, a step count) are those of the capture.
 *       Contents of buffers are read anew.
 *   <li>Work in the given stream and in the device's default stream is recorded, both in one order;
 *       work in another stream, or on another device, is refused.
 *   <li>What makes the host wait or touch device memory is refused, as {@code buffer.copyFrom} and
 *       {@code copyTo} plain host memory, {@code stream.synchronize} and events. Copies and fills
 *       on the device are recorded, and copies queued in the stream with {@link HostMemory}.
 *   <li>Checks that need a result on the host are left out: an index out of range gives the value
 *       that its op names (cross-entropy: NaN) and no exception.
 *   <li>Buffers may be allocated and closed in the step. Every buffer that a recorded operation
 *       uses keeps its memory until the graph is closed, even when the buffer is closed before; so
 *       temporaries of one step do not share memory.
 *   <li>The thread that captures is the only one concerned: others go on as always.
 * </ul>
 *
 * <p>Replays of one graph follow each other. Thread-safe, but for {@link #close} it must be closed
 * by its owner: a graph that is lost keeps its memory.
 */
public final class Graph implements AutoCloseable {
  private final Stream stream;
  private final Recording recording;
  private final Capture capture;

  // replays share it, close excludes them
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  private Graph(Stream stream, Recording recording, Capture capture) {
    this.stream = stream;
    this.recording = recording;
    this.capture = capture;
  }

  /** Whether {@code device} can record graphs, and why not. */
  public static Support supports(Device device) {
    return device.graphs();
  }

  /**
   * Records what {@code step} does in {@code stream}; see the rules above.
   *
   * @param stream the stream to record, and to replay in; may be the default stream
   * @param step runs once, on this thread; what it throws ends the capture and is passed on
   * @throws UnsupportedException when the device records no graphs, or from an operation of the
   *     step that can't be recorded; the message names it
   * @throws InvalidArgumentException when this thread, or another one on this device, is capturing
   */
  public static Graph capture(Stream stream, Runnable step) {
    Device device = stream.device();
    if (Capture.current() != null) {
      throw new InvalidArgumentException(
          "graph.capture: must not be called inside a capture; this thread is capturing");
    }
    if (supports(device) instanceof Support.Unsupported no) {
      throw new UnsupportedException("graph.capture: " + no.reason());
    }
    Recording recording = device.record(stream);
    Capture capture = Capture.begin(device);
    boolean complete = false;
    try {
      step.run();
      recording.finish();
      complete = true;
    } finally {
      Capture.end();
      if (!complete) {
        recording.discard();
        capture.release();
      }
    }
    return new Graph(stream, recording, capture);
  }

  /** Number of recorded operations: kernels, copies, fills, allocations of workspace. */
  public long size() {
    return recording.size();
  }

  /** Queues one run in the stream that was captured. */
  public void replay() {
    replay(stream);
  }

  /**
   * Queues one run in another stream of the same device.
   *
   * @throws ClosedException when the graph or the stream has been closed
   * @throws InvalidArgumentException when the stream belongs to another device
   */
  public void replay(Stream in) {
    if (!in.device().equals(stream.device())) {
      throw InvalidArgumentException.of(
          "graph.replay",
          "stream",
          "must belong to the graph's device",
          "stream device=%s, graph device=%s",
          in.device().name(),
          stream.device().name());
    }
    if (Capture.current() != null) {
      throw new UnsupportedException("graph.replay: can't be captured in a graph");
    }
    lock.readLock().lock();
    try {
      if (closed) {
        throw new ClosedException("graph.replay: the graph has been closed");
      }
      recording.run(in);
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * Waits for the runs and frees the graph; the buffers that were closed before are freed now.
   *
   * @throws ClosedException when the graph has been closed before
   */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (closed) {
        throw new ClosedException("graph.close: the graph has been closed");
      }
      closed = true;
      try {
        recording.free();
      } finally {
        capture.release();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
