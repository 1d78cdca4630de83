package dev.gridstride.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Writes the in-register transposes of {@code dev.gridstride.cpu.vector}: F32Transpose and
 * F64Transpose.
 *
 * <p>Run {@code main} from the repository's {@code kernels} folder after a change here, and commit
 * what it writes; {@link GeneratedSourceTest} fails while the two differ. They are unrolled because
 * an array of vectors would be boxed.
 */
public final class TransposeGenerator {
  static final Path FOLDER = Path.of("src/main/java/dev/gridstride/cpu/vector");

  private final boolean wide;
  private final String element;
  private final String vector;
  private final StringBuilder out = new StringBuilder();

  private TransposeGenerator(boolean wide) {
    this.wide = wide;
    this.element = wide ? "Double" : "Float";
    this.vector = element + "Vector";
  }

  /** Writes both files. */
  public static void main(String[] args) throws IOException {
    for (String name : List.of("F32Transpose", "F64Transpose")) {
      Files.writeString(FOLDER.resolve(name + ".java"), source(name));
    }
  }

  /** The text of one generated class. */
  static String source(String name) {
    return new TransposeGenerator(name.startsWith("F64")).write(name);
  }

  private void line(int indent, String text, Object... values) {
    out.append(" ".repeat(indent)).append(text.formatted(values)).append('\n');
  }

  private String write(String name) {
    int largest = wide ? 8 : 16;
    line(0, "package dev.gridstride.cpu.vector;\n");
    line(0, "import static dev.gridstride.cpu.Segments.exact;\n");
    line(0, "import java.lang.foreign.MemorySegment;");
    line(0, "import java.nio.ByteOrder;");
    for (String i : wide ? List.of("DoubleVector") : List.of("FloatVector")) {
      line(0, "import jdk.incubator.vector.%s;", i);
    }
    line(0, "import jdk.incubator.vector.VectorMask;");
    line(0, "import jdk.incubator.vector.VectorShuffle;");
    line(0, "import jdk.incubator.vector.VectorSpecies;\n");
    line(0, "/**");
    String type = wide ? "f64" : "f32";
    line(
        0,
        " * Transposes square blocks of %s in registers: rounds of pairwise exchange, after each of"
            + " which",
        type);
    line(0, " * blocks of twice the size are transposed. Written by TransposeGenerator.");
    line(0, " */");
    line(0, "final class %s {", name);
    line(2, "private static final VectorSpecies<%s> S = %s.SPECIES_PREFERRED;", element, vector);
    line(2, "private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;");
    line(2, "private static final int LANES = S.length();\n");
    for (int d = 1; d < largest; d *= 2) {
      line(2, "private static final VectorShuffle<%s> X%d =", element, d);
      line(6, "VectorShuffle.fromOp(S, i -> (i ^ %d) & (LANES - 1));", d);
    }
    out.append('\n');
    for (int d = 1; d < largest; d *= 2) {
      long bits = 0;
      for (int i = 0; i < largest; i++) {
        bits |= (i & d) != 0 ? 1L << i : 0;
      }
      String hex = "0x%X".formatted(bits).toUpperCase(Locale.ROOT).replace('X', 'x');
      line(
          2,
          "private static final VectorMask<%s> K%d = VectorMask.fromLong(S, %s & mask());",
          element,
          d,
          hex);
    }
    out.append('\n');
    line(2, "private %s() {}\n", name);
    line(2, "private static long mask() {");
    line(4, "return (1L << LANES) - 1;");
    line(2, "}\n");
    line(2, "/**");
    line(
        2,
        " * Element j of row i goes to element i of row j, for a block of LANES rows and columns.");
    line(2, " *");
    line(
        2, " * @param n rows that exist, at least 1; the last of them stands for the missing ones");
    line(2, " * @param ld distance of rows in bytes");
    line(2, " * @param step distance in bytes of the rows that are written");
    line(2, " */");
    line(2, "static void block(");
    line(
        6,
        "MemorySegment from, long off, long ld, int n, MemorySegment to, long toOff, long step) {");
    line(4, "switch (LANES) {");
    for (int lanes = wide ? 2 : 4; lanes <= largest; lanes *= 2) {
      line(6, "case %d -> block%d(from, off, ld, n - 1, to, toOff, step);", lanes, lanes);
    }
    line(6, "default -> throw new IllegalStateException(\"lanes \" + LANES);");
    line(4, "}");
    line(2, "}\n");
    line(
        2,
        "private static %s row(MemorySegment from, long off, long ld, int last, int i) {",
        vector);
    line(4, "return %s.fromMemorySegment(S, from, off + Math.min(i, last) * ld, LE);", vector);
    line(2, "}");
    for (int lanes = wide ? 2 : 4; lanes <= largest; lanes *= 2) {
      block(lanes);
    }
    six(largest);
    line(0, "}");
    return out.toString();
  }

  private void block(int lanes) {
    out.append('\n');
    line(2, "private static void block%d(", lanes);
    line(
        6,
        "MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff, long step)"
            + " {");
    char now = rounds(lanes);
    for (int i = 0; i < lanes; i++) {
      line(4, "%c%d.intoMemorySegment(to, %s, LE);", now, i, place(i));
    }
    line(2, "}");
  }

  private static String place(int i) {
    return i == 0 ? "toOff" : i == 1 ? "toOff + step" : "toOff + " + i + " * step";
  }

  /** Loads this many rows and exchanges until they are transposed; returns the names' letter. */
  private char rounds(int rows) {
    line(4, "from = exact(from);");
    line(4, "to = exact(to);");
    for (int i = 0; i < rows; i++) {
      line(4, "%s a%d = row(from, off, ld, last, %d);", vector, i, i);
    }
    char now = 'a';
    for (int d = 1; d < rows; d *= 2) {
      char next = (char) (now + 1);
      for (int i = 0; i < rows; i++) {
        if ((i & d) == 0) {
          int j = i | d;
          String even = "%s %c%d = %c%d.blend(%c%d.rearrange(X%d), K%d);";
          line(4, even, vector, next, i, now, i, now, j, d, d);
          String odd = "%s %c%d = %c%d.rearrange(X%d).blend(%c%d, K%d);";
          line(4, odd, vector, next, j, now, i, d, now, j, d);
        }
      }
      now = next;
    }
    return now;
  }

  /** Transposes of six rows for panels of A, for each number of lanes. */
  private void six(int largest) {
    int e = wide ? 8 : 4;
    String parameters =
        "MemorySegment from, long off, long ld, int n, MemorySegment to, long toOff";
    out.append('\n');
    line(2, "/**");
    line(
        2,
        " * Transposes six rows of LANES columns to LANES dense rows of six. Writes past the end,"
            + " up to a");
    line(2, " * vector, to be overwritten by what follows.");
    line(2, " *");
    line(2, " * @param n rows that exist, 1 to 6; the last of them stands for the missing ones");
    line(2, " */");
    line(2, "static void six(" + parameters + ") {");
    line(4, "switch (LANES) {");
    for (int lanes = wide ? 2 : 4; lanes <= largest; lanes *= 2) {
      line(6, "case %d -> six%d(from, off, ld, n - 1, to, toOff);", lanes, lanes);
    }
    line(6, "default -> throw new IllegalStateException(\"lanes \" + LANES);");
    line(4, "}");
    line(2, "}");
    parameters = parameters.replace("int n", "int last");
    for (int lanes = wide ? 2 : 4; lanes <= largest; lanes *= 2) {
      out.append('\n');
      line(2, "private static void six%d(", lanes);
      line(6, parameters + ") {");
      if (lanes < 8) {
        // later rows first: each store runs over the next column's first rows
        for (int first = 6 / lanes * lanes; first >= 0; first -= lanes) {
          if (first < 6) {
            String at = first == 0 ? "off" : "off + Math.min(%d, last) * ld".formatted(first);
            String left = first == 0 ? "last" : "Math.max(0, last - %d)".formatted(first);
            String to = first == 0 ? "toOff" : "toOff + " + first * e;
            line(4, "block%d(from, %s, ld, %s, to, %s, %d);", lanes, at, left, to, 6 * e);
          }
        }
      } else if (lanes == 8) {
        line(4, "block8(from, off, ld, last, to, toOff, %d);", 6 * e);
      } else {
        line(4, "long step = %d;", 6 * e);
        char now = rounds(8);
        for (int i = 0; i < 16; i++) {
          String half = i < 8 ? "" : ".rearrange(X8)";
          line(4, "%c%d%s.intoMemorySegment(to, %s, LE);", now, i % 8, half, place(i));
        }
      }
      line(2, "}");
    }
  }
}
