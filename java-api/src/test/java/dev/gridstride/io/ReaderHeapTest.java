package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.Scope;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.io.BufferedOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A reader takes at most four times the size of a file on the heap, beside a fixed part of 16 MiB,
 * for valid files and for those that are made to need more: read in a JVM that has no more.
 */
@Tag("vector-only") // a JVM of its own: once is enough
final class ReaderHeapTest {
  /** Bytes of a file: the fixed part must not hide what grows with it. */
  private static final int SIZE = 8 << 20;

  private static final int FIXED = 16 << 20;

  @TempDir Path folder;

  /** Writes a file of about {@link #SIZE} bytes. */
  private interface Contents {
    void to(OutputStream out) throws IOException;
  }

  private static byte[] ascii(String s) {
    return s.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static Contents repeated(String begin, String text, String end) {
    return out -> {
      out.write(ascii(begin));
      byte[] once = ascii(text);
      for (int n = begin.length() + end.length(); n < SIZE; n += once.length) {
        out.write(once);
      }
      out.write(ascii(end));
    };
  }

  /** Numbered pieces of text. */
  private interface Numbered {
    String text(int i);
  }

  private static Contents numbered(String begin, Numbered text, String end) {
    return out -> {
      out.write(ascii(begin));
      int n = begin.length() + end.length();
      for (int i = 0; n < SIZE; i++) {
        byte[] next = ascii(text.text(i));
        out.write(next);
        n += next.length;
      }
      out.write(ascii(end));
    };
  }

  /** A safetensors file of a header and nothing else; spaces fill the header up. */
  private static Contents header(Contents json) {
    return out -> {
      var length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      int[] written = {0};
      var counting =
          new OutputStream() {
            @Override
            public void write(int b) throws IOException {
              out.write(b);
              written[0]++;
            }
          };
      int padded = SIZE + (1 << 20);
      out.write(length.putLong(padded).array());
      json.to(counting);
      while (written[0] < padded) {
        counting.write(' ');
      }
    };
  }

  private static Contents npy(String dict) {
    byte[] text = ascii(dict + "\n");
    return out -> {
      out.write(ascii("\u0093NUMPY\u0001\u0000"));
      out.write(new byte[] {(byte) text.length, (byte) (text.length >> 8)});
      out.write(text);
      out.write(new byte[SIZE]);
    };
  }

  private static Contents wav(int bits) {
    return out -> {
      var header = ByteBuffer.allocate(44).order(ByteOrder.LITTLE_ENDIAN);
      header.put(ascii("RIFF")).putInt(36 + SIZE).put(ascii("WAVEfmt ")).putInt(16);
      header.putShort((short) 1).putShort((short) 1).putInt(8000).putInt(8000 * bits / 8);
      header.putShort((short) (bits / 8)).putShort((short) bits).put(ascii("data")).putInt(SIZE);
      out.write(header.array());
      out.write(new byte[SIZE]);
    };
  }

  private static Contents idx(int type, long count, int data) {
    return out -> {
      out.write(new byte[] {0, 0, (byte) type, 1});
      out.write(ByteBuffer.allocate(4).putInt((int) count).array());
      out.write(new byte[data]);
    };
  }

  private static Contents gzip(Contents plain) {
    return out -> {
      var packed = new GZIPOutputStream(out, 1 << 16);
      plain.to(packed);
      packed.finish();
    };
  }

  private record Case(String name, boolean valid, Contents contents) {}

  private static final String TENSOR =
      "\"%s\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},";

  private static String last(String name) {
    return TENSOR.formatted(name).replace("]},", "]}}");
  }

  private static List<Case> cases() {
    String dims = "0" + ",0".repeat(63);
    return List.of(
        new Case(
            "f4.npy", true, npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2097152,), }")),
        new Case(
            "huge.npy",
            false,
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }")),
        new Case("cifar10.bin", true, out -> out.write(new byte[SIZE / 3073 * 3073])),
        new Case("u8.wav", true, wav(8)),
        new Case("s16.wav", true, wav(16)),
        new Case("chunks.wav", false, repeated("RIFF....WAVE", "junk\0\0\0\0", "")),
        new Case("u8.idx", true, idx(8, SIZE, SIZE)),
        new Case("i8.idx", true, idx(9, SIZE, SIZE)),
        new Case("huge.idx", false, idx(8, 0xFFFFFFFFL, SIZE)),
        new Case("packed.idx", true, gzip(idx(8, 100 << 20, 100 << 20))),
        new Case("claims.idx", false, gzip(idx(8, 0xFFFFFFFFL, SIZE))),
        new Case("numbers.csv", true, repeated("a,b\n", "1.5,-2e3\n", "")),
        new Case("narrow.csv", true, repeated("a\n", "1\n", "")),
        new Case("columns.csv", false, numbered("", i -> i + ",", "x\n1\n")),
        new Case("commas.csv", false, repeated("a", ",", "\n")),
        new Case("row.csv", false, repeated("a\n", "1,", "\n")),
        new Case("name.csv", true, repeated("", "long", "\n")),
        new Case("names.csv", false, repeated("a\n1\n", "x\n", "y,z\n")),
        new Case("field.csv", false, repeated("a\n", "long", "\n")),
        new Case("digits.csv", true, repeated("a\n0.", "1234", "\n")),
        new Case("quote.csv", false, repeated("a\n\"", "long", "\n")),
        new Case("quotes.csv", false, repeated("a\n\"", "\"\"", "\"\n")),
        new Case("classes.csv", false, numbered("a\n", i -> "c" + i + "\n", "")),
        new Case(
            "many.safetensors",
            true,
            header(numbered("{", i -> TENSOR.formatted(Integer.toString(i, 36)), last("x.")))),
        new Case(
            "ranks.safetensors",
            true,
            header(
                numbered(
                    "{",
                    i -> TENSOR.formatted(Integer.toString(i, 36)).replace("[0]", "[" + dims + "]"),
                    last("x.")))),
        new Case(
            "metadata.safetensors",
            false,
            header(
                numbered(
                    "{\"__metadata__\":{",
                    i -> "\"" + Integer.toString(i, 36) + "\":\"\",",
                    "\"x.\":\"\"}}"))),
        new Case(
            "name.safetensors",
            true,
            header(repeated("{\"", "\u00c3\u00a9", last("").substring(1)))),
        new Case(
            "long.safetensors",
            false,
            header(out -> {
              repeated("{\"", "long", "").to(out);
              out.write(ascii("longer\":{}}"));
            })),
        new Case("spaces.safetensors", true, header(repeated("{", "    ", "}"))),
        new Case("deep.safetensors", false, header(repeated("{", "{\"a\":", "}"))));
  }

  /** Reads the files that are its arguments; run in a JVM of its own. */
  static final class Program {
    private Program() {}

    /** Says of each whether it was read or refused. */
    public static void main(String[] files) {
      for (String file : files) {
        String said;
        try {
          read(Path.of(file));
          said = "read";
        } catch (FormatException e) {
          said = "refused";
        } catch (OutOfMemoryError e) {
          said = "took too much memory";
        }
        System.out.println(Path.of(file).getFileName() + " " + said);
      }
    }

    private static void read(Path file) {
      Device cpu = Device.cpu();
      String name = file.getFileName().toString();
      try (Scope scope = Scope.open()) {
        switch (name.substring(name.lastIndexOf('.') + 1)) {
          case "npy" -> Npy.read(cpu, file);
          case "idx" -> Idx.read(cpu, file);
          case "wav" -> Wav.read(cpu, file);
          case "bin" -> Cifar10.read(cpu, List.of(file));
          case "csv" -> {
            Csv table = Csv.read(file);
            if (name.equals("classes.csv")) {
              table.classes(cpu, "a");
            } else {
              table.numeric(cpu, DType.F32, table.names());
              table.withMissing("1").dropMissing();
            }
          }
          case "safetensors" -> {
            try (var opened = Safetensors.open(file)) {
              opened.names();
              opened.metadata();
            }
          }
          default -> throw new AssertionError(name);
        }
      }
    }
  }

  /** The folder or jar that a class was loaded from. */
  private static Path classes(Class<?> of) throws URISyntaxException {
    String file = of.getName().substring(of.getPackageName().length() + 1) + ".class";
    URI uri = of.getResource(file).toURI();
    if (uri.getScheme().equals("jar")) { // as another module's classes once it is packaged
      String inside = uri.getRawSchemeSpecificPart();
      return Path.of(URI.create(inside.substring(0, inside.indexOf("!/"))));
    }
    Path at = Path.of(uri);
    for (int up = of.getName().split("\\.").length; up > 0; up--) {
      at = at.getParent();
    }
    return at;
  }

  @Test
  @Timeout(600) // half a minute, more on a busy machine
  void fourTimesTheFileIsEnough() throws IOException, InterruptedException, URISyntaxException {
    List<Case> cases = cases();
    var command =
        new ArrayList<String>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx" + (FIXED + 4L * (SIZE + (1 << 20))),
                "-Xmn4m", // the rest is for what lives longer
                "-cp",
                // what comes first here too, as a changed class; a module's path is not in it
                System.getProperty("java.class.path")
                    + File.pathSeparator
                    + classes(Device.class)
                    + File.pathSeparator
                    + classes(Npy.class)
                    + File.pathSeparator
                    + classes(ReaderHeapTest.class),
                Program.class.getName()));
    for (Case c : cases) {
      Path file = folder.resolve(c.name);
      try (var out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
        c.contents.to(out);
      }
      command.add(file.toString());
    }
    Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
    List<String> said;
    try (var output = child.inputReader(StandardCharsets.UTF_8)) {
      said = output.lines().toList();
    }
    assertThat(child.waitFor()).as("%s", said).isZero();
    assertThat(said)
        .containsAll(cases.stream().map(c -> c.name + (c.valid ? " read" : " refused")).toList());
  }
}
