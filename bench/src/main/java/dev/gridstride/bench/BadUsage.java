package dev.gridstride.bench;

/** Arguments of the command line that can't be used; the message says what to change. */
public final class BadUsage extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** One line that says what to change. */
  public BadUsage(String message) {
    super(message);
  }
}
