package dev.gridstride.io;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.Consumer;

/**
 * Walks over the fields of a CSV text without keeping an index of them: a table of short fields
 * would need many times its size for one.
 */
final class CsvScanner {
  /** Takes one row. */
  @FunctionalInterface
  interface RowConsumer {
    void row(int row, long line, Fields fields);
  }

  /** Most columns; their names would take many times the room that they have in the file. */
  static final int MAX_COLUMNS = 1 << 16;

  /** The fields of the current row; of more than {@link #MAX_COLUMNS} only the number. */
  static final class Fields {
    private final byte[] text;
    private int[] begin = new int[16];
    private int[] end = new int[16];
    private int count;

    private Fields(byte[] text) {
      this.text = text;
    }

    private void add(int from, int to) {
      if (count < MAX_COLUMNS) {
        if (count == begin.length) {
          begin = Arrays.copyOf(begin, 2 * count);
          end = Arrays.copyOf(end, 2 * count);
        }
        begin[count] = from;
        end[count] = to;
      }
      count++;
    }

    /** The text of field {@code i}, without quotes. */
    String text(int i) {
      int from = begin[i];
      int to = end[i];
      if (to - from >= 2 && text[from] == '"') {
        return unquoted(from + 1, to - 1);
      }
      return new String(text, from, to - from, StandardCharsets.UTF_8);
    }

    /** The text between quotes, where each quote is doubled. */
    private String unquoted(int from, int to) {
      int doubled = 0;
      for (int k = from; k < to; k++) {
        if (text[k] == '"') {
          doubled++;
          k++;
        }
      }
      if (doubled == 0) {
        return new String(text, from, to - from, StandardCharsets.UTF_8);
      }
      var inner = new byte[to - from - doubled];
      int n = 0;
      for (int k = from; k < to; k++) {
        inner[n++] = text[k];
        if (text[k] == '"') {
          k++;
        }
      }
      return new String(inner, StandardCharsets.UTF_8);
    }
  }

  private final Path path;
  private final byte[] text;
  private final char separator;
  private final int start;
  private final BitSet left;
  private int bodyAt;
  private long bodyLine;

  CsvScanner(Path path, byte[] text, char separator) {
    this(path, text, separator, new BitSet());
  }

  private CsvScanner(Path path, byte[] text, char separator, BitSet left) {
    this.path = path;
    this.text = text;
    this.separator = separator;
    this.left = left;
    // a byte order mark, which some programs put first
    boolean mark =
        text.length >= 3
            && text[0] == (byte) 0xEF
            && text[1] == (byte) 0xBB
            && text[2] == (byte) 0xBF;
    this.start = mark ? 3 : 0;
  }

  /** The same text without some of this scanner's rows. */
  CsvScanner without(BitSet rows) {
    var all = (BitSet) left.clone();
    int kept = 0;
    for (int i = left.nextClearBit(0); kept < rows.length(); i = left.nextClearBit(i + 1)) {
      if (rows.get(kept++)) {
        all.set(i);
      }
    }
    var out = new CsvScanner(path, text, separator, all);
    out.bodyAt = bodyAt;
    out.bodyLine = bodyLine;
    return out;
  }

  /** Reads the header, checks every row, and returns the number of rows. */
  int header(Consumer<String> names) {
    var fields = new Fields(text);
    var walk = new Walk(start, 1);
    if (!walk.next(fields)) {
      throw new FormatException(path, "line 1", "must have a line of column names");
    }
    if (fields.count > MAX_COLUMNS) {
      throw FormatException.of(
          path,
          "line " + walk.rowLine,
          "must name at most " + MAX_COLUMNS + " columns",
          "columns=%d",
          fields.count);
    }
    for (int i = 0; i < fields.count; i++) {
      names.accept(fields.text(i));
    }
    bodyAt = walk.at;
    bodyLine = walk.line;
    int columns = fields.count;
    int rows = 0;
    while (walk.next(fields)) {
      if (fields.count != columns) {
        throw FormatException.of(
            path,
            "line " + walk.rowLine,
            "must have as many fields as the header",
            "header=%d, found=%d",
            columns,
            fields.count);
      }
      rows++;
    }
    return rows;
  }

  /** Calls {@code body} for each row that is not left out. */
  void rows(RowConsumer body) {
    var fields = new Fields(text);
    var walk = new Walk(bodyAt, bodyLine);
    int given = 0;
    for (int row = 0; walk.next(fields); row++) {
      if (!left.get(row)) {
        body.row(given++, walk.rowLine, fields);
      }
    }
  }

  /** A place in the text. */
  private final class Walk {
    int at;
    long line;
    long rowLine;

    Walk(int at, long line) {
      this.at = at;
      this.line = line;
    }

    /** Reads the next row that is not empty; false at the end. */
    boolean next(Fields fields) {
      while (at < text.length && lineEnd() > 0) {
        at += lineEnd();
        line++;
      }
      if (at >= text.length) {
        return false;
      }
      rowLine = line;
      fields.count = 0;
      while (true) {
        int from = at;
        if (at < text.length && text[at] == '"') {
          quoted();
        } else {
          plain();
        }
        fields.add(from, at);
        if (at < text.length && text[at] == separator) {
          at++;
        } else {
          break;
        }
      }
      at += lineEnd();
      line++;
      return true;
    }

    /** Bytes of the line end here; 0 when there is none. */
    private int lineEnd() {
      if (at < text.length && text[at] == '\n') {
        return 1;
      }
      return at + 1 < text.length && text[at] == '\r' && text[at + 1] == '\n' ? 2 : 0;
    }

    private void plain() {
      while (at < text.length && text[at] != separator && lineEnd() == 0) {
        if (text[at] == '"') {
          throw new FormatException(
              path, "line " + line, "a quote inside a field: the whole field must be quoted");
        }
        at++;
      }
    }

    private void quoted() {
      at++;
      while (true) {
        if (at >= text.length) {
          throw new FormatException(path, "line " + rowLine, "a quoted field has no end");
        }
        if (text[at] == '"') {
          at++;
          if (at >= text.length || text[at] != '"') {
            break;
          }
        } else if (text[at] == '\n') {
          line++;
        }
        at++;
      }
      if (at < text.length && text[at] != separator && lineEnd() == 0) {
        throw new FormatException(
            path, "line " + line, "a separator or line end must follow a quoted field");
      }
    }
  }
}
