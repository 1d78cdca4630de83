package dev.gridstride.device;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The graph that a thread is recording: keeps the memory of every buffer that is used meanwhile.
 *
 * <p>Plans pin their operands on the thread that runs them, so a look at each pin finds them all.
 */
final class Capture {
  private static final ThreadLocal<Capture> CURRENT = new ThreadLocal<>();

  // so that a program without captures pays for a field, not for a thread's map
  private static final AtomicInteger ACTIVE = new AtomicInteger();

  private final Device device;
  private final Set<Lifetime> kept = Collections.newSetFromMap(new IdentityHashMap<>());

  private Capture(Device device) {
    this.device = device;
  }

  /** The calling thread's capture, null when it makes none. */
  static @Nullable Capture current() {
    return ACTIVE.get() == 0 ? null : CURRENT.get();
  }

  /** Makes this thread's capture the current one; there must be none. */
  static Capture begin(Device device) {
    var capture = new Capture(device);
    CURRENT.set(capture);
    ACTIVE.incrementAndGet();
    return capture;
  }

  /** This thread captures no more; what is kept stays kept. */
  static void end() {
    ACTIVE.decrementAndGet();
    CURRENT.remove();
  }

  /** A graph of one device can't hold the work of another. */
  void check(String op, Buffer buffer) {
    if (!buffer.device().equals(device)) {
      throw new UnsupportedException(
          op
              + ": can't be captured in a graph of "
              + device.name()
              + ": it works on "
              + buffer.device().name());
    }
  }

  /** Keeps memory, which is pinned by the caller, until {@link #release}. */
  void keep(Lifetime lifetime) {
    if (kept.add(lifetime)) {
      lifetime.pinAgain();
    }
  }

  /** Lets go of all that is kept. */
  void release() {
    kept.forEach(Lifetime::unpin);
    kept.clear();
  }
}
