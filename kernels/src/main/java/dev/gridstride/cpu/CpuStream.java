package dev.gridstride.cpu;

import dev.gridstride.device.ClosedException;
import dev.gridstride.device.Device;
import dev.gridstride.device.Event;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;

/**
 * A stream whose work is done when a run method returns; so there is never anything to wait for.
 */
final class CpuStream implements Stream {
  private final Device device;
  private final boolean isDefault;
  private volatile boolean closed;

  CpuStream(Device device, boolean isDefault) {
    this.device = device;
    this.isDefault = isDefault;
  }

  private record CpuEvent(long nanos) implements Event {
    @Override
    public boolean isDone() {
      return true;
    }

    @Override
    public void synchronize() {}

    @Override
    public double secondsSince(Event earlier) {
      if (!(earlier instanceof CpuEvent e)) {
        throw InvalidArgumentException.of(
            "event.secondsSince",
            "earlier",
            "must be an event of the same kind of device",
            "earlier=%s",
            earlier);
      }
      return (nanos - e.nanos) * 1e-9;
    }

    @Override
    public void close() {}
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public long handle() {
    return 0;
  }

  @Override
  public void synchronize() {
    checkOpen("stream.synchronize");
  }

  @Override
  public Event record() {
    checkOpen("stream.record");
    return new CpuEvent(System.nanoTime());
  }

  @Override
  public void waitFor(Event event) {
    checkOpen("stream.waitFor");
    event.synchronize();
  }

  @Override
  public void close() {
    if (isDefault) {
      throw new InvalidArgumentException(
          "stream.close: a device's default stream can't be closed; device=" + device.name());
    }
    checkOpen("stream.close");
    closed = true;
  }

  private void checkOpen(String op) {
    if (closed) {
      throw new ClosedException(op + ": the stream has been closed");
    }
  }
}
