package dev.gridstride.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;

/**
 * Writes the unrolled register tiles of {@code dev.gridstride.cpu.vector}: F32Tiles and F64Tiles.
 *
 * <p>Run {@code main} from the repository's {@code kernels} folder after a change here, and commit
 * what it writes; {@link GeneratedSourceTest} fails while the two differ. Tiles stop at 6 rows of 2
 * vectors because the first compiler (C1) runs out of virtual registers at 8: a method that it
 * can't compile with profiling may stay in its slowest form, a hundred times slower, for ever.
 */
public final class TileGenerator {
  static final Path FOLDER = Path.of("src/main/java/dev/gridstride/cpu/vector");

  private static final List<String> OPERANDS =
      List.of(
          "MemorySegment a",
          "long aOff",
          "int[] tab",
          "int tabOff",
          "long aStep",
          "long dA",
          "MemorySegment b",
          "long bOff",
          "long bStep",
          "long bVs",
          "MemorySegment c",
          "long cOff",
          "long ldc",
          "long cVs",
          "MemorySegment init",
          "long initOff",
          "long ldi",
          "long iVs");

  private final String element;
  private final String vector;
  private final StringBuilder out = new StringBuilder();

  private TileGenerator(String element) {
    this.element = element;
    this.vector = element + "Vector";
  }

  /** Writes both files. */
  public static void main(String[] args) throws IOException {
    for (String name : List.of("F32Tiles", "F64Tiles")) {
      Files.writeString(FOLDER.resolve(name + ".java"), source(name));
    }
  }

  /** The text of one generated class. */
  static String source(String name) {
    return new TileGenerator(name.startsWith("F32") ? "Float" : "Double").write(name);
  }

  private String write(String name) {
    String imports =
        element.equals("Float")
            ? """
            import jdk.incubator.vector.FloatVector;
            import jdk.incubator.vector.VectorSpecies;
            """
            : """
            import jdk.incubator.vector.DoubleVector;
            import jdk.incubator.vector.VectorSpecies;
            """;
    out.append("package dev.gridstride.cpu.vector;\n\n");
    out.append("import static dev.gridstride.cpu.Segments.exact;\n\n");
    out.append("import java.lang.foreign.MemorySegment;\n");
    out.append("import java.lang.foreign.ValueLayout;\n");
    out.append("import java.nio.ByteOrder;\n").append(imports).append('\n');
    out.append(
        "/** The %s tiles, unrolled; written by TileGenerator (test tree), not by hand. */\n"
            .formatted(element.equals("Float") ? "f32" : "f64"));
    out.append("final class ").append(name).append(" {\n");
    line(2, "static final VectorSpecies<" + element + "> S = " + vector + ".SPECIES_PREFERRED;");
    line(2, "private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;");
    String layout = "ValueLayout.JAVA_" + element.toUpperCase(Locale.ROOT) + "_UNALIGNED";
    line(2, "private static final ValueLayout.Of" + element + " E = " + layout + ";");
    out.append('\n');
    line(2, "private " + name + "() {}");
    out.append('\n');
    dispatch();
    for (int rows = 1; rows <= Tiles.MAX_ROWS; rows++) {
      for (int vectors = 1; vectors <= Tiles.MAX_VECTORS; vectors++) {
        tile(rows, vectors, true);
        tile(rows, vectors, false);
      }
    }
    for (int vectors = 1; vectors <= Tiles.MAX_VECTORS; vectors++) {
      column(vectors);
    }
    row(false);
    row(true);
    return out.append("}\n").toString();
  }

  private void line(int indent, String text) {
    out.append(" ".repeat(indent)).append(text).append('\n');
  }

  /** The operands that a tile of this form reads. */
  private static List<String> operands(int vectors, boolean table) {
    return OPERANDS.stream()
        .filter(o -> !(table && o.endsWith("aStep")))
        .filter(o -> !(vectors == 1 && o.endsWith("Vs")))
        .toList();
  }

  private void parameters(List<String> operands, String... own) {
    for (String p : own) {
      line(6, p + ",");
    }
    for (int i = 0; i < operands.size(); i++) {
      line(6, operands.get(i) + (i + 1 < operands.size() ? "," : ") {"));
    }
  }

  /** One case of the dispatch, in the layout of google-java-format. */
  private void call(int label, String method, List<String> operands, String... own) {
    var arguments = new ArrayList<>(List.of(own));
    operands.forEach(o -> arguments.add(o.substring(o.indexOf(' ') + 1)));
    String all = method + "(" + String.join(", ", arguments) + ");";
    String head = "case " + label + " ->";
    if (6 + head.length() + 1 + all.length() <= 100) {
      line(6, head + " " + all);
      return;
    }
    line(6, head);
    line(10, method + "(");
    var text = new StringBuilder(" ".repeat(13));
    for (int i = 0; i < arguments.size(); i++) {
      String end = i + 1 < arguments.size() ? "," : ");";
      if (text.length() + 1 + arguments.get(i).length() + end.length() > 100) {
        line(0, text.toString());
        text.setLength(0);
        text.append(" ".repeat(13));
      }
      text.append(' ').append(arguments.get(i)).append(end);
    }
    line(0, text.toString());
  }

  private void dispatch() {
    line(2, "static void tile(");
    parameters(OPERANDS, "int tiles", "int rows", "int vectors", "int runs", "int runLength");
    line(
        4,
        "// a run of one term costs more than a table entry: such tables have tiles of their own");
    line(4, "switch (2 * (2 * rows + vectors) + (runLength == 1 ? 0 : 1)) {");
    for (int rows = 1; rows <= Tiles.MAX_ROWS; rows++) {
      for (int vectors = 1; vectors <= Tiles.MAX_VECTORS; vectors++) {
        call(
            2 * (2 * rows + vectors),
            "table" + rows + "x" + vectors,
            operands(vectors, true),
            "tiles",
            "runs");
        call(
            (2 * (2 * rows + vectors) + 1),
            "runs" + rows + "x" + vectors,
            operands(vectors, false),
            "tiles",
            "runs",
            "runLength");
      }
    }
    line(6, "default -> throw new IllegalArgumentException(rows + \" x \" + vectors);");
    line(4, "}");
    line(2, "}");
  }

  private void tile(int rows, int vectors, boolean table) {
    out.append('\n');
    line(2, "private static void " + (table ? "table" : "runs") + rows + "x" + vectors + "(");
    List<String> operands = operands(vectors, table);
    if (table) {
      parameters(operands, "int tiles", "int runs");
    } else {
      parameters(operands, "int tiles", "int runs", "int runLength");
    }
    segments(operands);
    line(4, "for (int t = 0; t < tiles; t++) {");
    line(6, "long u = bOff;");
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < vectors; j++) {
        String at = place("initOff", i, "ldi", j, "iVs");
        String load = vector + ".fromMemorySegment(S, init, " + at + ", LE)";
        line(6, vector + " c" + i + j + " = " + load + ";");
      }
    }
    line(6, "for (int r = 0; r < runs; r++) {");
    line(8, "long q = aOff + tab[tabOff + r];");
    int indent = 8;
    if (!table) {
      line(8, "for (int s = 0; s < runLength; s++) {");
      indent = 10;
    }
    terms(indent, "u", rows, vectors, "bVs", i -> place("q", i, "dA", 0, ""));
    if (!table) {
      line(indent, "q += aStep;");
    }
    line(indent, "u += bStep;");
    if (!table) {
      line(8, "}");
    }
    line(6, "}");
    sums(6, rows, vectors, "cVs");
    String times = rows == 1 ? "" : rows + " * ";
    line(6, "aOff += " + times + "dA;");
    line(6, "cOff += " + times + "ldc;");
    line(6, "initOff += " + times + "ldi;");
    line(4, "}");
    line(2, "}");
  }

  private void segments(List<String> operands) {
    for (String o : operands) {
      if (o.startsWith("MemorySegment ")) {
        String name = o.substring(o.indexOf(' ') + 1);
        line(4, name + " = exact(" + name + ");");
      }
    }
  }

  /** Tiles of all rows below each other, in one call. */
  private void column(int vectors) {
    int rows = Tiles.MAX_ROWS;
    out.append('\n');
    line(2, "static void column" + vectors + "(");
    List<String> operands =
        OPERANDS.stream()
            .filter(o -> !o.contains("tab") && !o.contains("ini") && !o.endsWith(" ldi"))
            .filter(o -> !o.endsWith("Vs") && !o.endsWith("aStep"))
            .toList();
    parameters(operands, "int tiles", "int k");
    segments(operands);
    if (vectors > 1) {
      line(4, "long vs = S.vectorByteSize();");
    }
    line(4, "for (int t = 0; t < tiles; t++) {");
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < vectors; j++) {
        line(6, vector + " c" + i + j + " = " + vector + ".zero(S);");
      }
    }
    for (int i = 0; i < rows; i++) {
      line(6, "long q" + i + " = " + place("aOff", i, "dA", 0, "") + ";");
    }
    line(6, "long r = bOff;");
    line(6, "for (int p = 0; p < k; p++) {");
    line(8, "long o = " + (element.equals("Float") ? 4 : 8) + "L * p;");
    terms(8, "r", rows, vectors, "vs", i -> "q" + i + " + o");
    line(8, "r += bStep;");
    line(6, "}");
    sums(6, rows, vectors, "vs");
    line(6, "aOff += " + rows + " * dA;");
    line(6, "cOff += " + rows + " * ldc;");
    line(4, "}");
    line(2, "}");
  }

  /** Tiles of all rows and two vectors side by side over packed panels, in one call. */
  private void row(boolean add) {
    int rows = Tiles.MAX_ROWS;
    int vectors = Tiles.MAX_VECTORS;
    int bytes = element.equals("Float") ? 4 : 8;
    out.append('\n');
    line(2, "static void " + (add ? "addRow(" : "row("));
    List<String> operands =
        OPERANDS.stream()
            .filter(o -> !o.contains("tab") && !o.contains("ini") && !o.endsWith(" ldi"))
            .filter(o -> !o.endsWith("Vs") && !o.endsWith("Step") && !o.endsWith(" dA"))
            .toList();
    parameters(operands, "int tiles", "int k");
    segments(operands);
    line(4, "long vs = S.vectorByteSize();");
    line(4, "for (int t = 0; t < tiles; t++) {");
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < vectors; j++) {
        line(6, vector + " c" + i + j + " = " + vector + ".zero(S);");
      }
    }
    line(6, "long q = aOff;");
    line(6, "for (int p = 0; p < k; p++) {");
    terms(8, "bOff", rows, vectors, "vs", i -> i == 0 ? "q" : "q + " + bytes * i);
    line(8, "q += " + bytes * rows + ";");
    line(8, "bOff += " + vectors + " * vs;");
    line(6, "}");
    if (add) {
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < vectors; j++) {
          String at = place("cOff", i, "ldc", j, "vs");
          String old = vector + ".fromMemorySegment(S, c, " + at + ", LE)";
          line(6, "c" + i + j + " = " + old + ".add(c" + i + j + ");");
        }
      }
    }
    sums(6, rows, vectors, "vs");
    line(6, "cOff += " + vectors + " * vs;");
    line(4, "}");
    line(2, "}");
  }

  /** The multiply-adds of one term. */
  private void terms(
      int indent, String b, int rows, int vectors, String step, IntFunction<String> a) {
    for (int j = 0; j < vectors; j++) {
      String at = place(b, 0, "", j, step);
      line(
          indent, vector + " b" + j + " = " + vector + ".fromMemorySegment(S, b, " + at + ", LE);");
    }
    for (int i = 0; i < rows; i++) {
      line(
          indent,
          vector + " a" + i + " = " + vector + ".broadcast(S, a.get(E, " + a.apply(i) + "));");
      for (int j = 0; j < vectors; j++) {
        line(indent, "c" + i + j + " = a" + i + ".fma(b" + j + ", c" + i + j + ");");
      }
    }
  }

  /** Stores a tile. */
  private void sums(int indent, int rows, int vectors, String step) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < vectors; j++) {
        String at = place("cOff", i, "ldc", j, step);
        line(indent, "c" + i + j + ".intoMemorySegment(c, " + at + ", LE);");
      }
    }
  }

  private static String place(String base, int i, String rowStep, int j, String vectorStep) {
    String row = i == 0 ? "" : i == 1 ? " + " + rowStep : " + " + i + " * " + rowStep;
    return base + row + (j == 0 ? "" : " + " + vectorStep);
  }
}
