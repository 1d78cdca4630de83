package dev.gridstride.cuda;

/** A library was found but can't be used; the message is the end of a sentence about it. */
final class LibraryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String reason;

  LibraryException(String reason) {
    super(reason);
    this.reason = reason;
  }

  @Override
  public String getMessage() {
    return reason;
  }
}
