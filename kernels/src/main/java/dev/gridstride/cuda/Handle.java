package dev.gridstride.cuda;

import dev.gridstride.device.ClosedException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A native stream, event or module that lives until it has been closed and no call uses it any
 * more.
 *
 * <p>Calls pin it, so that a close on another thread can't destroy it under them.
 */
abstract class Handle {
  private static final int CLOSED = 1 << 31;

  private final String what;
  private final long address;
  // CLOSED | number of calls that use it
  private final AtomicInteger state = new AtomicInteger();

  Handle(String what, long address) {
    this.what = what;
    this.address = address;
  }

  /** Destroys the native object; called once. */
  abstract void destroy();

  /** The native object; only pinned, or where nobody else can close it. */
  final long address() {
    return address;
  }

  /** Keeps it from being destroyed; throws {@link ClosedException} naming {@code op}. */
  final long pin(String op) {
    int s = state.get();
    while (s >= 0) {
      if (state.compareAndSet(s, s + 1)) {
        return address;
      }
      s = state.get();
    }
    throw closed(op);
  }

  /** One more use by the holder of a pin, for whom a close since then does not matter. */
  final void pinAgain() {
    state.incrementAndGet();
  }

  /** Ends one {@link #pin}. */
  final void unpin() {
    if (state.decrementAndGet() == CLOSED) {
      destroy();
    }
  }

  /** Destroys it now or with the last unpin. */
  final void close(String op) {
    int s = state.get();
    while (s >= 0) {
      if (state.compareAndSet(s, s | CLOSED)) {
        if (s == 0) {
          destroy();
        }
        return;
      }
      s = state.get();
    }
    throw closed(op);
  }

  private ClosedException closed(String op) {
    return new ClosedException(op + ": the " + what + " has been closed");
  }
}
