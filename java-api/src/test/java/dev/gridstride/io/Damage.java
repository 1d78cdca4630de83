package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Reads every prefix and every single-byte change of a small file. */
final class Damage {
  /** Reads a damaged file and checks what it got, if it was not refused. */
  @FunctionalInterface
  interface Reader {
    void read(Path file, byte[] contents);
  }

  private Damage() {}

  /** Returns how many of the damaged files were refused. */
  static int everyPrefix(Path file, byte[] valid, Reader reader) throws IOException {
    int refused = 0;
    for (int n = 0; n < valid.length; n++) {
      refused += attempt(file, Arrays.copyOf(valid, n), reader, "prefix " + n);
    }
    return refused;
  }

  /** Returns how many of the damaged files were refused. */
  static int everyByte(Path file, byte[] valid, Reader reader) throws IOException {
    int refused = 0;
    for (int at = 0; at < valid.length; at++) {
      for (int change = 1; change < 256; change++) {
        byte[] damaged = valid.clone();
        damaged[at] ^= (byte) change;
        refused += attempt(file, damaged, reader, "byte " + at + " xor " + change);
      }
    }
    return refused;
  }

  private static int attempt(Path file, byte[] contents, Reader reader, String what)
      throws IOException {
    Files.write(file, contents);
    try {
      reader.read(file, contents);
      return 0;
    } catch (FormatException refused) {
      assertThat(refused).as(what).hasMessageStartingWith(file + ": " + refused.where() + ": ");
      return 1;
    } catch (Throwable other) {
      throw new AssertionError(what + " gave " + other, other);
    }
  }
}
