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

  CudaStream(CudaDevice device, CudaStreams streams, long stream) {
    this.device = device;
    this.streams = streams;
    this.handle =
        new Handle("stream", stream) {
          @Override
          void destroy() {
            device.release("stream.close", calls -> calls.streamDestroy(stream));
          }
        };
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public long handle() {
    return handle.address();
  }

  /** The handle, kept from being destroyed until {@link #unpin}. */
  long pin(String op) {
    return handle.pin(op);
  }

  /** Ends one {@link #pin}. */
  void unpin() {
    handle.unpin();
  }

  @Override
  public void synchronize() {
    long stream = pin("stream.synchronize");
    try {
      device.check("stream.synchronize", device.enter().streamSynchronize(stream));
    } finally {
      unpin();
    }
  }

  @Override
  public Event record() {
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
    if (handle.address() == 0) {
      throw new InvalidArgumentException(
          "stream.close: a device's default stream can't be closed; device=" + device.name());
    }
    try {
      streams.finish(this);
    } finally {
      handle.close("stream.close");
    }
  }
}
