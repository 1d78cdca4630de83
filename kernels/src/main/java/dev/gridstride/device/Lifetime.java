package dev.gridstride.device;

import java.lang.System.Logger.Level;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Who may still touch a block: counts the running operations that use it, and frees it when it has
 * been closed and none is left. Shared by a buffer and its slices; run by the cleaner when the
 * owner was lost without a close.
 */
final class Lifetime implements Runnable {
  private static final System.Logger LOG = System.getLogger("dev.gridstride");
  private static final int CLOSED = 1 << 31;
  private static final boolean TRACE =
      System.getProperty("gridstride.trace", "off").toLowerCase(Locale.ROOT).equals("on");

  private static final AtomicBoolean REPORTED = new AtomicBoolean();

  // CLOSED | number of running operations
  private final AtomicInteger state = new AtomicInteger();
  private final Block block;
  private final long bytes;
  private final @Nullable Throwable site;

  Lifetime(Block block, long bytes) {
    this.block = block;
    this.bytes = bytes;
    this.site = TRACE ? new Throwable("allocated here") : null;
  }

  boolean isOpen() {
    return state.get() >= 0;
  }

  /** Whether it has been closed and nothing uses it any more. */
  boolean isFreed() {
    return state.get() == CLOSED;
  }

  /** Counts one running operation; false when closed. */
  boolean pin() {
    int s = state.get();
    while (s >= 0) {
      if (state.compareAndSet(s, s + 1)) {
        return true;
      }
      s = state.get();
    }
    return false;
  }

  /** Counts one more use by the holder of a pin, for whom a close since then does not matter. */
  void pinAgain() {
    state.incrementAndGet();
  }

  void unpin() {
    if (state.decrementAndGet() == CLOSED) {
      block.free();
    }
  }

  /** Marks it closed; false when it already was. The block is freed now or by the last unpin. */
  boolean close() {
    int s = state.get();
    while (s >= 0) {
      if (state.compareAndSet(s, s | CLOSED)) {
        if (s == 0) {
          block.free();
        }
        return true;
      }
      s = state.get();
    }
    return false;
  }

  /** Where the block was allocated, or how to learn it. */
  String place() {
    if (site == null) {
      return "allocated at an unrecorded place (run with -Dgridstride.trace=on to record it)";
    }
    for (var frame : site.getStackTrace()) {
      String c = frame.getClassName();
      if (!c.startsWith("dev.gridstride.") || c.endsWith("Test") || c.contains("Test$")) {
        return "allocated at " + frame;
      }
    }
    return "allocated inside Gridstride";
  }

  /**
   * The cleaner's net: the owner became unreachable. Without tracing only the first loss is
   * reported, since a program that leaks does so in a loop.
   */
  @Override
  public void run() {
    if (close() && (TRACE || REPORTED.compareAndSet(false, true))) {
      LOG.log(
          Level.WARNING,
          () -> "gridstride: a buffer of " + bytes + " bytes was never closed; " + place());
    }
  }
}
