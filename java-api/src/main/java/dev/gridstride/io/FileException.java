package dev.gridstride.io;

import dev.gridstride.device.GridstrideException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A file can't be read or written. */
public class FileException extends GridstrideException {
  private static final long serialVersionUID = 1L;

  private final String file;

  /**
   * An exception about {@code file}.
   *
   * @param problem what is wrong, as {@code does not exist}
   */
  public FileException(Path file, String problem) {
    super(file + ": " + problem);
    this.file = file.toString();
  }

  /** The same with the cause. */
  public FileException(Path file, String problem, Throwable cause) {
    super(file + ": " + problem, cause);
    this.file = file.toString();
  }

  /** Says in words why reading or writing {@code file} failed. */
  static FileException of(Path file, String action, IOException cause) {
    String why =
        switch (cause) {
          case NoSuchFileException e -> "no such file or folder";
          case AccessDeniedException e -> "access denied";
          default -> String.valueOf(cause.getMessage());
        };
    return new FileException(file, "can't be " + action + ": " + why, cause);
  }

  /** The path as it was given. */
  public String file() {
    return file;
  }
}
