package dev.gridstride.device;

/** The request is valid, but no implementation on this device can carry it out. */
public class UnsupportedException extends GridstrideException {
  private static final long serialVersionUID = 1L;

  /** An exception with a message that says what happened to which object. */
  public UnsupportedException(String message) {
    super(message);
  }

  /** The same with the cause. */
  public UnsupportedException(String message, Throwable cause) {
    super(message, cause);
  }
}
