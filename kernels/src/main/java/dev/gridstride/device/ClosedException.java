package dev.gridstride.device;

/** A buffer, tensor, plan or stream was used, or closed again, after it had been closed. */
public class ClosedException extends GridstrideException {
  private static final long serialVersionUID = 1L;

  /** An exception with a message that says what happened to which object. */
  public ClosedException(String message) {
    super(message);
  }

  /** The same with the cause. */
  public ClosedException(String message, Throwable cause) {
    super(message, cause);
  }
}
