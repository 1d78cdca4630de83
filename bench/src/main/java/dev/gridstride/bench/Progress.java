package dev.gridstride.bench;

import java.io.PrintWriter;
import java.util.function.Consumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * On a terminal a bar with the case that is being measured and the time that is left; elsewhere a
 * line when a family begins.
 */
final class Progress implements Consumer<Case>, AutoCloseable {
  private final PrintWriter err;
  private final @Nullable ProgressBar bar;
  private int begun;
  private String family = "";

  Progress(int total, PrintWriter err) {
    this.err = err;
    this.bar = System.console() != null && System.console().isTerminal() ? bar(total) : null;
  }

  private static ProgressBar bar(int total) {
    return new ProgressBarBuilder()
        .setTaskName("bench")
        .setInitialMax(total)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(200)
        .setMaxRenderedLength(120)
        .clearDisplayOnFinish()
        .build();
  }

  @Override
  public void accept(Case c) {
    String of = c.family() + ", threads: " + c.threads();
    if (bar != null) {
      bar.stepTo(begun++);
      say(c.toString());
    } else if (!of.equals(family)) {
      say(of);
    }
    family = of;
  }

  /** Shows what is being done. */
  void say(String what) {
    if (bar != null) {
      bar.setExtraMessage(what);
    } else {
      err.println("gridstride bench: " + what);
      err.flush();
    }
  }

  /** Takes the bar off the screen. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
