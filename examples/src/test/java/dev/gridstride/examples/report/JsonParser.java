package dev.gridstride.examples.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A strict reader of JSON for tests; shares no code with the writer. */
public final class JsonParser {
  private final String text;
  private int at;

  private JsonParser(String text) {
    this.text = text;
  }

  /** The object that {@code text} holds and nothing else. */
  @SuppressWarnings("unchecked")
  public static Map<String, Object> object(String text) {
    return (Map<String, Object>) value(text);
  }

  /** The value that {@code text} holds and nothing else. */
  public static Object value(String text) {
    var parser = new JsonParser(text.strip());
    Object value = parser.value();
    parser.space();
    if (parser.at != parser.text.length()) {
      throw parser.mistake("more text");
    }
    return value;
  }

  private Object value() {
    space();
    char c = text.charAt(at);
    if (c == '{') {
      var map = new LinkedHashMap<String, Object>();
      at++;
      for (space(); text.charAt(at) != '}'; space()) {
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
        map.put(key, value());
      }
      at++;
      return map;
    }
    if (c == '[') {
      List<Object> list = new ArrayList<>();
      at++;
      for (space(); text.charAt(at) != ']'; space()) {
        if (!list.isEmpty()) {
          expect(',');
        }
        list.add(value());
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
    while (text.charAt(at) != '"') {
      char c = text.charAt(at++);
      if (c < 0x20) {
        throw mistake("control character in a string");
      }
      if (c == '\\') {
        c = text.charAt(at++);
        switch (c) {
          case 'n' -> c = '\n';
          case 'r' -> c = '\r';
          case 't' -> c = '\t';
          case 'u' -> {
            c = (char) Integer.parseInt(text, at, at + 4, 16);
            at += 4;
          }
          case '"', '\\', '/' -> {}
          default -> throw mistake("escape " + c);
        }
      }
      s.append(c);
    }
    at++;
    return s.toString();
  }

  private void expect(char c) {
    if (text.charAt(at) != c) {
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
    return new IllegalArgumentException(what + " at " + at + " of " + text);
  }
}
