package dev.gridstride.examples;

/** Something the user gave can't be used; the message is one line that says what to change. */
public final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With its one line. */
  public UsageException(String message) {
    super(message);
  }

  /** With its one line and what revealed the mistake. */
  public UsageException(String message, Throwable cause) {
    super(message, cause);
  }
}
