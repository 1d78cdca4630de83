package dev.gridstride.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The contenders compute the right thing, and the command line reports and refuses as it should.
 */
class BenchTest {
  static Stream<org.junit.jupiter.params.provider.Arguments> contenders() {
    return Family.all().stream()
        .flatMap(f ->
            f.ops().stream()
                .flatMap(op ->
                    f.dtypes().stream()
                        .flatMap(t ->
                            Stream.concat(Stream.of("gridstride"), f.peers().stream())
                                .map(impl ->
                                    org.junit.jupiter.params.provider.Arguments.of(
                                        f,
                                        impl,
                                        new Case(f.name(), op, t, f.shapes().getFirst(), 2))))));
  }

  @ParameterizedTest(name = "{1} {2}")
  @MethodSource("contenders")
  void everyContenderIsRight(Family f, String impl, Case c) throws Exception {
    try (Contender contender = f.prepare(impl, c)) {
      assertThat(contender.maxError()).isLessThan(c.dtype().equals("f64") ? 1e-12 : 1e-3);
      contender.run();
    }
    assertThat(f.flops(c) + f.bytes(c)).isPositive();
    assertThat(f.description()).isNotBlank();
    assertThat(f.shapeForm()).contains("x");
  }

  private static String errors(int code, String... args) {
    var err = new StringWriter();
    var line = Main.commandLine().setErr(new PrintWriter(err)).setOut(new PrintWriter(err));
    assertThat(line.execute(args)).isEqualTo(code);
    return err.toString().strip();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          nosuch                     | gridstride bench: unknown family 'nosuch'; choose one of
          softmax --shapes 3         | gridstride bench: softmax shapes are 2 positive numbers joined by x; given '3'
          softmax --shapes 3xa       | gridstride bench: softmax shapes are 2 positive numbers joined by x; given '3xa'
          softmax --shapes 3x0       | gridstride bench: softmax shapes are 2 positive numbers joined by x; given '3x0'
          conv --shapes 1x2x3            | gridstride bench: conv shapes are N, C, H, K, R, stride, padding joined by x, with R at most H + 2 * padding; given '1x2x3'
          softmax --shapes ,         | gridstride bench: --shapes names no shape; a shape of softmax is ROWSxCOLS
          softmax --peers nosuch     | gridstride bench: --peers of softmax are [java]; given 'nosuch'
          softmax --dtype i8         | gridstride bench: --dtype of softmax is one of [f32]; given 'i8'
          softmax --threads 0        | gridstride bench: --threads must be at least 1; given 0
          softmax --device cuda      | gridstride bench: --device must be cpu; given 'cuda'
          softmax --threads x        | gridstride bench: Invalid value for option '--threads'
          """)
  void refusesBadArgumentsInOneLine(String args, String message) {
    String printed = errors(2, args.split(" "));
    assertThat(printed).startsWith(message);
    assertThat(printed.lines()).hasSize(1);
  }

  @Test
  void explainsItself() {
    assertThat(errors(0, "--help")).contains("FAMILY", "--peers", "softmax");
  }

  @Test
  void measuresAndWrites(@TempDir Path dir) throws Exception {
    var rows =
        new Measurement(0, 2, 20)
            .measure(
                List.of(new Case("softmax", "forward", "f32", "64x10", 1)),
                List.of("gridstride", "java"),
                what -> {});
    assertThat(rows).hasSize(2);
    for (Row r : rows) {
      assertThat(r.medianSeconds()).isBetween(1e-9, 1.0);
      assertThat(r.p20()).isLessThanOrEqualTo(r.p80());
      assertThat(r.gbps()).isPositive();
    }
    Report.json(rows, dir.resolve("a").resolve("r.json"));
    JsonNode json = new ObjectMapper().readTree(dir.resolve("a").resolve("r.json").toFile());
    assertThat(json.get("machine").get("cores").asInt()).isPositive();
    assertThat(json.get("rows").get(1).get("impl").asText()).isEqualTo("java");
    assertThat(json.get("rows").get(1).has("gflops")).isFalse();
    Report.plot(rows, dir.resolve("r.png"));
    assertThat(dir.resolve("r.png")).isNotEmptyFile();
    var text = new StringWriter();
    Report.table(rows, new PrintWriter(text));
    assertThat(text.toString().lines()).hasSize(3);
    assertThat(text.toString()).contains("GB/s");
  }

  @Test
  void statesTimesAndPercentiles() {
    assertThat(Report.time(5e-10)).isEqualTo("0.5 ns");
    assertThat(Report.time(5e-5)).isEqualTo("50.00 us");
    assertThat(Report.time(5e-2)).isEqualTo("50.000 ms");
    assertThat(Report.time(5)).isEqualTo("5.000 s");
    assertThat(Measurement.percentile(new double[] {1, 2, 3}, 0.5)).isEqualTo(2);
    assertThat(Measurement.percentile(new double[] {1, 2}, 0.2)).isEqualTo(1.2);
    assertThat(Data.error(new double[] {1, 2}, new double[] {1, 4})).isEqualTo(0.5);
    assertThat(Data.error(new double[] {1, Double.NaN}, new double[] {1, 4})).isNaN();
    assertThat(Data.error(new double[] {1}, new double[] {1, 4})).isNaN();
    assertThatThrownBy(() -> Family.named("x")).isInstanceOf(BadUsage.class);
  }
}
