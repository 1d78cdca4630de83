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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Where the emulator has been built: every example runs on the same kernels as on a GPU, over a few
 * steps, with the CPU's losses and figures.
 */
class EmulatorTest {
  /** Sums of f32 in another order, through a few steps. */
  private static final double TOLERANCE = 1e-4;

  @TempDir Path folder;

  /**
   * The examples, with what makes them so small that the emulator takes seconds. Few steps: Adam
   * follows the sign of gradients that are next to nothing, and so makes much of a rounding.
   */
  static List<String> commands() {
    return List.of(
        "housing --limit 20 --epochs 2",
        "cancer --limit 30 --batch 8 --epochs 1",
        "spam --limit 30 --batch 8 --epochs 1",
        "mnist-mlp --limit 16 --batch 8 --epochs 1",
        "mnist --limit 8 --batch 4 --epochs 1",
        "denoise --limit 8 --batch 4 --epochs 1",
        "identify --limit 40 --batch 16 --epochs 1",
        "cifar10 --limit 4 --batch 2 --epochs 1",
        "alexnet --batch 1 --epochs 1",
        "detect --limit 4 --batch 2 --epochs 1",
        "gan --limit 4 --batch 2 --epochs 1",
        "diffusion --limit 4 --batch 2 --epochs 1",
        "pca --limit 60",
        "segments --limit 60",
        "recommend --limit 60 --batch 27 --epochs 1",
        "reviews --limit 6 --batch 3 --epochs 1",
        "speech --limit 100 --batch 64 --epochs 1",
        "translate --limit 2 --batch 1 --epochs 1",
        "gpt --limit 1300 --batch 8 --epochs 1",
        "gridworld --batch 16 --epochs 4",
        "connect4 --limit 1 --epochs 1");
  }

  @Test
  void noExampleIsLeftOut() {
    assertThat(commands().stream().map(command -> command.split(" ")[0]))
        .containsExactlyElementsOf(Examples.ALL.stream().map(Example::name).toList());
  }

  @ParameterizedTest
  @MethodSource("commands")
  void computesWhatTheCpuDoes(String command) throws IOException {
    assumeTrue(
        Device.all().stream().anyMatch(d -> d.kind() == DeviceKind.EMULATOR),
        "the emulator's library has not been built");
    Map<String, Double> cpu = figures(command, "cpu");
    Map<String, Double> emulator = figures(command, "emulator");
    assertThat(cpu).isNotEmpty();
    assertThat(emulator).containsOnlyKeys(cpu.keySet());
    cpu.forEach((name, value) -> {
      // shares are of few samples, so that they differ by much or not at all
      double size =
          name.toLowerCase(Locale.ROOT).contains("loss") ? value : Math.max(1, Math.abs(value));
      assertThat(emulator.get(name)).as(name).isCloseTo(value, within(TOLERANCE * size));
    });
  }

  /** The losses of training and on the test data, epoch by epoch, and the figures at the end. */
  private Map<String, Double> figures(String command, String device) throws IOException {
    Path json = folder.resolve(device + ".json");
    var args = new ArrayList<String>(List.of(command.split(" ")));
    boolean trains = Examples.find(args.getFirst()).orElseThrow().trains();
    args.addFirst(trains ? "train" : "run");
    args.addAll(List.of("--quick", "--device", device, "--json", json.toString()));
    args.addAll(List.of("--out", folder.resolve(device).toString()));
    var run = Cli.run(args.toArray(String[]::new));
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).as(run.out()).isZero();
    Map<String, Object> report = JsonParser.object(Files.readString(json));
    assertThat(report).containsEntry("device", device);
    var figures = new LinkedHashMap<String, Double>();
    for (Object row : (List<?>) report.get("epochs")) {
      var epoch = (Map<?, ?>) row;
      for (String name : List.of("loss", "testLoss")) {
        double loss = (double) epoch.get(name);
        assertThat(loss).isPositive();
        figures.put("%s %s %s".formatted(epoch.get("model"), epoch.get("epoch"), name), loss);
      }
    }
    ((Map<?, ?>) report.get("final"))
        .forEach((name, value) -> {
          if (!name.toString().matches(".*(Seconds|Gflops)")) {
            figures.put("final " + name, (Double) value);
          }
        });
    return figures;
  }
}
