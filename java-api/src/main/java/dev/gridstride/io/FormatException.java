package dev.gridstride.io;

import java.nio.file.Path;
import java.util.Locale;

/**
 * The contents of a file break its format, or use a part of the format that tensors can't hold.
 *
 * <p>The message has one form: {@code file: where: what is wrong; what was found}, for example
 * {@code weights.safetensors: header: must be at most the bytes that follow; length=90, bytes=12}.
 */
public class FormatException extends FileException {
  private static final long serialVersionUID = 1L;

  private final String where;

  /**
   * An exception about the contents of {@code file}.
   *
   * @param where the place in the file, as {@code header} or {@code line 7}
   * @param problem what is wrong there and what was found
   */
  public FormatException(Path file, String where, String problem) {
    super(file, where + ": " + problem);
    this.where = where;
  }

  /** The same with the cause. */
  public FormatException(Path file, String where, String problem, Throwable cause) {
    super(file, where + ": " + problem, cause);
    this.where = where;
  }

  /** With the rule that is broken and what was found, as {@link String#format} puts it. */
  public static FormatException of(
      Path file, String where, String rule, String given, Object... values) {
    return new FormatException(
        file, where, rule + "; " + String.format(Locale.ROOT, given, values));
  }

  /** The place in the file. */
  public String where() {
    return where;
  }
}
