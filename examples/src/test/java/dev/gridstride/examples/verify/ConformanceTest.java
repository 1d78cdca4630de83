package dev.gridstride.examples.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import dev.gridstride.examples.cli.Cli;
import dev.gridstride.examples.report.JsonParser;
import dev.gridstride.examples.verify.Verdict.Status;
import dev.gridstride.io.Npy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bundled conformance cases, and what {@code verify} says of cases that do not hold. */
class ConformanceTest {
  private static final Path CASES = Path.of("src/test/resources/conformance/onnx");

  @TempDir Path folder;

  @Test
  void allBundledCasesHold() throws IOException {
    List<Path> cases = Verifier.cases(CASES);
    assertThat(cases).hasSize(174);
    var verifier = new Verifier(Device.cpu(), null, null);
    for (Path c : cases) {
      Verdict verdict = verifier.run(c);
      assertThat(verdict.status()).as(verdict.json()).isEqualTo(Status.PASS);
    }
  }

  @Test
  void printsALineForEachCaseAndTheCounts() {
    var run = Cli.run("verify", CASES + "/test_matmul_3d", CASES + "/test_celu", "--device", "cpu");
    assertThat(run.code()).isZero();
    List<String> lines = run.out().lines().toList();
    assertThat(lines).hasSize(3);
    Map<String, Object> first = JsonParser.object(lines.getFirst());
    assertThat(first)
        .containsOnlyKeys("case", "op", "device", "status", "maxAbsError", "maxRelError", "reason")
        .containsEntry("case", "test_matmul_3d")
        .containsEntry("op", "MatMul")
        .containsEntry("device", "cpu")
        .containsEntry("status", "pass")
        .containsEntry("reason", "");
    assertThat(lines.getLast()).isEqualTo("{\"pass\": 2, \"fail\": 0, \"unsupported\": 0}");
  }

  @Test
  void anotherExpectedValueFails() throws IOException {
    Path c = copy("test_celu");
    Path output = c.resolve("output_0.npy");
    try (Scope scope = Scope.open()) {
      Tensor y = Npy.read(Device.cpu(), output);
      Npy.write(output, y.add(2e-5)); // values below 1: beyond 1e-6 + 1e-5
    }
    var run = Cli.run("verify", folder.toString(), "--device", "cpu");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains("\"status\": \"fail\"", "expected", "\"fail\": 1");
    assertThat(Cli.run("verify", folder.toString(), "--atol", "1e-4").code()).isZero();
  }

  @Test
  void anotherShapeOrTypeFails() throws IOException {
    Path output = copy("test_celu").resolve("output_0.npy");
    try (Scope scope = Scope.open()) {
      Tensor y = Npy.read(Device.cpu(), output);
      Npy.write(output, y.unsqueeze(0));
      assertThat(verdict().status()).isEqualTo(Status.FAIL);
      Npy.write(output, y.to(dev.gridstride.device.DType.F64));
      assertThat(verdict().status()).isEqualTo(Status.FAIL);
      assertThat(verdict().reason()).contains("expected f64", "computed f32");
    }
  }

  @Test
  void notANumberIsOnlyEqualToItself() throws IOException {
    Path output = copy("test_celu").resolve("output_0.npy");
    try (Scope scope = Scope.open()) {
      Tensor y = Npy.read(Device.cpu(), output);
      Npy.write(output, y.mul(Double.NaN));
      assertThat(verdict().status()).isEqualTo(Status.FAIL);
      Npy.write(output, Tensors.full(Device.cpu(), y.dtype(), 1 / 0.0, y.shape().dims()));
      assertThat(verdict().status()).isEqualTo(Status.FAIL);
    }
  }

  @Test
  void whatIsNotOfferedIsUnsupported() throws IOException {
    Path c = copy("test_celu");
    String json = Files.readString(c.resolve(Case.FILE));
    Files.writeString(c.resolve(Case.FILE), json.replace("\"Celu\"", "\"Loop\""));
    Verdict verdict = verdict();
    assertThat(verdict.status()).isEqualTo(Status.UNSUPPORTED);
    assertThat(verdict.reason()).isEqualTo("there is no operator Loop of domain ''");
    Files.writeString(c.resolve(Case.FILE), json.replace("\"float32\"", "\"int8\""));
    assertThat(verdict().status()).isEqualTo(Status.UNSUPPORTED);
    assertThat(Cli.run("verify", folder.toString(), "--device", "cpu").code()).isZero();
  }

  @Test
  void brokenCasesFail() throws IOException {
    Path c = copy("test_celu");
    String json = Files.readString(c.resolve(Case.FILE));
    for (String text :
        List.of(
            "",
            "[]",
            "{}",
            json.substring(0, 200),
            json.replace("\"nodes\"", "\"notes\""),
            json.replace("input_0.npy", "../input_0.npy"),
            json.replace("input_0.npy", "none.npy"))) {
      Files.writeString(c.resolve(Case.FILE), text);
      Verdict verdict = verdict();
      assertThat(verdict.status()).as(text).isEqualTo(Status.FAIL);
      assertThat(verdict.reason()).isNotBlank();
    }
  }

  private Verdict verdict() throws IOException {
    return new Verifier(Device.cpu(), null, null).run(Verifier.cases(folder).getFirst());
  }

  private Path copy(String name) throws IOException {
    Path target = Files.createDirectory(folder.resolve(name));
    try (var files = Files.list(CASES.resolve(name))) {
      for (Path file : files.toList()) {
        Files.copy(file, target.resolve(file.getFileName()));
      }
    }
    return target;
  }
}
