package dev.gridstride.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.InvalidArgumentException;
import java.util.List;
import org.junit.jupiter.api.Test;

class VocabularyTest {
  @Test
  void charactersAreCodePointsInTheirOrder() {
    String text = "b\uD83D\uDE00a\nb";
    Vocabulary v = Vocabulary.ofCharacters(text, "<end>");
    assertThat(v.tokens()).containsExactly("<end>", "\n", "a", "b", "\uD83D\uDE00");
    assertThat(v.size()).isEqualTo(5);
    assertThat(v.encode(text)).containsExactly(3, 4, 2, 1, 3);
    assertThat(v.decode(v.encode(text))).isEqualTo(text);
    assertThat(v.token(0)).isEqualTo("<end>");
    assertThatThrownBy(() -> v.encode("abc"))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("vocabulary.number: token must be listed; token='c', size=5");
    assertThatThrownBy(() -> v.token(5))
        .hasMessage("vocabulary.token: number must be in 0..size; number=5, size=5");
    assertThatThrownBy(() -> v.decode(-1)).isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void rareTokensAreUnknown() {
    var texts = List.of(List.of("not", "good", "not"), List.of("good", "tea"), List.<String>of());
    Vocabulary v = Vocabulary.ofFrequent(texts, 2, "<unknown>", "<fill>");
    assertThat(v.tokens()).containsExactly("<fill>", "<unknown>", "good", "not");
    assertThat(v.encode(List.of("good", "tea", "not"))).containsExactly(2, 1, 3);
    assertThat(v.encode(List.of())).isEmpty();
    assertThat(Vocabulary.ofFrequent(texts, 1, "?").size()).isEqualTo(4);
  }

  @Test
  void tokensAreListedOnce() {
    assertThat(Vocabulary.of(List.of("b", "a")).encode(List.of("a", "b"))).containsExactly(1, 0);
    assertThatThrownBy(() -> Vocabulary.of(List.of("b", "a", "b")))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("vocabulary: tokens must each be listed once; twice='b'");
  }
}
