package dev.gridstride.cuda;

import dev.gridstride.device.Device;
import dev.gridstride.device.Event;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;

/** A {@code cudaStream_t}; handle 0 is the device's default stream. */
final class CudaStream implements Stream {
  private final CudaDevice device;
  private final CudaStreams streams;
  private final Handle handle;

  /**
   * A stream of the device.
   *
   * @param owned whether close destroys it
   */
  CudaStream(CudaDevice device, CudaStreams streams, long stream, boolean owned) {
    this.device = device;
    this.streams = streams;
    this.handle =
        new Handle("stream", stream) {
          @Override
          void destroy() {
            if (owned) {
              device.release("stream.close", calls -> calls.streamDestroy(stream));
            }
          }
        };
  }

  @Override
  public Device device() {
    return device;
  }

  /** While this thread captures a graph, the stream that records it. */
  @Override
  public long handle() {
    CudaRecording recording = device.recording();
    return recording == null ? handle.address() : recording.insteadOf(this, "stream.handle");
  }

  boolean isDefault() {
    return handle.address() == 0;
  }

  /** The stream itself, which nobody else can close, even while a graph is captured. */
  long address() {
    return handle.address();
  }

  /** The handle, as {@link #handle()}, kept from being destroyed until {@link #unpin}. */
  long pin(String op) {
    long own = handle.pin(op);
    CudaRecording recording = device.recording();
    if (recording == null) {
      return own;
    }
    try {
      return recording.insteadOf(this, op);
    } catch (RuntimeException refused) {
      unpin();
      throw refused;
    }
  }

  /** Gives up a stream that nobody has seen. */
  void drop() {
    handle.close("device.newStream");
  }

  /** Ends one {@link #pin}. */
  void unpin() {
    handle.unpin();
  }

  @Override
  public void synchronize() {
    device.refuseInGraph("stream.synchronize", "the host can't wait for work that is not done yet");
    long stream = pin("stream.synchronize");
    try {
      device.check("stream.synchronize", device.enter().streamSynchronize(stream));
    } finally {
      unpin();
    }
  }

  @Override
  public Event record() {
    device.refuseInGraph("stream.record", "the host can't wait for work that is not done yet");
    long stream = pin("stream.record");
    try {
      return new CudaEvent(device, stream, true);
    } finally {
      unpin();
    }
  }

  @Override
  public void waitFor(Event event) {
    String op = "stream.waitFor";
    device.refuseInGraph(op, "a graph waits for no event");
    long stream = pin(op);
    try {
      if (event instanceof CudaEvent e && e.device().library() == device.library()) {
        long other = e.handle().pin(op);
        try {
          device.check(op, device.enter().streamWait(stream, other));
        } finally {
          e.handle().unpin();
        }
      } else {
        event.synchronize();
      }
    } finally {
      unpin();
    }
  }

  @Override
  public void close() {
    if (isDefault()) {
      throw new InvalidArgumentException(
          "stream.close: a device's default stream can't be closed; device=" + device.name());
    }
    device.refuseInGraph("stream.close", "the host would wait for work that is not done yet");
    try {
      streams.finish(this);
    } finally {
      handle.close("stream.close");
    }
  }
}
