package dev.gridstride.device;

/**
 * A backend's part of a {@link Graph}: records work from its creation by {@link Device#record} to
 * {@link #finish} or {@link #discard}, and runs it afterwards.
 */
public interface Recording {
  /** Ends the recording; when that fails, as {@link #discard}. */
  void finish();

  /** Ends and drops the recording; after an end it does nothing. */
  void discard();

  /** Number of recorded operations. */
  long size();

  /** Queues one run in an open stream of the device. */
  void run(Stream stream);

  /** Waits for the runs and frees what was recorded. Called once. */
  void free();
}
