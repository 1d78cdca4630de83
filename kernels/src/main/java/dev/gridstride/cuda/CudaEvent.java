package dev.gridstride.cuda;

import dev.gridstride.device.Event;
import dev.gridstride.device.InvalidArgumentException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A {@code cudaEvent_t}, recorded once. */
final class CudaEvent implements Event {
  private final CudaDevice device;
  private final Handle handle;

  /** Records the end of {@code stream}, which is pinned. */
  CudaEvent(CudaDevice device, long stream, boolean timing) {
    this.device = device;
    long event = create(device, timing);
    this.handle =
        new Handle("event", event) {
          @Override
          void destroy() {
            device.release("event.close", calls -> calls.eventDestroy(event));
          }
        };
    int status = device.enter().eventRecord(event, stream);
    if (status != Abi.OK) {
      try {
        device.check("stream.record", status);
      } finally {
        close();
      }
    }
  }

  private static long create(CudaDevice device, boolean timing) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = arena.allocate(ValueLayout.JAVA_LONG);
      device.check("stream.record", device.enter().eventCreate(event, timing ? 1 : 0));
      return event.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  CudaDevice device() {
    return device;
  }

  Handle handle() {
    return handle;
  }

  @Override
  public boolean isDone() {
    long event = handle.pin("event.isDone");
    try {
      int status = device.enter().eventQuery(event);
      if (status == Abi.NOT_READY) {
        return false;
      }
      device.check("event.isDone", status);
      return true;
    } finally {
      handle.unpin();
    }
  }

  @Override
  public void synchronize() {
    long event = handle.pin("event.synchronize");
    try {
      device.check("event.synchronize", device.enter().eventSynchronize(event));
    } finally {
      handle.unpin();
    }
  }

  @Override
  public double secondsSince(Event earlier) {
    String op = "event.secondsSince";
    if (!(earlier instanceof CudaEvent e) || e.device != device) {
      throw InvalidArgumentException.of(
          op, "earlier", "must be an event of the same device", "earlier=%s", earlier);
    }
    long end = handle.pin(op);
    try (Arena arena = Arena.ofConfined()) {
      long start = e.handle.pin(op);
      try {
        MemorySegment milliseconds = arena.allocate(ValueLayout.JAVA_FLOAT);
        device.check(op, device.enter().eventElapsed(milliseconds, start, end));
        return milliseconds.get(ValueLayout.JAVA_FLOAT, 0) * 1e-3;
      } finally {
        e.handle.unpin();
      }
    } finally {
      handle.unpin();
    }
  }

  @Override
  public void close() {
    handle.close("event.close");
  }
}
