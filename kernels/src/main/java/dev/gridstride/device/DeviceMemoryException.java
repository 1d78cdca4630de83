package dev.gridstride.device;

/** A device could not allocate memory, even after giving back what its pool had cached. */
public class DeviceMemoryException extends GridstrideException {
  private static final long serialVersionUID = 1L;

  /** An exception with a message that says what happened to which object. */
  public DeviceMemoryException(String message) {
    super(message);
  }

  /** The same with the cause. */
  public DeviceMemoryException(String message, Throwable cause) {
    super(message, cause);
  }
}
