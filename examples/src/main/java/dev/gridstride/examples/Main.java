package dev.gridstride.examples;

import dev.gridstride.examples.cli.Gridstride;

/** The program behind {@code ./gridstride}. */
public final class Main {
  private Main() {}

  /** Parses the arguments, runs the command and exits with its code. */
  public static void main(String[] args) {
    propose("java.awt.headless", "true"); // pictures are files here, never windows
    propose("java.util.logging.SimpleFormatter.format", "%5$s%6$s%n"); // one line, no date
    System.exit(Gridstride.commandLine().execute(args));
  }

  private static void propose(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }
}
