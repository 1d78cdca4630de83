package dev.gridstride.examples.cli;

import java.io.PrintWriter;
import java.io.StringWriter;

/** Runs the command line in this JVM as a user would, and keeps what it prints. */
public final class Cli {
  /** What came of it. */
  public record Outcome(int code, String out, String err) {}

  private Cli() {}

  /** Executes {@code ./gridstride args}. */
  public static Outcome run(String... args) {
    var out = new StringWriter();
    var err = new StringWriter();
    int code =
        Gridstride.commandLine()
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true))
            .execute(args);
    return new Outcome(code, out.toString(), err.toString());
  }
}
