package dev.gridstride.bench;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.Consumer;

/** A bar on a terminal with the case that is being measured and the time that is left. */
final class Progress implements Consumer<Case> {
  private static final int WIDTH = 24;

  private final int total;
  private final PrintWriter err;
  private final boolean terminal = System.console() != null && System.console().isTerminal();
  private final long start = System.nanoTime();
  private int done = -1;

  Progress(int total, PrintWriter err) {
    this.total = total;
    this.err = err;
  }

  @Override
  public void accept(Case c) {
    done++;
    say(c.toString());
  }

  /** Shows what is being done. */
  void say(String what) {
    if (!terminal) {
      return;
    }
    int at = Math.max(0, done);
    int filled = WIDTH * at / Math.max(1, total);
    double left = at == 0 ? 0 : (System.nanoTime() - start) * 1e-9 / at * (total - at);
    err.printf(
        Locale.ROOT,
        "\r\033[K[%s%s] %d/%d %s%s",
        "#".repeat(filled),
        ".".repeat(WIDTH - filled),
        at,
        total,
        left == 0 ? "" : String.format(Locale.ROOT, "%.0f s left, ", left),
        what);
    err.flush();
  }

  /** Clears the line. */
  void end() {
    if (terminal) {
      err.print("\r\033[K");
      err.flush();
    }
  }
}
