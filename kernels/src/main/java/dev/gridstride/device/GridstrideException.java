package dev.gridstride.device;

/** The one family of unchecked exceptions that Gridstride throws. */
public abstract class GridstrideException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An exception with a message that names op, argument, rule and what was given. */
  protected GridstrideException(String message) {
    super(message);
  }

  /** The same with the cause. */
  protected GridstrideException(String message, Throwable cause) {
    super(message, cause);
  }
}
