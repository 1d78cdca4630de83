package dev.gridstride.cuda;

import dev.gridstride.device.ClosedException;
import dev.gridstride.device.Event;
import dev.gridstride.device.InvalidArgumentException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicBoolean;

/** A {@code cudaEvent_t}, recorded once. */
final class CudaEvent implements Event {
  private final CudaDevice device;
  private final long handle;
  private final AtomicBoolean closed = new AtomicBoolean();

  CudaEvent(CudaDevice device, long stream, boolean timing) {
    this.device = device;
    this.handle = create(device, timing);
    int status = device.enter().eventRecord(handle, stream);
    if (status != Abi.OK) {
      try {
        device.library().check("stream.record", status);
      } finally {
        close();
      }
    }
  }

  private static long create(CudaDevice device, boolean timing) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle = arena.allocate(ValueLayout.JAVA_LONG);
      device.library().check("stream.record", device.enter().eventCreate(handle, timing ? 1 : 0));
      return handle.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  CudaDevice device() {
    return device;
  }

  long handle() {
    return handle;
  }

  /** The handle; throws {@link ClosedException} naming {@code op} when closed. */
  long openHandle(String op) {
    if (closed.get()) {
      throw new ClosedException(op + ": the event has been closed");
    }
    return handle;
  }

  @Override
  public boolean isDone() {
    int status = device.enter().eventQuery(openHandle("event.isDone"));
    if (status == Abi.NOT_READY) {
      return false;
    }
    device.library().check("event.isDone", status);
    return true;
  }

  @Override
  public void synchronize() {
    device
        .library()
        .check(
            "event.synchronize", device.enter().eventSynchronize(openHandle("event.synchronize")));
  }

  @Override
  public double secondsSince(Event earlier) {
    if (!(earlier instanceof CudaEvent e) || e.device != device) {
      throw InvalidArgumentException.of(
          "event.secondsSince",
          "earlier",
          "must be an event of the same device",
          "earlier=%s",
          earlier);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment milliseconds = arena.allocate(ValueLayout.JAVA_FLOAT);
      device
          .library()
          .check(
              "event.secondsSince",
              device
                  .enter()
                  .eventElapsed(
                      milliseconds,
                      e.openHandle("event.secondsSince"),
                      openHandle("event.secondsSince")));
      return milliseconds.get(ValueLayout.JAVA_FLOAT, 0) * 1e-3;
    }
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      throw new ClosedException("event.close: the event has been closed");
    }
    device.library().check("event.close", device.enter().eventDestroy(handle));
  }
}
