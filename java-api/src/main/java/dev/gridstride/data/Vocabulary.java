package dev.gridstride.data;

import dev.gridstride.device.InvalidArgumentException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of a kind of text, each with a number, so that networks can compute with them: its
 * place in the list of tokens. Immutable.
 */
public final class Vocabulary {
  private final List<String> tokens;
  private final Map<String, Long> places = new HashMap<>();
  private final @Nullable String unknown;

  private Vocabulary(List<String> tokens, @Nullable String unknown) {
    this.tokens = List.copyOf(tokens);
    this.unknown = unknown;
    for (String token : tokens) {
      if (places.putIfAbsent(token, (long) places.size()) != null) {
        throw InvalidArgumentException.of(
            "vocabulary", "tokens", "must each be listed once", "twice='%s'", token);
      }
    }
  }

  /** These tokens, in this order, each once; other tokens are refused. */
  public static Vocabulary of(List<String> tokens) {
    return new Vocabulary(tokens, null);
  }

  /**
   * The characters (code points) of a text in the order of their codes.
   *
   * @param special tokens that come before them, in this order
   */
  public static Vocabulary ofCharacters(String text, String... special) {
    return new Vocabulary(joined(List.of(special), new TreeSet<>(characters(text))), null);
  }

  /**
   * The tokens that occur at least {@code least} times in these texts, in alphabetical order.
   *
   * @param unknown what stands for every other token
   * @param special further tokens that come first, in this order; then comes {@code unknown}
   */
  public static Vocabulary ofFrequent(
      Collection<List<String>> texts, int least, String unknown, String... special) {
    var counts = new TreeMap<String, Integer>();
    texts.forEach(text -> text.forEach(token -> counts.merge(token, 1, Integer::sum)));
    counts.values().removeIf(n -> n < least);
    return new Vocabulary(
        joined(joined(List.of(special), List.of(unknown)), counts.keySet()), unknown);
  }

  private static List<String> joined(Collection<String> first, Collection<String> then) {
    return Stream.concat(first.stream(), then.stream()).toList();
  }

  /** Number of tokens. */
  public int size() {
    return tokens.size();
  }

  /** The tokens by their numbers. */
  public List<String> tokens() {
    return tokens;
  }

  /**
   * The token with this number.
   *
   * @throws InvalidArgumentException when there is none
   */
  public String token(long number) {
    if (number < 0 || number >= tokens.size()) {
      throw InvalidArgumentException.of(
          "vocabulary.token", "number", "must be in 0..size", "number=%d, size=%d", number, size());
    }
    return tokens.get((int) number);
  }

  /**
   * The number of a token, or of the one that stands for unknown ones.
   *
   * @throws InvalidArgumentException when it is not listed and nothing stands for it
   */
  public long number(String token) {
    Long place = places.get(token);
    if (place == null && unknown != null) {
      place = places.get(unknown);
    }
    if (place == null) {
      throw InvalidArgumentException.of(
          "vocabulary.number", "token", "must be listed", "token='%s', size=%d", token, size());
    }
    return place;
  }

  /** The numbers of tokens, as {@link #number}. */
  public long[] encode(List<String> text) {
    return text.stream().mapToLong(this::number).toArray();
  }

  /** The numbers of a text's characters, as {@link #number}. */
  public long[] encode(String text) {
    return encode(characters(text));
  }

  /** The tokens with these numbers, one after another without a space. */
  public String decode(long... numbers) {
    var text = new StringBuilder();
    for (long n : numbers) {
      text.append(token(n));
    }
    return text.toString();
  }

  private static List<String> characters(String text) {
    return text.codePoints().mapToObj(Character::toString).toList();
  }
}
