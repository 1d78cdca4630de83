package dev.gridstride.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.examples.cli.Cli;
import dev.gridstride.examples.data.Dates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The examples on texts and sounds: their data, their repeatability, what they refuse. */
class SequenceTest {
  @TempDir Path folder;

  private Cli.Outcome train(String name, String... more) {
    var args = new ArrayList<>(List.of("train", name, "--out", folder.resolve("out").toString()));
    args.addAll(List.of(more));
    return Cli.run(args.toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt 2000", "translate 40", "speech 160"})
  void theSameSeedGivesTheSameBits(String nameAndLimit) throws IOException {
    String name = nameAndLimit.split(" ")[0];
    String limit = nameAndLimit.split(" ")[1];
    var weights = new ArrayList<byte[]>();
    for (String seed : List.of("5", "5", "6")) {
      var run = train(name, "--limit", limit, "--epochs", "1", "--batch", "16", "--seed", seed);
      assertThat(run.err()).isEmpty();
      assertThat(run.code()).as(run.out()).isZero();
      weights.add(Files.readAllBytes(folder.resolve("out").resolve(name + ".safetensors")));
    }
    assertThat(weights.get(1)).isEqualTo(weights.get(0));
    assertThat(weights.get(2)).isNotEqualTo(weights.get(0)).hasSameSizeAs(weights.get(0));
  }

  @Test
  void datesAreWrittenInManyWays() {
    List<LocalDate> days = Dates.days(1);
    assertThat(days).hasSize(36_525).doesNotHaveDuplicates();
    assertThat(Dates.days(1)).isEqualTo(days);
    assertThat(Dates.days(2)).isNotEqualTo(days);
    Dates dates = Dates.write(days, new SplittableRandom(3));
    assertThat(dates.size()).isEqualTo(days.size());
    var shapes = new HashSet<String>();
    for (int i = 0; i < dates.size(); i++) {
      String written = dates.written().get(i);
      LocalDate day = LocalDate.parse(dates.iso().get(i));
      assertThat(day).isEqualTo(days.get(i));
      assertThat(written.length()).isBetween(7, Dates.LONGEST);
      assertThat(written).containsPattern("(?<!\\d)" + day.getDayOfMonth() + "(?!\\d)");
      assertThat(written).contains("%02d".formatted(day.getYear() % 100));
      shapes.add(written.replaceAll("[A-Za-z]+", "a").replaceAll("\\d+", "1"));
    }
    assertThat(shapes)
        .hasSizeGreaterThanOrEqualTo(14); // eight orders, years of two and four digits
    assertThat(dates.part(2, 5).iso()).isEqualTo(dates.iso().subList(2, 5));
  }

  @Test
  void aTextShorterThanAContextIsABadArgument() throws IOException {
    Files.writeString(folder.resolve("sonnets.txt"), "Shall I compare thee");
    var run = train("gpt", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("gpt needs a text of more than 1,280 characters; this has 20");
  }

  @Test
  void reviewsWithoutTheirColumnsAreABadArgument() throws IOException {
    Files.writeString(folder.resolve("reviews.csv"), "a,b\n1,2\n");
    var run = train("reviews", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("must have the columns split, score and review; it has [a, b]");
    Files.writeString(folder.resolve("reviews.csv"), "split,score,review\ntrain,great,good\n");
    assertThat(train("reviews", "--data", folder.toString()).err())
        .contains("must have lines of the splits train and test");
  }

  @Test
  void soundsOfAnotherKindAreABadArgument() throws IOException {
    zip("seven.wav", new byte[0]);
    var run = train("speech", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("names must be like 7_anna_s140_p35.wav; found seven.wav");
    zip("7_anna_s140_p35.wav", new byte[9]);
    run = train("speech", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).contains("7_anna_s140_p35.wav: byte 0: must begin with RIFF");
  }

  private void zip(String name, byte[] content) throws IOException {
    try (var out =
        new ZipOutputStream(Files.newOutputStream(folder.resolve("spoken-digits.zip")))) {
      out.putNextEntry(new ZipEntry(name));
      out.write(content);
      out.closeEntry();
    }
  }
}
