package dev.gridstride.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.examples.cli.Cli;
import dev.gridstride.examples.report.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where the emulator has been built: the same kernels as on a GPU, over a few steps. */
class EmulatorTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"mnist, 32, 8", "identify, 40, 16", "diffusion, 4, 2", "gan, 4, 2"})
  void trainsAsTheCpuDoes(String example, int limit, int batch) throws IOException {
    assumeTrue(
        Device.all().stream().anyMatch(d -> d.kind() == DeviceKind.EMULATOR),
        "the emulator's library has not been built");
    List<Double> cpu = losses(example, "cpu", limit, batch);
    List<Double> emulator = losses(example, "emulator", limit, batch);
    assertThat(cpu).hasSizeGreaterThanOrEqualTo(2).allMatch(loss -> loss > 0);
    assertThat(emulator).hasSameSizeAs(cpu);
    for (int i = 0; i < cpu.size(); i++) {
      // sums of f32 in another order, through a few steps
      assertThat(emulator.get(i)).isCloseTo(cpu.get(i), within(1e-4 * cpu.get(i)));
    }
  }

  /** Of training, of the test images and at the end, of each model that the example trains. */
  private List<Double> losses(String example, String device, int limit, int batch)
      throws IOException {
    Path json = folder.resolve(device + ".json");
    var run =
        Cli.run(
            "train",
            example,
            "--device",
            device,
            "--quick",
            "--limit",
            Integer.toString(limit),
            "--batch",
            Integer.toString(batch),
            "--epochs",
            "1",
            "--out",
            folder.resolve(device).toString(),
            "--json",
            json.toString());
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).as(run.out()).isZero();
    Map<String, Object> report = JsonParser.object(Files.readString(json));
    assertThat(report).containsEntry("device", device);
    var losses = new ArrayList<Double>();
    var last = Map.<Object, Object>of();
    for (Object epoch : (List<?>) report.get("epochs")) {
      last = Map.copyOf((Map<?, ?>) epoch);
      losses.add((double) last.get("loss"));
      losses.add((double) last.get("testLoss"));
    }
    assertThat(last.getOrDefault("model", example)).isEqualTo(example);
    if (((Map<?, ?>) report.get("final")).get("loss") instanceof Double end) {
      losses.add(end);
    }
    return losses;
  }
}
