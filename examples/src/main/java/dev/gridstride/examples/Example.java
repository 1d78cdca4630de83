package dev.gridstride.examples;

import dev.gridstride.examples.report.Report;
import java.io.IOException;

/** A program that the command line can start by its name. Listed in {@link Examples}. */
public interface Example {
  /** The name on the command line: lower case. */
  String name();

  /** What it shows, in one line. */
  String description();

  /** Whether it is started by {@code train}; otherwise by {@code run}. */
  default boolean trains() {
    return true;
  }

  /** Whether it writes checkpoints into the output folder and can go on from one. */
  default boolean resumes() {
    return false;
  }

  /**
   * Runs it.
   *
   * @param options what the user asked for
   * @param report where results go: console, JSON and the checks that decide the exit code
   * @throws UsageException when an option or the data it names can't be used
   * @throws IOException when a file can't be read or written
   */
  void run(Options options, Report report) throws IOException;
}
