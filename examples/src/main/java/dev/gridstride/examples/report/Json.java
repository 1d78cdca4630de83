package dev.gridstride.examples.report;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes JSON from maps, lists, strings, numbers, booleans and null. */
public final class Json {
  private Json() {}

  /** A map in this order, from keys and values by turns. */
  public static Map<String, @Nullable Object> object(@Nullable Object... keysAndValues) {
    var map = new LinkedHashMap<String, @Nullable Object>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      map.put(String.valueOf(keysAndValues[i]), keysAndValues[i + 1]);
    }
    return map;
  }

  /**
   * The text of {@code value}, indented by two spaces.
   *
   * <p>JSON has no NaN and no infinities: they are written as null.
   *
   * @throws IllegalArgumentException for a value of another type
   */
  public static String write(@Nullable Object value) {
    var text = new StringBuilder();
    write(text, value, "\n");
    return text.toString();
  }

  /** The text of {@code value} in one line, otherwise as {@link #write}. */
  public static String line(@Nullable Object value) {
    var text = new StringBuilder();
    write(text, value, "");
    return text.toString();
  }

  /**
   * Appends a value.
   *
   * @param newLine what begins a line at this depth; empty for none
   */
  private static void write(StringBuilder text, @Nullable Object value, String newLine) {
    String inside = newLine.isEmpty() ? "" : newLine + "  ";
    switch (value) {
      case null -> text.append("null");
      case String s -> quote(text, s);
      case Double d -> text.append(Double.isFinite(d) ? d.toString() : "null");
      case Float f -> text.append(Float.isFinite(f) ? f.toString() : "null");
      case Number n -> text.append(n);
      case Boolean b -> text.append(b);
      case Map<?, ?> map -> {
        text.append('{');
        Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
        while (entries.hasNext()) {
          var entry = entries.next();
          text.append(inside);
          quote(text, String.valueOf(entry.getKey()));
          text.append(": ");
          write(text, entry.getValue(), inside);
          text.append(entries.hasNext() ? (inside.isEmpty() ? ", " : ",") : newLine);
        }
        text.append('}');
      }
      case List<?> list -> {
        text.append('[');
        for (int i = 0; i < list.size(); i++) {
          text.append(inside);
          write(text, list.get(i), inside);
          text.append(i + 1 < list.size() ? (inside.isEmpty() ? ", " : ",") : newLine);
        }
        text.append(']');
      }
      default ->
          throw new IllegalArgumentException("no JSON form for " + value.getClass().getName());
    }
  }

  private static void quote(StringBuilder text, String s) {
    text.append('"');
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        default -> {
          if (c < 0x20) {
            text.append("\\u%04x".formatted((int) c));
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
  }
}
