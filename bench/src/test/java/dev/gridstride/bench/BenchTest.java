package dev.gridstride.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The contenders compute the right thing, and the command line reports and refuses as it should.
 */
class BenchTest {
  /** Small works beside each family's first one: odd sizes, groups, strides, transpositions. */
  private static final Map<String, List<String>> SMALL =
      Map.of(
          "gemm", List.of("5x7x11", "3x5x7x9"),
          "conv", List.of("2x4x9x6x3x2x1", "2x4x7x6x3x1x1x2", "1x3x8x3x3x1x0x3"),
          "reduce", List.of("7x13"),
          "elementwise", List.of("7x13"),
          "softmax", List.of("7x13"),
          "optimizer", List.of("3x17"),
          "mnist", List.of("2"));

  static Stream<Arguments> contenders() {
    return Family.all().stream()
        .flatMap(f ->
            f.ops().stream()
                .flatMap(op ->
                    f.dtypes().stream()
                        .flatMap(t ->
                            shapes(f)
                                .flatMap(s ->
                                    Stream.of(1, 2)
                                        .map(threads -> new Case(f.name(), op, t, s, threads)))))
                .flatMap(c ->
                    Stream.of(new Gridstride(), new PlainJava(), new Ejml())
                        .filter(l -> l.offers(c))
                        .map(l -> Arguments.of(l.name(), c, l))));
  }

  private static Stream<String> shapes(Family f) {
    List<String> small = SMALL.getOrDefault(f.name(), List.of());
    return small.isEmpty() || f.name().equals("gemm")
        ? Stream.concat(Stream.of(f.quick().getFirst().shape()), small.stream())
        : small.stream();
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("contenders")
  void everyContenderIsRight(String name, Case c, Library library) throws Exception {
    Family f = Family.named(c.family());
    Problem p = f.problem(c);
    try (Contender contender = library.prepare(c, p)) {
      contender.run();
      double most =
          switch (c.dtype()) {
            case "f64" -> 1e-12;
            case "bf16" -> 4e-3; // half a unit in the last of 8 bits
            default -> c.family().equals("mnist") ? 5e-3 : 1e-3;
          };
      assertThat(p.error(contender::result)).isLessThan(most);
      contender.run(2);
      assertThat(contender.note()).isNotNull();
    }
    assertThat(f.flops(c) + f.bytes(c)).isPositive();
    assertThat(f.description()).isNotBlank();
    assertThat(f.shapeForm()).isNotBlank();
    assertThat(library.about()).containsKey("version");
  }

  @Test
  void aWrongResultIsSeen() {
    for (Family f : Family.all()) {
      String shape = SMALL.getOrDefault(f.name(), List.of(f.quick().getFirst().shape())).getFirst();
      for (String op : f.ops()) {
        Problem p = f.problem(new Case(f.name(), op, "f32", shape, 1));
        Function<String, double[]> zeros = name -> new double[1];
        assertThat(p.error(zeros) < Case.tolerance("f32")).as("%s %s", f.name(), op).isFalse();
      }
    }
    Problem sampled = new Problem().expect("y", 5, new int[] {0, 4}, new double[] {1, 2});
    assertThat(sampled.error(n -> new double[] {1, 9, 9, 9, 2})).isZero();
    assertThat(sampled.error(n -> new double[] {1, 9, 9, 9, 3})).isEqualTo(0.5);
    assertThat(sampled.error(n -> new double[] {1, 9, 9, 9})).isNaN();
  }

  @Test
  void everyListedWorkIsWellFormed() {
    for (Family f : Family.all()) {
      assertThat(f.full()).isNotEmpty();
      Stream.concat(f.quick().stream(), f.full().stream())
          .forEach(w -> {
            var c = new Case(f.name(), w.op(), f.dtypes().getFirst(), w.shape(), 1);
            assertThat(f.ops()).contains(w.op());
            assertThat(f.flops(c) + f.bytes(c)).as("%s", c).isPositive();
          });
    }
    assertThat(Shapes.of("gemm", "bert")).hasSize(4);
    assertThat(Shapes.of("conv", "mobilenet")).hasSize(54);
    assertThat(Shapes.of("conv", "nosuch")).isEmpty();
    assertThat(Shapes.of("softmax", "bert")).isEmpty();
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
          conv --shapes 1x2x3        | gridstride bench: conv shapes are N, C, H, K, R, stride, padding and maybe groups joined by x, with R at most H + 2 * padding; given '1x2x3'
          softmax --shapes ,         | gridstride bench: --shapes names no shape; a shape of softmax is ROWSxCOLS
          softmax --peers nosuch     | gridstride bench: --peers are java, ejml, ojalgo, openblas, pytorch, djl, nd4j; given 'nosuch'
          softmax --dtype i8         | gridstride bench: --dtype of softmax is one of [f32]; given 'i8'
          softmax --ops nosuch       | gridstride bench: --ops of softmax are [forward, log-forward, backward]; given [nosuch]
          softmax --threads 0        | gridstride bench: --threads must be at least 1; given 0
          softmax --device cuda      | gridstride bench: --device must be cpu; given 'cuda'
          softmax --threads x        | gridstride bench: Invalid value for option '--threads'
          --threads 1                | gridstride bench: name a family: gemm, conv, softmax,
          peak --threads 0           | gridstride bench: --threads must be at least 1; given 0
          guard /nosuch              | gridstride bench: /nosuch
          """)
  void refusesBadArgumentsInOneLine(String args, String message) {
    String printed = errors(args.startsWith("guard") ? 1 : 2, args.split(" "));
    assertThat(printed).startsWith(message);
    assertThat(printed.lines()).hasSize(1);
  }

  @Test
  void explainsItself() {
    assertThat(errors(0, "--help")).contains("FAMILY", "--peers", "softmax", "peak", "guard");
  }

  @Test
  void slowLibrariesTakeNoRoundsFromOthers() {
    assertThat(Pairs.rounds(new double[] {0.1, 0.1}, 0.05, 15)).containsExactly(15, 15);
    assertThat(Pairs.rounds(new double[] {1.0, 1.4}, 0.05, 15)).containsExactly(5, 5);
    assertThat(Pairs.rounds(new double[] {0.5, 0.6, 1.5, 9}, 0.05, 15)).containsExactly(4, 4, 4, 1);
    assertThat(Pairs.rounds(new double[] {0.5, 0.6, 2.1, 9}, 0.05, 15))
        .containsExactly(10, 10, 1, 1);
    assertThat(Pairs.rounds(new double[] {6, 7, 30}, 0.05, 15)).containsExactly(3, 3, 1);
    assertThat(Pairs.rounds(new double[] {1e-6, 1.2}, 0.05, 15)).containsExactly(15, 3);
  }

  @Test
  void measuresInTurnAndWrites(@TempDir Path dir) throws Exception {
    var pairs = new Pairs(3, 1, 1);
    var cases =
        List.of(
            new Case("softmax", "forward", "f32", "64x10", 1),
            new Case("softmax", "backward", "f32", "64x10", 1));
    var rows = pairs.measure(cases, List.of("gridstride", "java", "ejml"), c -> {});
    assertThat(pairs.refused).isEmpty();
    assertThat(rows).hasSize(4); // EJML has no softmax
    for (Row r : rows) {
      assertThat(r.medianSeconds()).isBetween(1e-9, 1.0);
      assertThat(r.p20()).isLessThanOrEqualTo(r.p80());
      assertThat(r.gbps()).isPositive();
      assertThat(r.maxError()).isLessThan(1e-3);
    }
    assertThat(rows.get(0).ratio()).isNull();
    assertThat(rows.get(1).ratio()).isPositive();
    assertThat(pairs.libraries()).containsKey("java softmax t1");
    var peaks = Peak.upTo(1, 5);
    Path file = dir.resolve("a").resolve("r.json");
    Report.json(rows, peaks, Map.of("quick", true), file);
    JsonNode json = new ObjectMapper().readTree(file.toFile());
    assertThat(json.get("machine").get("cores").asInt()).isPositive();
    assertThat(json.get("peaks").get(0).get("f32Gflops").asDouble()).isPositive();
    assertThat(json.get("rows").get(1).get("impl").asText()).isEqualTo("java");
    assertThat(json.get("rows").get(1).has("gflops")).isFalse();
    Report.plot(rows, dir.resolve("r.png"));
    assertThat(dir.resolve("r.png")).isNotEmptyFile();
    var text = new StringWriter();
    Report.table(rows, peaks, new PrintWriter(text));
    assertThat(text.toString().lines()).hasSize(6);
    assertThat(text.toString()).contains("GB/s", "softmax f32 1 thread against java");
  }

  @Test
  void resultsBecomeAPage(@TempDir Path dir) throws Exception {
    Row ours =
        new Row(
            "gemm",
            "product",
            "f32",
            "512",
            "cpu",
            1,
            "gridstride",
            4e-3,
            4e-3,
            5e-3,
            67.0,
            null,
            85.0,
            1e-7,
            null,
            null,
            null,
            0.0,
            null);
    Row peer =
        new Row(
            "gemm", "product", "f32", "512", "cpu", 1, "<peer>", 2e-3, 2e-3, 2e-3, 134.0, null,
            85.0, 1e-7, 0.5, 0.4, 0.6, 0.0, null);
    Report.json(
        List.of(ours, peer), List.of(new Peak(1, 100, 50, 20)), Map.of(), dir.resolve("c.json"));
    Files.writeString(
        dir.resolve("g.json"),
        """
        {"machine": {"gpu": "a GPU"}, "rows": [
          {"family": "gemm", "op": "gemm_nn", "dtype": "f32", "shape": "512x512x512", "ours": 1e-5,
           "theirs": 2e-5, "ratio": 2, "ourError": 1e-7},
          {"family": "gemm", "op": "gemm_nn", "dtype": "f32", "shape": "1x1x1", "ourError": 1e-7}]}
        """);
    Files.writeString(dir.resolve("other.json"), "{}");
    assertThat(errors(0, "report", dir.toString())).contains("from 2 result files");
    String page = Files.readString(dir.resolve("report.html"));
    assertThat(page)
        .contains("a GPU", "gemm product f32 512 1", "67%", "&lt;peer&gt;", "0.50 [0.40, 0.60]")
        .contains("400.00", "<polyline", "</html>") // 4 ms on the CPU, 10 us on the GPU
        .doesNotContain("<peer>", "src=", "href=");
    assertThat(page.split("<svg")).hasSize(3);
    assertThat(errors(2, "report", dir.resolve("nosuch").toString())).contains("must be a folder");
  }

  @Test
  void guardNamesWhatFell(@TempDir Path dir) throws Exception {
    Path list = dir.resolve("guard.tsv");
    Files.writeString(list, "# shares\nreduce\tsum-all\tf32\t64x64\t1\t9999\n");
    assertThat(errors(1, "guard", list.toString())).contains("FELL", "1 fell by more than a fifth");
    assertThat(errors(0, "guard", list.toString(), "--update")).doesNotContain("FELL");
    assertThat(Files.readString(list)).startsWith("# shares\nreduce\tsum-all\tf32\t64x64\t1\t");
    Files.writeString(list, "gemm\tproduct\n");
    assertThat(errors(2, "guard", list.toString())).contains("a line must have 6 fields");
  }

  @Test
  void statesTimesAndPercentiles() {
    assertThat(Report.time(5e-10)).isEqualTo("0.5 ns");
    assertThat(Report.time(5e-5)).isEqualTo("50.00 us");
    assertThat(Report.time(5e-2)).isEqualTo("50.000 ms");
    assertThat(Report.time(5)).isEqualTo("5.000 s");
    assertThat(Pairs.percentile(new double[] {1, 2, 3}, 0.5)).isEqualTo(2);
    assertThat(Pairs.percentile(new double[] {1, 2}, 0.2)).isEqualTo(1.2);
    assertThat(Data.error(new double[] {1, 2}, new double[] {1, 4})).isEqualTo(0.5);
    assertThat(Data.error(new double[] {1, Double.NaN}, new double[] {1, 4})).isNaN();
    assertThat(Data.error(new double[] {1}, new double[] {1, 4})).isNaN();
    assertThat(ElementwiseFamily.normal(1)).isBetween(0.841344, 0.841345);
    assertThatThrownBy(() -> Family.named("x")).isInstanceOf(BadUsage.class);
    assertThatThrownBy(() -> Library.named("x")).isInstanceOf(BadUsage.class);
  }
}
