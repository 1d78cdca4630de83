package dev.gridstride.io;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * A table in a text file: a line of column names, then lines of as many fields (RFC 4180).
 *
 * <p>Fields are separated by a comma or a character of choice and may be quoted; a quoted field may
 * hold separators, line ends and doubled quotes. Lines end with LF or CRLF; empty lines are left
 * out. The text is UTF-8. The file's bytes are kept, columns are converted when they are asked for.
 * Immutable.
 */
public final class Csv {
  /** Most classes of a class column; more means that the column is not one of classes. */
  private static final int MAX_CLASSES = 1 << 16;

  /**
   * A column of class names as numbers.
   *
   * @param labels i64 [rows]: each row's index in {@code names}
   * @param names the different values, sorted
   */
  public record Classes(Tensor labels, List<String> names) {
    /** Copies the names. */
    public Classes {
      names = List.copyOf(names);
    }
  }

  private final Path path;
  private final CsvScanner scanner;
  private final List<String> names;
  private final Set<String> missing;
  private final int rows;

  private Csv(Path path, CsvScanner scanner, List<String> names, Set<String> missing, int rows) {
    this.path = path;
    this.scanner = scanner;
    this.names = names;
    this.missing = missing;
    this.rows = rows;
  }

  /** As {@link #read(Path, char)} with a comma. */
  public static Csv read(Path path) {
    return read(path, ',');
  }

  /**
   * Reads and checks a table.
   *
   * @param separator an ASCII character, as {@code ','}, {@code ';'} or a tab
   * @throws FormatException when it is not UTF-8, lacks a header, names a column twice or more than
   *     65,536 columns, has an open quote, or a line has more or fewer fields than the header
   * @throws FileException when the file can't be read
   */
  public static Csv read(Path path, char separator) {
    if (separator >= 0x7F || separator == '"' || separator == '\n' || separator == '\r') {
      throw InvalidArgumentException.of(
          "csv.read",
          "separator",
          "must be an ASCII character other than a quote or line end",
          "separator=%d",
          (int) separator);
    }
    return read(path, MappedFile.readAll(path), separator);
  }

  static Csv read(Path path, byte[] text, char separator) {
    int broken = Utf8.firstInvalid(text, 0, text.length);
    if (broken >= 0) {
      throw new FormatException(path, "byte " + broken, "must be UTF-8");
    }
    var scanner = new CsvScanner(path, text, separator);
    var names = new LinkedHashSet<String>();
    int rows =
        scanner.header(name -> {
          if (!names.add(name)) {
            throw FormatException.of(
                path, "header", "must name each column once", "twice \"%s\"", shortened(name));
          }
        });
    return new Csv(path, scanner, List.copyOf(names), Set.of(), rows);
  }

  /**
   * The same table with these texts, as {@code "NA"} or {@code ""}, read as NaN in numeric columns.
   */
  public Csv withMissing(String... texts) {
    return new Csv(path, scanner, names, Set.copyOf(Arrays.asList(texts)), rows);
  }

  /** The column names in the file's order. */
  public List<String> names() {
    return names;
  }

  /** Number of lines after the header. */
  public int rows() {
    return rows;
  }

  /** The column names without {@code left}: what remains when the target column is taken away. */
  public List<String> namesWithout(String... left) {
    var rest = new ArrayList<>(names);
    for (String name : left) {
      column(name);
      rest.remove(name);
    }
    return rest;
  }

  /**
   * Columns of decimal numbers as a tensor [rows, columns.size()].
   *
   * @param dtype a floating type
   * @throws FormatException when a field is neither a number nor a missing value; names the line
   * @throws InvalidArgumentException when there is no such column
   */
  public Tensor numeric(Device device, DType dtype, List<String> columns) {
    if (!dtype.isFloating()) {
      throw InvalidArgumentException.of(
          "csv.numeric", "dtype", "must be a floating type", "dtype=%s", dtype);
    }
    int[] target = new int[names.size()];
    Arrays.fill(target, -1);
    for (int i = 0; i < columns.size(); i++) {
      int c = column(columns.get(i));
      if (target[c] >= 0) {
        throw InvalidArgumentException.of(
            "csv.numeric", "columns", "must name each column once", "columns=%s", columns);
      }
      target[c] = i;
    }
    Tensor x = Tensor.empty(device, dtype, rows, columns.size());
    boolean done = false;
    try (var out = new NumberSink(x)) {
      var line = new double[columns.size()];
      scanner.rows((row, lineNumber, fields) -> {
        for (int c = 0; c < target.length; c++) {
          if (target[c] >= 0) {
            line[target[c]] = number(fields.text(c), lineNumber, c);
          }
        }
        for (double v : line) {
          out.add(v);
        }
      });
      out.flush();
      done = true;
      return x;
    } finally {
      if (!done) {
        x.close();
      }
    }
  }

  /** As {@link #numeric(Device, DType, List)}. */
  public Tensor numeric(Device device, DType dtype, String... columns) {
    return numeric(device, dtype, List.of(columns));
  }

  private double number(String text, long line, int column) {
    String t = text.strip();
    if (missing.contains(t)) {
      return Double.NaN;
    }
    if (isDecimal(t)) {
      return Double.parseDouble(t);
    }
    throw FormatException.of(
        path,
        "line " + line,
        "column " + names.get(column) + " must be a number",
        "found \"%s\"",
        shortened(t));
  }

  private static String shortened(String t) {
    return t.length() > 40 ? t.substring(0, 40) + "..." : t;
  }

  /** Whether it is digits with sign, point and exponent: Java's parser takes more than that. */
  private static boolean isDecimal(String t) {
    int digits = 0;
    int exponentAt = -1;
    boolean point = false;
    for (int i = 0; i < t.length(); i++) {
      char c = t.charAt(i);
      boolean signPlace = i == 0 || (exponentAt >= 0 && i == exponentAt + 1);
      if (c >= '0' && c <= '9') {
        digits++;
      } else if (c == '.' && !point && exponentAt < 0) {
        point = true;
      } else if ((c == 'e' || c == 'E') && exponentAt < 0 && digits > 0) {
        exponentAt = i;
        digits = 0;
      } else if (!((c == '+' || c == '-') && signPlace)) {
        return false;
      }
    }
    return digits > 0;
  }

  /**
   * A column of class names as an i64 tensor of indices and the names.
   *
   * @throws FormatException when there are more than 65,536 different values
   * @throws InvalidArgumentException when there is no such column
   */
  public Classes classes(Device device, String column) {
    int c = column(column);
    Map<String, Integer> index = new TreeMap<>();
    scanner.rows((row, line, fields) -> {
      index.putIfAbsent(fields.text(c), 0);
      if (index.size() > MAX_CLASSES) {
        throw FormatException.of(
            path,
            "line " + line,
            "column " + column + " must have at most " + MAX_CLASSES + " classes",
            "rows so far=%d",
            row + 1);
      }
    });
    List<String> found = List.copyOf(index.keySet());
    var number = new HashMap<String, Integer>();
    for (int i = 0; i < found.size(); i++) {
      number.put(found.get(i), i);
    }
    Tensor labels = Tensor.empty(device, DType.I64, rows);
    boolean done = false;
    try (var out = new NumberSink(labels)) {
      scanner.rows((row, line, fields) -> out.add(number.getOrDefault(fields.text(c), -1)));
      out.flush();
      done = true;
      return new Classes(labels, found);
    } finally {
      if (!done) {
        labels.close();
      }
    }
  }

  /**
   * A column as text.
   *
   * @throws InvalidArgumentException when there is no such column
   */
  public List<String> strings(String column) {
    int c = column(column);
    var out = new ArrayList<String>();
    scanner.rows((row, line, fields) -> out.add(fields.text(c)));
    return out;
  }

  /**
   * The same table without the lines that have a missing value (see {@link #withMissing}) in any of
   * these columns, or in any column when none is named.
   *
   * @throws InvalidArgumentException when there is no such column
   */
  public Csv dropMissing(String... columns) {
    int[] looked =
        columns.length == 0
            ? IntStream.range(0, names.size()).toArray()
            : Arrays.stream(columns).mapToInt(this::column).toArray();
    var left = new BitSet();
    scanner.rows((row, line, fields) -> {
      for (int c : looked) {
        if (missing.contains(fields.text(c).strip())) {
          left.set(row);
        }
      }
    });
    return new Csv(path, scanner.without(left), names, missing, rows - left.cardinality());
  }

  private int column(String name) {
    int c = names.indexOf(name);
    if (c < 0) {
      throw InvalidArgumentException.of(
          "csv", "column", "must be in the header", "column=%s, header=%s", name, names);
    }
    return c;
  }

  /** The file, rows and columns. */
  @Override
  public String toString() {
    return path + ": " + rows + " rows of " + String.join(", ", names);
  }
}
