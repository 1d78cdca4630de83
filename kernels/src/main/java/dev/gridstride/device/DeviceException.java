package dev.gridstride.device;

/** A device failed, or is not there; the message says which and why. */
public class DeviceException extends GridstrideException {
  private static final long serialVersionUID = 1L;

  /** An exception with a message that says what happened to which object. */
  public DeviceException(String message) {
    super(message);
  }

  /** The same with the cause. */
  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
