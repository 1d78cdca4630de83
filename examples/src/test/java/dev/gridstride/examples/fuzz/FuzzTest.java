package dev.gridstride.examples.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.cli.Cli;
import dev.gridstride.examples.fuzz.Draw.Operand;
import dev.gridstride.examples.fuzz.Draw.Plainness;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A short run, and that the fuzzer finds, shrinks and repeats what is wrong. */
class FuzzTest {
  private static final Device CPU = Device.cpu();

  @Test
  void aShortRunFindsNothing() {
    var run = Cli.run("fuzz", "--device", "cpu", "--cases", "3000", "--seed", "77");
    assertThat(run.out())
        .isEqualTo("3000 cases on cpu: 0 failed, 0 refused as not supported%n".formatted());
    assertThat(run.code()).isZero();
  }

  /** Wrong from 6 elements on, and only for views: adds 1 to the last element. */
  private static Trial broken(Draw draw) {
    Operand x = draw.ordinary(DType.F64, draw.size(1));
    int n = x.values().length;
    double wrong = n >= 6 && !x.tensor().isContiguous() ? 1 : 0;
    double[] exact = x.values().clone();
    exact[n - 1] += wrong;
    return Trial.of(() -> x.tensor().copy(), exact, 0);
  }

  @Test
  void failuresAreMadeSmall() {
    var fuzzer = new Fuzzer(Map.of("broken", FuzzTest::broken), CPU, 70, true, true);
    int failures = 0;
    for (long seed = 0; seed < 40; seed++) {
      var failure = fuzzer.run("broken", seed);
      if (failure != null) {
        failures++;
        assertThat(failure.size()).isLessThan(70);
        assertThat(failure.strided()).isTrue();
        assertThat(failure.special()).isFalse();
        assertThat(failure.words()).contains("f64[").contains("with gaps");
        assertThat(failure.reason()).contains("exactly");
        var again =
            new Fuzzer(Map.of("broken", FuzzTest::broken), CPU, failure.size(), true, false)
                .run("broken", seed);
        assertThat(again).isNotNull();
        assertThat(failure.command("cpu"))
            .isEqualTo(
                "./gridstride fuzz --ops broken --seed %d --cases 1 --size %d --ordinary --device cpu"
                    .formatted(seed, failure.size()));
      }
    }
    assertThat(failures).isBetween(1, 39);
  }

  @Test
  void exceptionsAreFailures() {
    Trial.Family throwing =
        draw -> Trial.of(() -> Tensors.of(CPU, new float[2]).reshape(3), new double[3], 0);
    var failure = new Fuzzer(Map.of("throwing", throwing), CPU, 4, true, true).run("throwing", 1);
    assertThat(failure).isNotNull();
    assertThat(failure.reason()).contains("reshape: dims must");
  }

  @Test
  void drawnViewsHoldTheirNumbers() {
    for (long seed = 0; seed < 200; seed++) {
      try (Scope scope = Scope.open()) {
        var draw = new Draw(CPU, seed, new Plainness(9, true, true));
        for (DType type : new DType[] {DType.F32, DType.BF16, DType.F16, DType.F64, DType.I32}) {
          Operand x = draw.operand(type, draw.dims(3, 0));
          assertThat(x.tensor().toDoubleArray()).isEqualTo(x.values());
        }
      }
    }
  }

  private static String judged(DType type, double actual, double exact, double scale) {
    try (Scope scope = Scope.open()) {
      Tensor y = Tensors.of(CPU, new double[] {actual}, 1).to(type);
      return Judge.mistake(new Trial(() -> y, new double[] {exact}, new double[] {scale}, 2), y);
    }
  }

  @Test
  void judgesByTheTypesPrecision() {
    double eps = 0x1p-23;
    assertThat(judged(DType.F32, 1 + 2 * eps, 1, 1)).isNull();
    assertThat(judged(DType.F32, 1 + 5 * eps, 1, 1)).contains("element 0");
    assertThat(judged(DType.F32, 1 + 5 * eps, 1, 4)).isNull();
    assertThat(judged(DType.F64, 1 + 2 * eps, 1, 1)).contains("tolerance");
    assertThat(judged(DType.F32, Double.NaN, 1, 1)).isNotNull();
    assertThat(judged(DType.F32, 1, Double.NaN, 1)).isNotNull();
    assertThat(judged(DType.F32, Double.NaN, Double.NaN, 1)).isNull();
    assertThat(judged(DType.F32, 1 / 0.0, 1e39, 0)).isNull();
    assertThat(judged(DType.F32, -1 / 0.0, 1e39, 0)).isNotNull();
    assertThat(judged(DType.F32, 1 / 0.0, 3e38, 0)).isNotNull();
    assertThat(judged(DType.F32, 5, 7, 1e38)).isNull(); // sums of this size may overflow
    assertThat(judged(DType.I32, 5, 6, 100)).isNotNull();
  }
}
