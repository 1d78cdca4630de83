package dev.gridstride.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * A strict reader of the JSON (RFC 8259) that headers are made of: strings, integers, objects and
 * arrays, one token at a time.
 *
 * <p>The caller asks for what its grammar allows next, so nothing nests deeper than that grammar
 * and no tree is built.
 */
final class JsonReader {
  /** Longest string: decoding one takes up to five times its size. */
  private static final int MAX_STRING = 8 << 20;

  private final Path file;
  private final MemorySegment text;
  private final long origin;
  private long at;

  /**
   * A reader of {@code text}.
   *
   * @param origin where the text begins in the file, for messages
   */
  JsonReader(Path file, MemorySegment text, long origin) {
    this.file = file;
    this.text = text;
    this.origin = origin;
  }

  /** The next byte after white space, not taken; -1 at the end. */
  private int peek() {
    while (at < text.byteSize()) {
      int b = text.get(ValueLayout.JAVA_BYTE, at);
      if (b != ' ' && b != '\t' && b != '\n' && b != '\r') {
        return b & 0xFF;
      }
      at++;
    }
    return -1;
  }

  /** Takes {@code c} if it comes next. */
  boolean accept(char c) {
    if (peek() == c) {
      at++;
      return true;
    }
    return false;
  }

  /** Takes {@code c}, which must come next. */
  void expect(char c) {
    if (!accept(c)) {
      int found = peek();
      throw fail(
          "expected '"
              + c
              + "', found "
              + (found < 0
                  ? "the end"
                  : found < 0x7F ? "'" + (char) found + "'" : "byte " + found));
    }
  }

  /** Nothing but white space may follow. */
  void end() {
    if (peek() >= 0) {
      throw fail("nothing may follow the outermost object");
    }
  }

  /**
   * An object: calls {@code member} after each name and colon.
   *
   * @param member reads the value
   */
  void object(Consumer<String> member) {
    expect('{');
    if (accept('}')) {
      return;
    }
    do {
      String name = string();
      expect(':');
      member.accept(name);
    } while (accept(','));
    expect('}');
  }

  /** An array of integers, none negative, at most {@code limit} of them. */
  long[] integers(int limit) {
    expect('[');
    var values = new long[Math.min(limit, 4)];
    int n = 0;
    if (!accept(']')) {
      do {
        if (n == limit) {
          throw fail("an array here has at most " + limit + " elements");
        }
        if (n == values.length) {
          values = Arrays.copyOf(values, Math.min(limit, 2 * n));
        }
        values[n++] = integer();
      } while (accept(','));
      expect(']');
    }
    return n == values.length ? values : Arrays.copyOf(values, n);
  }

  /** An integer without sign, fraction, exponent or leading zero, below 2^63. */
  long integer() {
    int first = peek();
    if (first < '0' || first > '9') {
      throw fail("expected an integer that is not negative");
    }
    long begin = at;
    long value = 0;
    while (at < text.byteSize()) {
      int digit = text.get(ValueLayout.JAVA_BYTE, at) - '0';
      if (digit < 0 || digit > 9) {
        break;
      }
      if (value > (Long.MAX_VALUE - digit) / 10) {
        throw fail("an integer must be below 2^63");
      }
      value = value * 10 + digit;
      at++;
    }
    if (first == '0' && at - begin > 1) {
      throw fail("an integer must not begin with 0");
    }
    return value;
  }

  /** A string in quotes. */
  String string() {
    expect('"');
    long begin = at;
    long end = closingQuote();
    if (end - begin > MAX_STRING) {
      throw fail("a string must have at most " + MAX_STRING + " bytes");
    }
    var bytes = new byte[(int) (end - begin)]; // an escape is never shorter than what it stands for
    int n = 0;
    while (at < end) {
      byte b = text.get(ValueLayout.JAVA_BYTE, at++);
      if (b >= 0 && b < 0x20) {
        throw fail("a control character in a string must be escaped");
      }
      if (b == '\\') {
        n = escape(bytes, n, end);
      } else {
        bytes[n++] = b;
      }
    }
    at = end + 1;
    if (Utf8.firstInvalid(bytes, 0, n) >= 0) {
      throw fail("a string must be UTF-8");
    }
    return new String(bytes, 0, n, StandardCharsets.UTF_8);
  }

  private long closingQuote() {
    for (long i = at; i < text.byteSize(); i++) {
      byte b = text.get(ValueLayout.JAVA_BYTE, i);
      if (b == '"') {
        return i;
      }
      if (b == '\\') {
        i++;
      }
    }
    throw fail("a string has no end");
  }

  /** Decodes the escape whose backslash has been taken; returns the new length of {@code out}. */
  private int escape(byte[] out, int n, long end) {
    int c = text.get(ValueLayout.JAVA_BYTE, at++);
    int plain =
        switch (c) {
          case '"', '\\', '/' -> c;
          case 'b' -> '\b';
          case 'f' -> '\f';
          case 'n' -> '\n';
          case 'r' -> '\r';
          case 't' -> '\t';
          case 'u' -> -1;
          default -> throw fail("unknown escape in a string");
        };
    if (plain >= 0) {
      out[n] = (byte) plain;
      return n + 1;
    }
    int unit = hex4(end);
    if (!Character.isSurrogate((char) unit)) {
      return put(out, n, unit);
    }
    if (Character.isHighSurrogate((char) unit)
        && at + 1 < end
        && text.get(ValueLayout.JAVA_BYTE, at) == '\\'
        && text.get(ValueLayout.JAVA_BYTE, at + 1) == 'u') {
      at += 2;
      int low = hex4(end);
      if (Character.isLowSurrogate((char) low)) {
        return put(out, n, Character.toCodePoint((char) unit, (char) low));
      }
    }
    throw fail("half of a surrogate pair in a string");
  }

  private int hex4(long end) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
      int digit = at < end ? Character.digit(text.get(ValueLayout.JAVA_BYTE, at), 16) : -1;
      if (digit < 0) {
        throw fail("four hexadecimal digits must follow \\u");
      }
      value = value << 4 | digit;
      at++;
    }
    return value;
  }

  private static int put(byte[] out, int n, int codePoint) {
    for (byte b : Character.toString(codePoint).getBytes(StandardCharsets.UTF_8)) {
      out[n++] = b;
    }
    return n;
  }

  /** The beginning of a string, for messages. */
  static String shortened(String text) {
    return text.length() > 200 ? text.substring(0, 200) + "..." : text;
  }

  FormatException fail(String problem) {
    return new FormatException(file, "header, byte " + (origin + at), problem);
  }
}
