package dev.gridstride.io;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The header of an npy file: magic, version, length, and a Python dictionary literal with exactly
 * the keys descr, fortran_order and shape.
 *
 * @param descr byte order, kind and size, as {@code <f4}
 * @param fortranOrder whether the first index changes fastest
 * @param dims sizes
 * @param dataStart offset of the data in the file
 */
record NpyHeader(String descr, boolean fortranOrder, long[] dims, long dataStart) {
  static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  static final int PREFIX_V1 = 10;
  private static final int MAX_LENGTH = 1 << 16;

  /** Reads and checks the header; not yet the size of the data. */
  static NpyHeader read(MappedFile file) {
    MemorySegment bytes = file.bytes();
    Path path = file.path();
    if (bytes.byteSize() < PREFIX_V1
        || bytes.asSlice(0, MAGIC.length).mismatch(MemorySegment.ofArray(MAGIC)) >= 0) {
      throw new FormatException(path, "byte 0", "must begin with \\x93NUMPY, version and length");
    }
    int major = bytes.get(ValueLayout.JAVA_BYTE, 6);
    int minor = bytes.get(ValueLayout.JAVA_BYTE, 7);
    if (major < 1 || major > 3 || minor != 0) {
      throw FormatException.of(
          path, "byte 6", "version must be 1.0, 2.0 or 3.0", "version=%d.%d", major, minor);
    }
    int prefix = major == 1 ? PREFIX_V1 : PREFIX_V1 + 2;
    ByteOrder little = ByteOrder.LITTLE_ENDIAN;
    long length =
        major == 1
            ? Short.toUnsignedLong(bytes.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(little), 8))
            : bytes.byteSize() < prefix
                ? Long.MAX_VALUE
                : Integer.toUnsignedLong(
                    bytes.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(little), 8));
    if (length > MAX_LENGTH || length > bytes.byteSize() - prefix) {
      throw FormatException.of(
          path,
          "byte 8",
          "header length must be at most the bytes that follow it and " + MAX_LENGTH,
          "length=%d, bytes that follow=%d",
          length,
          Math.max(0, bytes.byteSize() - prefix));
    }
    byte[] text = bytes.asSlice(prefix, length).toArray(ValueLayout.JAVA_BYTE);
    return new Parser(path, text, prefix).parse(prefix + length);
  }

  /** The dtype that holds the elements. */
  DType dtype(Path path, boolean bf16) {
    String kind = descr.substring(1);
    DType dtype =
        switch (kind) {
          case "f8" -> DType.F64;
          case "f4" -> DType.F32;
          case "f2" -> DType.F16;
          case "i8" -> DType.I64;
          case "i4" -> DType.I32;
          case "u1" -> DType.U8;
          case "b1" -> DType.BOOL;
          case "u2", "V2" -> DType.BF16;
          default ->
              throw FormatException.of(
                  path, "header", "descr must be a type that tensors have", "descr=%s", descr);
        };
    if (bf16 != (dtype == DType.BF16)) {
      throw FormatException.of(
          path,
          "header",
          bf16
              ? "descr must be u2 or V2 to be read as bfloat16"
              : "descr u2 and V2 must be read as bfloat16 explicitly",
          "descr=%s",
          descr);
    }
    boolean unordered = descr.charAt(0) == '|';
    if (unordered != (dtype.bytes() == 1) && !descr.equals("|V2")) {
      throw FormatException.of(
          path, "header", "descr must begin with '<' or '>', or '|' for bytes", "descr=%s", descr);
    }
    return dtype;
  }

  /** Reads the dictionary literal. */
  private static final class Parser {
    private final Path path;
    private final byte[] text;
    private final int origin;
    private int at;
    private @Nullable String descr;
    private @Nullable Boolean fortranOrder;
    private long @Nullable [] dims;

    Parser(Path path, byte[] text, int origin) {
      this.path = path;
      this.text = text;
      this.origin = origin;
    }

    NpyHeader parse(long dataStart) {
      expect('{');
      while (!accept('}')) {
        member(string());
        if (!accept(',')) {
          expect('}');
          break;
        }
      }
      if (peek() >= 0) {
        throw fail("nothing may follow the dictionary");
      }
      if (text[text.length - 1] != '\n') {
        throw fail("must end with a line feed");
      }
      String d = descr;
      Boolean f = fortranOrder;
      long[] s = dims;
      if (d == null || f == null || s == null) {
        throw fail("must have the keys descr, fortran_order and shape");
      }
      if (d.length() != 3 || "<>|".indexOf(d.charAt(0)) < 0) {
        throw fail("descr must be byte order, kind and size; descr=" + d);
      }
      return new NpyHeader(d, f, s, dataStart);
    }

    private void member(String key) {
      expect(':');
      boolean twice;
      switch (key) {
        case "descr" -> {
          twice = descr != null;
          descr = string();
        }
        case "fortran_order" -> {
          twice = fortranOrder != null;
          fortranOrder = bool();
        }
        case "shape" -> {
          twice = dims != null;
          dims = tuple();
        }
        default -> throw fail("unknown key " + key);
      }
      if (twice) {
        throw fail("key " + key + " is there twice");
      }
    }

    private int peek() {
      while (at < text.length && (text[at] == ' ' || text[at] == '\n')) {
        at++;
      }
      return at < text.length ? text[at] : -1;
    }

    private boolean accept(char c) {
      if (peek() == c) {
        at++;
        return true;
      }
      return false;
    }

    private void expect(char c) {
      if (!accept(c)) {
        throw fail("expected '" + c + "'");
      }
    }

    private String string() {
      int quote = peek();
      if (quote != '\'' && quote != '"') {
        throw fail("expected a string (records are not read)");
      }
      int begin = ++at;
      while (at < text.length && text[at] != quote) {
        if (text[at] < 0x20 || text[at] == '\\') {
          throw fail("a string here holds plain characters");
        }
        at++;
      }
      if (at == text.length) {
        throw fail("a string has no end");
      }
      return new String(text, begin, at++ - begin, StandardCharsets.US_ASCII);
    }

    private boolean bool() {
      peek();
      for (String word : new String[] {"True", "False"}) {
        byte[] w = word.getBytes(StandardCharsets.US_ASCII);
        if (at + w.length <= text.length
            && Arrays.equals(text, at, at + w.length, w, 0, w.length)) {
          at += w.length;
          return word.equals("True");
        }
      }
      throw fail("expected True or False");
    }

    private long[] tuple() {
      expect('(');
      var values = new long[SafetensorsFile.MAX_RANK];
      int n = 0;
      boolean comma = true;
      while (!accept(')')) {
        if (!comma || n == values.length) {
          throw fail("expected a tuple of at most " + values.length + " integers");
        }
        values[n++] = integer();
        comma = accept(',');
      }
      if (n == 1 && !comma) {
        throw fail("a tuple of one has a comma");
      }
      return Arrays.copyOf(values, n);
    }

    private long integer() {
      int first = peek();
      long value = 0;
      int begin = at;
      while (at < text.length && text[at] >= '0' && text[at] <= '9') {
        int digit = text[at] - '0';
        if (value > (Long.MAX_VALUE - digit) / 10) {
          throw fail("a size must be below 2^63");
        }
        value = value * 10 + digit;
        at++;
      }
      if (at == begin || (first == '0' && at - begin > 1)) {
        throw fail("expected an integer that is not negative");
      }
      if (at < text.length && text[at] == 'L') {
        at++; // Python 2 wrote long integers so
      }
      return value;
    }

    private FormatException fail(String problem) {
      return new FormatException(path, "header, byte " + (origin + at), problem);
    }
  }
}
