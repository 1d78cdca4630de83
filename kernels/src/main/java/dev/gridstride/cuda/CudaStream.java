package dev.gridstride.cuda;

import dev.gridstride.device.ClosedException;
import dev.gridstride.device.Device;
import dev.gridstride.device.Event;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import java.util.concurrent.atomic.AtomicBoolean;

/** A {@code cudaStream_t}; handle 0 is the device's default stream. */
final class CudaStream implements Stream {
  private final CudaDevice device;
  private final CudaStreams streams;
  private final long handle;
  private final AtomicBoolean closed = new AtomicBoolean();

  CudaStream(CudaDevice device, CudaStreams streams, long handle) {
    this.device = device;
    this.streams = streams;
    this.handle = handle;
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public long handle() {
    return handle;
  }

  @Override
  public void synchronize() {
    checkOpen("stream.synchronize");
    device.library().check("stream.synchronize", device.enter().streamSynchronize(handle));
  }

  @Override
  public Event record() {
    checkOpen("stream.record");
    return new CudaEvent(device, handle, true);
  }

  @Override
  public void waitFor(Event event) {
    checkOpen("stream.waitFor");
    if (event instanceof CudaEvent e && e.device().library() == device.library()) {
      device
          .library()
          .check(
              "stream.waitFor", device.enter().streamWait(handle, e.openHandle("stream.waitFor")));
    } else {
      event.synchronize();
    }
  }

  @Override
  public void close() {
    if (handle == 0) {
      throw new InvalidArgumentException(
          "stream.close: a device's default stream can't be closed; device=" + device.name());
    }
    if (!closed.compareAndSet(false, true)) {
      throw new ClosedException("stream.close: the stream has been closed");
    }
    streams.close(this);
  }

  /** Throws {@link ClosedException} naming {@code op} when closed. */
  void checkOpen(String op) {
    if (closed.get()) {
      throw new ClosedException(op + ": the stream has been closed");
    }
  }
}
