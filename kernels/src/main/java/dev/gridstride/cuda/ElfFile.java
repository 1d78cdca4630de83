package dev.gridstride.cuda;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Map;

/**
 * What of a shared library's file is looked at before the system's loader gets it: glibc's trusts
 * the tables, and a file that is cut short ends the process with SIGBUS.
 */
final class ElfFile {
  private static final int HEADER = 64;
  private static final int SEGMENT = 56;
  private static final int LOAD = 1;
  private static final int SHARED_OBJECT = 3;
  private static final Map<String, Integer> MACHINES = Map.of("amd64", 62, "aarch64", 183);

  private ElfFile() {}

  /**
   * Checks that the file is a whole 64-bit shared library for this processor.
   *
   * @throws LibraryException when it is not
   */
  static void check(Path file) {
    try (var channel = FileChannel.open(file)) {
      long bytes = channel.size();
      ByteBuffer header = read(channel, 0, HEADER);
      if (header.getInt(0) != 0x464c457f || header.get(4) != 2 || header.get(5) != 1) {
        throw new LibraryException("it is no 64-bit ELF file");
      }
      int machine = header.getShort(18) & 0xffff;
      Integer own = MACHINES.get(System.getProperty("os.arch", ""));
      if (own != null && own != machine) {
        throw new LibraryException("it is for another processor (ELF machine " + machine + ")");
      }
      if (header.getShort(16) != SHARED_OBJECT || header.getShort(54) != SEGMENT) {
        throw new LibraryException("it is no shared library");
      }
      int segments = header.getShort(56) & 0xffff;
      ByteBuffer table = read(channel, header.getLong(32), segments * SEGMENT);
      for (int at = 0; at < table.limit(); at += SEGMENT) {
        boolean loaded = table.getInt(at) == LOAD;
        requireInside(table.getLong(at + 8), loaded ? table.getLong(at + 32) : 0, bytes);
      }
      long sections = header.getLong(40);
      requireInside(
          sections, (header.getShort(58) & 0xffffL) * (header.getShort(60) & 0xffff), bytes);
    } catch (IOException unreadable) {
      throw new LibraryException("it can't be read (" + unreadable + ")");
    }
  }

  private static ByteBuffer read(FileChannel channel, long at, int count) throws IOException {
    requireInside(at, count, channel.size());
    ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, at + buffer.position()) < 0) {
        throw cutShort();
      }
    }
    return buffer.flip();
  }

  private static void requireInside(long offset, long size, long bytes) {
    if (offset < 0 || size < 0 || size > bytes || offset > bytes - size) {
      throw cutShort();
    }
  }

  private static LibraryException cutShort() {
    return new LibraryException("it is cut short, or no ELF file");
  }
}
