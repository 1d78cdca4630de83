package dev.gridstride;

import dev.gridstride.device.Buffer;
import java.util.concurrent.atomic.AtomicInteger;

/** A buffer shared by a tensor and its views; freed when the last of them is closed. */
final class Storage {
  final Buffer buffer;
  private final AtomicInteger users = new AtomicInteger(1);
  private final AtomicInteger version = new AtomicInteger();

  Storage(Buffer buffer) {
    this.buffer = buffer;
  }

  Storage share() {
    users.incrementAndGet();
    return this;
  }

  int users() {
    return users.get();
  }

  void release() {
    if (users.decrementAndGet() == 0) {
      buffer.close();
    }
  }

  /** Counts the changes in place, so that backward can tell that a value it needs is gone. */
  int version() {
    return version.get();
  }

  void changed() {
    version.incrementAndGet();
  }
}
