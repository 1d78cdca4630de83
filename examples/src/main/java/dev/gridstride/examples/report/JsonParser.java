package dev.gridstride.examples.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A strict reader of JSON, which gives maps, lists, strings, doubles, booleans and null. Besides
 * the standard it reads the words NaN, Infinity and -Infinity, which Python's writer uses for
 * numbers.
 *
 * <p>Whatever is not JSON gives an {@link IllegalArgumentException} that says where.
 */
public final class JsonParser {
  private static final int MOST_LEVELS = 64;

  private final String text;
  private int at;

  private JsonParser(String text) {
    this.text = text;
  }

  /** The object that {@code text} holds and nothing else. */
  @SuppressWarnings("unchecked") // the keys of a JSON object are strings
  public static Map<String, @Nullable Object> object(String text) {
    if (value(text) instanceof Map<?, ?> map) {
      return (Map<String, @Nullable Object>) map;
    }
    throw new IllegalArgumentException("not a JSON object: " + text);
  }

  /** The value that {@code text} holds and nothing else. */
  public static @Nullable Object value(String text) {
    var parser = new JsonParser(text.strip());
    Object value = parser.value(0);
    parser.space();
    if (parser.at != parser.text.length()) {
      throw parser.mistake("more text");
    }
    return value;
  }

  private @Nullable Object value(int depth) {
    if (depth > MOST_LEVELS) {
      throw mistake("more than " + MOST_LEVELS + " levels");
    }
    space();
    char c = next();
    if (c == '{') {
      var map = new LinkedHashMap<String, @Nullable Object>();
      at++;
      for (space(); next() != '}'; space()) {
        if (!map.isEmpty()) {
          expect(',');
          space();
        }
        String key = string();
        space();
        expect(':');
        if (map.containsKey(key)) {
          throw mistake("key twice: " + key);
        }
        map.put(key, value(depth + 1));
      }
      at++;
      return map;
    }
    if (c == '[') {
      List<@Nullable Object> list = new ArrayList<>();
      at++;
      for (space(); next() != ']'; space()) {
        if (!list.isEmpty()) {
          expect(',');
        }
        list.add(value(depth + 1));
      }
      at++;
      return list;
    }
    if (c == '"') {
      return string();
    }
    int from = at;
    while (at < text.length() && ",]} \n\r\t".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    String word = text.substring(from, at);
    return switch (word) {
      case "true" -> true;
      case "false" -> false;
      case "null" -> null;
      case "NaN" -> Double.NaN;
      case "Infinity" -> Double.POSITIVE_INFINITY;
      case "-Infinity" -> Double.NEGATIVE_INFINITY;
      default -> {
        if (!word.matches("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?")) {
          throw mistake("not a value: " + word);
        }
        yield Double.valueOf(word);
      }
    };
  }

  private String string() {
    expect('"');
    var s = new StringBuilder();
    while (next() != '"') {
      char c = text.charAt(at++);
      if (c < 0x20) {
        throw mistake("control character in a string");
      }
      if (c == '\\') {
        c = next();
        at++;
        switch (c) {
          case 'n' -> c = '\n';
          case 'r' -> c = '\r';
          case 't' -> c = '\t';
          case 'b' -> c = '\b';
          case 'f' -> c = '\f';
          case 'u' -> c = hexadecimal();
          case '"', '\\', '/' -> {}
          default -> throw mistake("escape " + c);
        }
      }
      s.append(c);
    }
    at++;
    return s.toString();
  }

  private char hexadecimal() {
    int code = 0;
    for (int i = 0; i < 4; i++) {
      int digit = Character.digit(next(), 16);
      if (digit < 0) {
        throw mistake("\\u needs four hexadecimal digits");
      }
      code = code << 4 | digit;
      at++;
    }
    return (char) code;
  }

  /** The character here, which must not be the end. */
  private char next() {
    if (at >= text.length()) {
      throw mistake("the text ends too early");
    }
    return text.charAt(at);
  }

  private void expect(char c) {
    if (next() != c) {
      throw mistake("expected " + c);
    }
    at++;
  }

  private void space() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private IllegalArgumentException mistake(String what) {
    return new IllegalArgumentException(what + " at " + at + " of: " + text);
  }
}
