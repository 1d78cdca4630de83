package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;

/** Reads every prefix and every single-byte change of a small file. */
final class Damage {
  /** Reads a damaged file and checks what it got, if it was not refused. */
  @FunctionalInterface
  interface Reader {
    void read(MappedFile file, byte[] contents);
  }

  private Damage() {}

  /** Returns how many of the damaged files were refused. */
  static int everyPrefix(byte[] valid, Reader reader) {
    int refused = 0;
    for (int n = 0; n < valid.length; n++) {
      refused += attempt(Arrays.copyOf(valid, n), reader, "prefix " + n);
    }
    return refused;
  }

  /** Returns how many of the damaged files were refused. */
  static int everyByte(byte[] valid, Reader reader) {
    int refused = 0;
    for (int at = 0; at < valid.length; at++) {
      for (int change = 1; change < 256; change++) {
        byte[] damaged = valid.clone();
        damaged[at] ^= (byte) change;
        refused += attempt(damaged, reader, "byte " + at + " xor " + change);
      }
    }
    return refused;
  }

  @SuppressWarnings("MustBeClosedChecker") // an arena without memory: safetensors closes it
  private static int attempt(byte[] contents, Reader reader, String what) {
    Path name = Path.of("damaged");
    try (Arena arena = Arena.ofConfined()) {
      // native memory, aligned like a mapped file
      MemorySegment bytes = arena.allocate(Math.max(1, contents.length), 8);
      MemorySegment.copy(contents, 0, bytes, ValueLayout.JAVA_BYTE, 0, contents.length);
      reader.read(
          new MappedFile(name, Arena.ofConfined(), bytes.asSlice(0, contents.length)), contents);
      return 0;
    } catch (FormatException refused) {
      assertThat(refused).as(what).hasMessageStartingWith(name + ": " + refused.where() + ": ");
      return 1;
    } catch (Throwable other) {
      throw new AssertionError(what + " gave " + other, other);
    }
  }
}
