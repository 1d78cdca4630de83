package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.io.ReaderTarget.Format;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Files of each format with several changes at once: read or refused, never anything else, and with
 * heap in proportion to the file. {@code -Dgridstride.test.hostile=N} reads more of them.
 */
final class HostileFilesTest {
  private static final int FILES = Integer.getInteger("gridstride.test.hostile", 15_000);

  private static final long[] NUMBERS = {
    0, 1, -1, 0x7F, 0x80, 0xFFFF, Integer.MAX_VALUE, 0xFFFFFFFFL, 1L << 40, Long.MAX_VALUE
  };

  private static final List<String> WORDS =
      List.of(
          "9999999999999999999", "-1", "'", "\"", "{", "}", "[[", "\\u0000", "NaN", "1e999", "\n");

  private static byte[] text(String s) {
    return s.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] joined(byte[]... parts) {
    var out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private static byte[] gzip(byte[] plain) {
    var out = new ByteArrayOutputStream();
    try (var packed = new GZIPOutputStream(out)) {
      packed.write(plain);
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
    return out.toByteArray();
  }

  private static byte[] npy(String dict, int data) {
    byte[] header = text(dict + "\n");
    byte[] length = {(byte) header.length, (byte) (header.length >> 8)};
    return joined(text("\u0093NUMPY\u0001\u0000"), length, header, new byte[data]);
  }

  private static byte[] safetensors(String header, int data) {
    var length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length());
    return joined(length.array(), text(header), new byte[data]);
  }

  private static byte[] wav(int kind, int bits, int data) {
    var header = ByteBuffer.allocate(44).order(ByteOrder.LITTLE_ENDIAN);
    header.put(text("RIFF")).putInt(36 + data).put(text("WAVE"));
    header.put(text("fmt ")).putInt(16).putShort((short) kind).putShort((short) 1).putInt(8000);
    header.putInt(8000 * bits / 8).putShort((short) (bits / 8)).putShort((short) bits);
    header.put(text("data")).putInt(data);
    return joined(header.array(), new byte[data]);
  }

  /** Whole files of each format, which the changes begin with. */
  private static Map<Format, List<byte[]>> seeds() {
    byte[] idx = joined(new byte[] {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3}, new byte[6]);
    byte[] wide = joined(new byte[] {0, 0, 0xE, 1, 0, 0, 0, 2}, new byte[16]);
    return Map.of(
        Format.NPY,
        List.of(
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24),
            npy("{'descr': '>i8', 'fortran_order': True, 'shape': (3,), }", 24),
            npy("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", 1)),
        Format.SAFETENSORS,
        List.of(
            safetensors("{}", 0),
            safetensors(
                "{\"__metadata__\":{\"a\":\"b\"},\"x\":{\"dtype\":\"F32\",\"shape\":[2,2],"
                    + "\"data_offsets\":[0,16]},\"y\":{\"dtype\":\"BOOL\",\"shape\":[3],"
                    + "\"data_offsets\":[16,19]}}",
                19)),
        Format.IDX,
        List.of(idx, wide, gzip(idx)),
        Format.CSV,
        List.of(
            text("a,b\n1,2\n3,4\n"),
            text("\"a\",\"b \"\"c\"\"\"\r\nx,\"1,5\"\r\ny,-1e-3\r\n"),
            text("name\n")),
        Format.WAV,
        List.of(wav(1, 16, 8), wav(3, 64, 16)));
  }

  private static byte[] changed(byte[] file, List<byte[]> seeds, SplittableRandom random) {
    int from = random.nextInt(file.length + 1);
    int to = from + random.nextInt(file.length - from + 1);
    byte[] head = Arrays.copyOf(file, from);
    byte[] middle = Arrays.copyOfRange(file, from, to);
    byte[] tail = Arrays.copyOfRange(file, to, file.length);
    switch (random.nextInt(8)) {
      case 0 -> {
        return head; // cut
      }
      case 1 -> {
        return joined(head, tail);
      }
      case 2 -> {
        return joined(head, middle, middle, tail);
      }
      case 3 -> {
        return joined(head, text(WORDS.get(random.nextInt(WORDS.size()))), middle, tail);
      }
      case 4 -> {
        byte[] other = seeds.get(random.nextInt(seeds.size()));
        return joined(head, Arrays.copyOfRange(other, random.nextInt(other.length), other.length));
      }
      case 5 -> {
        byte[] copy = file.clone();
        int width = random.nextBoolean() ? 4 : 8;
        if (copy.length >= width) {
          var at = ByteBuffer.wrap(copy).position(random.nextInt(copy.length - width + 1));
          at.order(random.nextBoolean() ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
          long number = NUMBERS[random.nextInt(NUMBERS.length)];
          if (width == 4) {
            at.putInt((int) number);
          } else {
            at.putLong(number);
          }
        }
        return copy;
      }
      default -> {
        byte[] copy = file.clone();
        if (copy.length > 0) {
          copy[random.nextInt(copy.length)] = (byte) random.nextInt(256);
        }
        return copy;
      }
    }
  }

  /** What this thread has allocated on the heap; by name, as the module does not require it. */
  private static long allocatedBytes() throws ReflectiveOperationException {
    Object threads =
        Class.forName("java.lang.management.ManagementFactory")
            .getMethod("getThreadMXBean")
            .invoke(null);
    return (long)
        Class.forName("com.sun.management.ThreadMXBean")
            .getMethod("getCurrentThreadAllocatedBytes")
            .invoke(threads);
  }

  @ParameterizedTest
  @EnumSource(Format.class)
  void isReadOrRefused(Format format) throws ReflectiveOperationException {
    List<byte[]> seeds = seeds().get(format);
    for (byte[] seed : seeds) {
      ReaderTarget.isRefused(format, seed); // classes are loaded
    }
    int refused = 0;
    for (int i = 0; i < FILES; i++) {
      var random = new SplittableRandom(i);
      byte[] file = seeds.get(random.nextInt(seeds.size()));
      for (int n = 1 + random.nextInt(5); n > 0; n--) {
        file = changed(file, seeds, random);
      }
      if (format == Format.IDX && random.nextInt(4) == 0) {
        file = gzip(file);
      }
      String what = format + " of seed " + i + ": " + HexFormat.of().formatHex(file);
      long before = allocatedBytes();
      try {
        refused += ReaderTarget.isRefused(format, file) ? 1 : 0;
      } catch (Throwable other) {
        throw new AssertionError(what + " gave " + other, other);
      }
      // garbage counts too, and an exception has a stack: far above a peak, far below a size that
      // a header claims
      assertThat(allocatedBytes() - before).as(what).isLessThan((512 << 10) + 64L * file.length);
    }
    assertThat(refused).isBetween(FILES / 3, FILES);
  }
}
