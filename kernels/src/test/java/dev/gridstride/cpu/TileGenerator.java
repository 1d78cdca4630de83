package dev.gridstride.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;

/**
 * Writes the unrolled register tiles of {@code dev.gridstride.cpu.vector}: F32Tiles and F64Tiles,
 * and the pairs of tiles in F32TallTiles and F64TallTiles.
 *
 * <p>Run {@code main} from the repository's {@code kernels} folder after a change here, and commit
 * what it writes; {@link GeneratedSourceTest} fails while the two differ.
 */
public final class TileGenerator {
  /** All that is written. */
  static final List<String> CLASSES =
      List.of("F32Tiles", "F32TallTiles", "F64Tiles", "F64TallTiles");

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
  private final boolean tall;
  private final StringBuilder out = new StringBuilder();

  private TileGenerator(String element, boolean tall) {
    this.element = element;
    this.tall = tall;
    this.vector = element + "Vector";
  }

  /** Writes both files. */
  public static void main(String[] args) throws IOException {
    for (String name : CLASSES) {
      Files.writeString(FOLDER.resolve(name + ".java"), source(name));
    }
  }

  /** The text of one generated class. */
  static String source(String name) {
    String element = name.startsWith("F32") ? "Float" : "Double";
    return new TileGenerator(element, name.endsWith("TallTiles")).write(name);
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
    out.append("import static dev.gridstride.cpu.Segments.exact;\n");
    for (String member : List.of(carried(), "mixed")) {
      out.append("import static dev.gridstride.cpu.vector.Carried." + member + ";\n");
    }
    if (tall) {
      for (String handle : List.of("_LOAD", "_SPLAT", "_STORE")) {
        String field = type().toUpperCase(Locale.ROOT) + handle;
        out.append("import static dev.gridstride.cpu.vector.TallOperands." + field + ";\n");
      }
    }
    out.append('\n');
    out.append("import java.lang.foreign.MemorySegment;\n");
    if (!tall) {
      out.append("import java.lang.foreign.ValueLayout;\n");
    }
    out.append("import java.nio.ByteOrder;\n").append(imports).append('\n');
    out.append(
        tall
            ? """
            /**
             * The %s tiles for 32 vector registers: two tiles below each other as one, so that each vector of
             * B is read for twice as many multiply-adds, and a term takes fewer other instructions than a core
             * starts beside them. {@link TallOperands} says how they read. Written by TileGenerator (test
             * tree), not by hand.
             */
            """
                .formatted(type())
            : "/** The %s tiles, unrolled; written by TileGenerator (test tree), not by hand. */\n"
                .formatted(type()));
    out.append("final class ").append(name).append(" {\n");
    if (tall) {
      line(2, "/** Whether this machine's vectors are those of which there are 32. */");
      line(2, "static final boolean FIT = " + plain() + ".S.vectorBitSize() == 512;");
      out.append('\n');
      line(2, "private static final VectorSpecies<" + element + "> S = " + plain() + ".S;");
    } else {
      line(2, "static final VectorSpecies<" + element + "> S = " + vector + ".SPECIES_PREFERRED;");
    }
    line(2, "private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;");
    if (!tall) {
      String layout = "ValueLayout.JAVA_" + element.toUpperCase(Locale.ROOT) + "_UNALIGNED";
      line(2, "private static final ValueLayout.Of" + element + " E = " + layout + ";");
    }
    out.append('\n');
    line(2, "private " + name + "() {}");
    out.append('\n');
    if (tall) {
      pairs();
    } else {
      tiles();
    }
    row();
    return out.append("}\n").toString();
  }

  private void tiles() {
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
  }

  private void pairs() {
    dispatchPairs();
    for (int rows = Tiles.LEAST_OF_PAIR; rows <= Tiles.MAX_ROWS; rows++) {
      tile(2 * rows, Tiles.MAX_VECTORS, true);
      tile(2 * rows, Tiles.MAX_VECTORS, false);
    }
  }

  /** The class of the tiles that pairs are made of. */
  private String plain() {
    return element.equals("Float") ? "F32Tiles" : "F64Tiles";
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

  private void parameters(String end, List<String> operands, String... own) {
    for (String p : own) {
      line(6, p + ",");
    }
    for (int i = 0; i < operands.size(); i++) {
      line(6, operands.get(i) + (i + 1 < operands.size() ? "," : end));
    }
  }

  private void parameters(List<String> operands, String... own) {
    parameters(") {", operands, own);
  }

  /** One case of the dispatch, in the layout of google-java-format. */
  private void call(int indent, int label, String method, List<String> operands, String... own) {
    var arguments = new ArrayList<>(List.of(own));
    operands.forEach(o -> arguments.add(o.substring(o.indexOf(' ') + 1)));
    String all = method + "(" + String.join(", ", arguments) + ");";
    String head = "case " + label + " ->";
    if (indent + head.length() + 1 + all.length() <= 100) {
      line(indent, head + " " + all);
      return;
    }
    line(indent, head);
    invoke(indent + 4, method + "(", arguments);
  }

  /** A call that doesn't fit one line. */
  private void invoke(int indent, String head, List<String> arguments) {
    line(indent, head);
    String margin = " ".repeat(indent + 3);
    var text = new StringBuilder(margin);
    for (int i = 0; i < arguments.size(); i++) {
      String end = i + 1 < arguments.size() ? "," : ");";
      if (text.length() + 1 + arguments.get(i).length() + end.length() > 100) {
        line(0, text.toString());
        text.setLength(0);
        text.append(margin);
      }
      text.append(' ').append(arguments.get(i)).append(end);
    }
    line(0, text.toString());
  }

  private void dispatch() {
    line(2, "static void tile(");
    parameters(OPERANDS, "int tiles", "int rows", "int vectors", "int runs", "int runLength");
    String pairs = plain().replace("Tiles", "TallTiles");
    line(
        4,
        "if ("
            + pairs
            + ".FIT && tiles > 1 && vectors == 2 && rows >= "
            + Tiles.LEAST_OF_PAIR
            + ") {");
    line(6, "int done = tiles / 2 * 2;");
    var arguments = new ArrayList<>(List.of("done / 2", "rows", "runs", "runLength"));
    OPERANDS.forEach(o -> arguments.add(o.substring(o.indexOf(' ') + 1)));
    invoke(6, pairs + ".tile(", arguments);
    line(6, "if (done == tiles) {");
    line(8, "return;");
    line(6, "}");
    line(6, "tiles -= done;");
    line(6, "long moved = (long) done * rows;");
    line(6, "aOff += moved * dA;");
    line(6, "cOff += moved * ldc;");
    line(6, "initOff += moved * ldi;");
    line(4, "}");
    line(
        4,
        "// a run of one term costs more than a table entry: such tables have tiles of their own");
    line(4, "switch (2 * (2 * rows + vectors) + (runLength == 1 ? 0 : 1)) {");
    for (int rows = 1; rows <= Tiles.MAX_ROWS; rows++) {
      for (int vectors = 1; vectors <= Tiles.MAX_VECTORS; vectors++) {
        call(
            6,
            2 * (2 * rows + vectors),
            "table" + rows + "x" + vectors,
            operands(vectors, true),
            "tiles",
            "runs");
        call(
            6,
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

  private void dispatchPairs() {
    line(
        2,
        "/** Pairs of tiles of {@code rows} rows and two vectors, as {@code Tiles} has them. */");
    line(2, "static void tile(");
    parameters(OPERANDS, "int pairs", "int rows", "int runs", "int runLength");
    line(4, "try {");
    line(6, "switch (2 * rows + (runLength == 1 ? 0 : 1)) {");
    for (int rows = Tiles.LEAST_OF_PAIR; rows <= Tiles.MAX_ROWS; rows++) {
      String name = 2 * rows + "x" + Tiles.MAX_VECTORS;
      call(8, 2 * rows, "table" + name, operands(2, true), "pairs", "runs");
      call(8, 2 * rows + 1, "runs" + name, operands(2, false), "pairs", "runs", "runLength");
    }
    line(8, "default -> throw new IllegalArgumentException(String.valueOf(rows));");
    line(6, "}");
    rethrow();
    line(2, "}");
  }

  private void rethrow() {
    line(4, "} catch (Throwable e) {");
    line(6, "throw TallOperands.unchecked(e);");
    line(4, "}");
  }

  private void tile(int rows, int vectors, boolean table) {
    out.append('\n');
    line(2, "private static void " + (table ? "table" : "runs") + rows + "x" + vectors + "(");
    List<String> operands = operands(vectors, table);
    if (table) {
      parameters(end(), operands, "int tiles", "int runs");
    } else {
      parameters(end(), operands, "int tiles", "int runs", "int runLength");
    }
    segments(operands);
    line(4, "for (int t = 0; t < tiles; t++) {");
    line(6, "long u = bOff;");
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < vectors; j++) {
        line(6, vector + " c" + i + j + " = " + init(i, j) + ";");
      }
    }
    line(6, "for (int r = 0; r < runs; r++) {");
    line(8, "long q = aOff + tab[tabOff + r];");
    int indent = 8;
    if (!table) {
      line(8, "for (int s = 0; s < runLength; s++) {");
      indent = 10;
    }
    terms(indent, "u", rows, vectors, "bVs", i -> term("q", i));
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

  /** How the head of a method ends; tall ones call method handles. */
  private String end() {
    return tall ? ")\n      throws Throwable {" : ") {";
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
    terms(8, "r", rows, vectors, "vs", i -> broadcast("q" + i + " + o"));
    line(8, "r += bStep;");
    line(6, "}");
    sums(6, rows, vectors, "vs");
    line(6, "aOff += " + rows + " * dA;");
    line(6, "cOff += " + rows + " * ldc;");
    line(4, "}");
    line(2, "}");
  }

  /** Tiles of all rows and two vectors side by side over packed panels, in one call. */
  private void row() {
    int rows = tall ? 2 * Tiles.MAX_ROWS : Tiles.MAX_ROWS;
    int vectors = Tiles.MAX_VECTORS;
    int bytes = element.equals("Float") ? 4 : 8;
    out.append('\n');
    List<String> operands =
        OPERANDS.stream()
            .filter(o -> !o.contains("tab") && !o.contains("ini") && !o.endsWith(" ldi"))
            .filter(o -> !o.endsWith("Vs") && !o.endsWith("Step") && !o.endsWith(" dA"))
            .toList();
    line(2, "static void row(");
    parameters(operands, "int tiles", "int k");
    if (tall) {
      var arguments = new ArrayList<>(List.of("tiles", "k"));
      operands.forEach(o -> arguments.add(o.substring(o.indexOf(' ') + 1)));
      line(4, "try {");
      line(6, "row" + rows + "(" + String.join(", ", arguments) + ");");
      rethrow();
      line(2, "}");
      out.append('\n');
      line(2, "private static void row" + rows + "(");
      parameters(end(), operands, "int tiles", "int k");
    }
    segments(operands);
    line(4, "long vs = S.vectorByteSize();");
    if (tall) {
      line(4, "long next = " + bytes * Tiles.MAX_ROWS + "L * k;");
    }
    line(4, vector + " zero = " + vector + ".zero(S);");
    line(4, "for (int t = 0; t < tiles; t++) {");
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < vectors; j++) {
        line(6, vector + " c" + i + j + " = zero;");
      }
    }
    line(6, "long q = aOff;");
    line(6, "for (int p = 0; p < k; p++) {");
    terms(8, "bOff", rows, vectors, "vs", i -> inPanel(i, bytes));
    line(8, "q += " + bytes * Tiles.MAX_ROWS + ";");
    line(8, "bOff += " + vectors + " * vs;");
    line(6, "}");
    sums(6, rows, vectors, "vs");
    line(6, "cOff += " + vectors + " * vs;");
    line(4, "}");
    line(2, "}");
  }

  /** The first summand of a row and a vector of a tile. */
  private String init(int i, int j) {
    return tall
        ? operand("LOAD", "init, initOff, " + i + ", ldi, " + j + ", iVs")
        : load("init", place("initOff", i, "ldi", j, "iVs"));
  }

  /** A row's element of A in all lanes. */
  private String term(String q, int row) {
    return tall
        ? operand("SPLAT", "a, " + q + ", 0, 0L, " + row + ", dA")
        : broadcast(place(q, row, "dA", 0, ""));
  }

  /** The same from packed panels: the second panel follows the first. */
  private String inPanel(int row, int bytes) {
    int panel = row / Tiles.MAX_ROWS;
    int i = row % Tiles.MAX_ROWS;
    return tall
        ? operand("SPLAT", "a, q, " + panel + ", next, " + i + ", " + bytes + "L")
        : broadcast(row == 0 ? "q" : "q + " + bytes * row);
  }

  private String operand(String handle, String arguments) {
    return "(%s) %s_%s.invokeExact(%s)"
        .formatted(vector, type().toUpperCase(Locale.ROOT), handle, arguments);
  }

  private String load(String segment, String at) {
    return vector + ".fromMemorySegment(S, " + segment + ", " + at + ", LE)";
  }

  private String broadcast(String at) {
    return vector + ".broadcast(S, a.get(E, " + at + "))";
  }

  /** The constant of the sums' class. */
  private String carried() {
    return element.toUpperCase(Locale.ROOT) + "S";
  }

  private String type() {
    return element.equals("Float") ? "f32" : "f64";
  }

  /** The multiply-adds of one term. */
  private void terms(
      int indent, String b, int rows, int vectors, String step, IntFunction<String> a) {
    known(indent, rows, vectors);
    for (int j = 0; j < vectors; j++) {
      String at = place(b, 0, "", j, step);
      line(
          indent, vector + " b" + j + " = " + vector + ".fromMemorySegment(S, b, " + at + ", LE);");
    }
    for (int i = 0; i < rows; i++) {
      line(indent, vector + " a" + i + " = " + a.apply(i) + ";");
      for (int j = 0; j < vectors; j++) {
        line(indent, "c" + i + j + " = a" + i + ".fma(b" + j + ", c" + i + j + ");");
      }
    }
  }

  /** Tells C2 the class of the sums that come from the term before: see {@code Carried}. */
  private void known(int indent, int rows, int vectors) {
    var tests = new ArrayList<String>();
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < vectors; j++) {
        tests.add("c" + i + j + ".getClass() != " + carried());
      }
    }
    String head = "if (" + String.join(" || ", tests) + ") {";
    if (indent + head.length() <= 100) {
      line(indent, head);
    } else {
      String margin = "\n" + " ".repeat(indent + 4) + "|| ";
      line(indent, "if (" + String.join(margin, tests) + ") {");
    }
    line(indent + 2, "throw mixed();");
    line(indent, "}");
  }

  /** Stores a tile. */
  private void sums(int indent, int rows, int vectors, String step) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < vectors; j++) {
        line(indent, store("c" + i + j, i, j, step) + ";");
      }
    }
  }

  private String store(String sum, int i, int j, String step) {
    return tall
        ? "%s_STORE.invokeExact(%s, c, cOff, %d, ldc, %d, %s)"
            .formatted(type().toUpperCase(Locale.ROOT), sum, i, j, step)
        : sum + ".intoMemorySegment(c, " + place("cOff", i, "ldc", j, step) + ", LE)";
  }

  private static String place(String base, int i, String rowStep, int j, String vectorStep) {
    String row = i == 0 ? "" : i == 1 ? " + " + rowStep : " + " + i + " * " + rowStep;
    return base + row + (j == 0 ? "" : " + " + vectorStep);
  }
}
