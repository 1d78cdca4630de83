package dev.gridstride.device;

import java.util.Locale;

/**
 * An argument breaks a rule of the op.
 *
 * <p>The message has one form: {@code op: argument rule; what was given}, for example {@code
 * crossEntropy: targets must have length rows; rows=8, targets.length=7}.
 */
public class InvalidArgumentException extends GridstrideException {
  private static final long serialVersionUID = 1L;

  /** An exception with a complete message. */
  public InvalidArgumentException(String message) {
    super(message);
  }

  /** The same with the cause. */
  public InvalidArgumentException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * Builds the message from its parts.
   *
   * @param op name of the op, as {@link Op#name()}
   * @param argument name of the argument
   * @param rule what must hold, as {@code must have length rows}
   * @param given a {@link String#format} pattern for what was given, as {@code rows=%d}
   * @param values values for the pattern
   */
  public static InvalidArgumentException of(
      String op, String argument, String rule, String given, Object... values) {
    return new InvalidArgumentException(
        op + ": " + argument + " " + rule + "; " + String.format(Locale.ROOT, given, values));
  }
}
