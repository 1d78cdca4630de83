package dev.gridstride.device;

/** CUDA source that does not compile. */
public class CompilationException extends GridstrideException {
  private static final long serialVersionUID = 1L;

  private final String log;

  /**
   * An exception with the compiler's log.
   *
   * @param message one line, to which the log is added
   * @param log what the compiler wrote, with lines and columns of the source
   */
  public CompilationException(String message, String log) {
    super(message + System.lineSeparator() + log);
    this.log = log;
  }

  /** What the compiler wrote. */
  public String log() {
    return log;
  }
}
