package dev.gridstride.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Unrolled sources in the main tree are what their generators write. */
final class GeneratedSourceTest {
  @ParameterizedTest
  @FieldSource("dev.gridstride.cpu.TileGenerator#CLASSES")
  void tiles(String name) {
    assertThat(TileGenerator.FOLDER.resolve(name + ".java"))
        .content()
        .isEqualTo(TileGenerator.source(name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"F32Transpose", "F64Transpose"})
  void transposes(String name) {
    assertThat(TransposeGenerator.FOLDER.resolve(name + ".java"))
        .content()
        .isEqualTo(TransposeGenerator.source(name));
  }
}
