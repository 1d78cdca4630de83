package dev.gridstride.examples.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class JsonTest {
  @Test
  void whatIsWrittenIsReadBack() {
    var value =
        Json.object(
            "text",
            "a \"quote\", a \\, a\nline, a\ttab, \u0001 and é",
            "numbers",
            List.of(1, -2L, 0.5, 1e-9, 3.4e38f),
            "none",
            null,
            "yes",
            true,
            "empty",
            List.of(),
            "inner",
            Json.object("a", Json.object()));
    var read = JsonParser.object(Json.write(value));
    assertThat(read.get("text")).isEqualTo(value.get("text"));
    assertThat(read.get("numbers")).isEqualTo(List.of(1.0, -2.0, 0.5, 1e-9, 3.4e38));
    assertThat(read).containsEntry("none", null).containsEntry("yes", true);
    assertThat(read).containsEntry("empty", List.of()).containsKeys("inner");
    assertThat(read.keySet()).containsExactlyElementsOf(value.keySet());
  }

  @Test
  void whatJsonLacksIsNull() {
    var list = List.of(Double.NaN, Double.POSITIVE_INFINITY, Float.NaN);
    assertThat((List<?>) JsonParser.value(Json.write(list))).containsOnlyNulls().hasSize(3);
  }

  @Test
  void otherTypesAreRefused() {
    assertThatThrownBy(() -> Json.write(new Object()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("java.lang.Object");
  }
}
