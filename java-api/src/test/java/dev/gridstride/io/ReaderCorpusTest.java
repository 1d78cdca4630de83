package dev.gridstride.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.HexFormat;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;

/**
 * The files by which Jazzer reached all that it reached of the readers: each is read or refused, as
 * {@link ReaderTarget} says. The profile {@code jazzer} goes on from them.
 */
final class ReaderCorpusTest {
  @Test
  void eachIsReadOrRefused() throws IOException {
    int files = 0;
    try (var zip = new ZipInputStream(ReaderCorpusTest.class.getResourceAsStream("corpus.zip"))) {
      for (var entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        byte[] contents = zip.readAllBytes();
        try {
          ReaderTarget.fuzzerTestOneInput(contents);
        } catch (RuntimeException | Error broken) {
          throw new AssertionError(entry + ": " + HexFormat.of().formatHex(contents), broken);
        }
        files++;
      }
    }
    assertThat(files).as("files of the corpus").isGreaterThan(200);
  }
}
