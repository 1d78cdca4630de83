package dev.gridstride.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What shows that a file was changed: its size and the time of the last change. Changes closer
 * together than the file system's clock are not seen.
 *
 * @param key which file it is, where the file system tells; another under the same name is no
 *     change of this one
 * @param size bytes
 * @param modified when it was last changed
 */
record FileState(@Nullable Object key, long size, FileTime modified) {
  /** The state of a regular file; anything else, as a pipe or a device, is refused. */
  static FileState of(Path path) throws IOException {
    var attributes = Files.readAttributes(path, BasicFileAttributes.class);
    if (!attributes.isRegularFile()) {
      throw new FileException(path, "can't be read: is not a regular file");
    }
    return of(attributes);
  }

  private static FileState of(BasicFileAttributes attributes) {
    return new FileState(attributes.fileKey(), attributes.size(), attributes.lastModifiedTime());
  }

  /**
   * Checks that the file is as it was; one that was deleted or replaced by another is, as what was
   * opened stays.
   */
  void check(Path path) {
    FileState now;
    try {
      now = of(Files.readAttributes(path, BasicFileAttributes.class));
    } catch (NoSuchFileException deleted) {
      return;
    } catch (IOException e) {
      throw FileException.of(path, "read", e);
    }
    if (!Objects.equals(key, now.key)) {
      return;
    }
    checkSize(path, now.size);
    if (!modified.equals(now.modified)) {
      throw new FileException(
          path,
          "was changed while it was being read; time of the last change before="
              + modified
              + ", now="
              + now.modified);
    }
  }

  /** Checks the size that the opened file has now. */
  void checkSize(Path path, long now) {
    if (size != now) {
      throw new FileException(
          path,
          (now < size ? "was cut" : "has grown")
              + " while it was being read; bytes before="
              + size
              + ", now="
              + now);
    }
  }
}
