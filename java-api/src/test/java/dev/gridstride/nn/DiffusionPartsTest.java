package dev.gridstride.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.optim.SGD;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What diffusion models are made of, against plain loops in double. */
@ExtendWith(TestDevice.class)
class DiffusionPartsTest {
  private static final Device DEVICE = TestDevice.get();

  /** Two products of numbers below 8 and their sum, each rounded to f32. */
  private static final double TOLERANCE = 4 * 8 * 0x1p-24;

  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Tensor normal(long seed, long... dims) {
    return new Generator(seed).normal(DEVICE, DType.F32, 0, 1, dims);
  }

  @Test
  void theCosineFallsFromOneToNearlyNothing() {
    for (int steps : new int[] {1, 2, 50, 400, 1000}) {
      NoiseSchedule schedule = NoiseSchedule.cosine(steps);
      assertThat(schedule.steps()).isEqualTo(steps);
      assertThat(schedule.signal(0)).isEqualTo(1);
      double start = Math.pow(Math.cos(0.008 / 1.008 * Math.PI / 2), 2);
      for (int t = 1; t <= steps; t++) {
        assertThat(schedule.signal(t)).isPositive().isLessThan(schedule.signal(t - 1));
        assertThat(schedule.signal(t) / schedule.signal(t - 1)).isGreaterThan(0.00099);
        if (t < steps) { // the last step of all would lose everything
          double angle = (t / (double) steps + 0.008) / 1.008 * Math.PI / 2;
          double wanted = Math.pow(Math.cos(angle), 2) / start;
          // a product of up to 1,000 ratios
          assertThat(schedule.signal(t)).isCloseTo(wanted, within(1e-11 * wanted));
        }
      }
      assertThat(schedule.signal(steps)).isLessThan(0.0011);
    }
  }

  @Test
  void picturesAndNoiseAreMixedAndTakenApart() {
    NoiseSchedule schedule = NoiseSchedule.cosine(40);
    Tensor x = normal(1, 3, 2, 5);
    Tensor noise = normal(2, 3, 2, 5);
    long[] at = {0, 17, 40};
    Tensor steps = Tensors.of(DEVICE, at);
    double[] xs = x.toDoubleArray();
    double[] es = noise.toDoubleArray();
    Tensor z = schedule.noisy(x, noise, steps);
    Tensor v = schedule.velocity(x, noise, steps);
    double[] zs = z.toDoubleArray();
    double[] vs = v.toDoubleArray();
    for (int i = 0; i < xs.length; i++) {
      double a = schedule.signal((int) at[i / 10]);
      double signal = Math.sqrt(a);
      double other = Math.sqrt(1 - a);
      assertThat(zs[i]).isCloseTo(signal * xs[i] + other * es[i], within(TOLERANCE));
      assertThat(vs[i]).isCloseTo(signal * es[i] - other * xs[i], within(TOLERANCE));
    }
    for (int i = 0; i < at.length; i++) {
      Tensor clean = schedule.clean(z.slice(0, i, i + 1), v.slice(0, i, i + 1), (int) at[i]);
      double[] back = clean.toDoubleArray();
      for (int k = 0; k < back.length; k++) {
        assertThat(back[k]).isCloseTo(xs[i * 10 + k], within(4 * TOLERANCE));
      }
    }
  }

  @Test
  void aMoveThatKnowsThePictureKeepsItsNoise() {
    NoiseSchedule schedule = NoiseSchedule.cosine(40);
    Tensor x = normal(3, 2, 7);
    Tensor noise = normal(4, 2, 7);
    Tensor z = schedule.noisy(x, noise, Tensors.of(DEVICE, new long[] {30, 30}));
    for (int to : new int[] {30, 29, 11, 1, 0}) {
      double[] wanted =
          schedule.noisy(x, noise, Tensors.of(DEVICE, new long[] {to, to})).toDoubleArray();
      double[] moved = schedule.ddim(z, x, 30, to).toDoubleArray();
      for (int i = 0; i < moved.length; i++) {
        assertThat(moved[i]).isCloseTo(wanted[i], within(4 * TOLERANCE));
      }
    }
  }

  @Test
  void theWayGoesFromNoiseToThePicture() {
    NoiseSchedule schedule = NoiseSchedule.cosine(10);
    assertThat(schedule.way(1)).containsExactly(10, 0);
    assertThat(schedule.way(4)).containsExactly(10, 7, 5, 2, 0);
    assertThat(schedule.way(10)).containsExactly(10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  }

  @Test
  void schedulesRefuseWhatDoesNotFit() {
    NoiseSchedule schedule = NoiseSchedule.cosine(10);
    Tensor x = normal(1, 3, 2);
    Tensor steps = Tensors.of(DEVICE, new long[] {1, 2, 3});
    assertThatThrownBy(() -> NoiseSchedule.cosine(0))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("noiseSchedule: steps must be at least 1; steps=0");
    assertThatThrownBy(() -> schedule.signal(11))
        .hasMessage("noiseSchedule: step must be in 0..steps; step=11, steps=10");
    assertThatThrownBy(() -> schedule.signal(-1)).hasMessageContaining("step=-1");
    assertThatThrownBy(() -> schedule.way(11)).hasMessageContaining("moves must be in 1..steps");
    assertThatThrownBy(() -> schedule.way(0)).hasMessageContaining("moves must be in 1..steps");
    assertThatThrownBy(() -> schedule.ddim(x, x, 3, 4)).hasMessageContaining("must go down");
    assertThatThrownBy(() -> schedule.ddim(x, x, 0, 0)).hasMessageContaining("must go down");
    assertThatThrownBy(() -> schedule.noisy(x, normal(2, 3, 1), steps))
        .hasMessageStartingWith("noiseSchedule.noisy: x, noise and steps must be");
    assertThatThrownBy(() -> schedule.velocity(x, x, steps.slice(0, 0, 2)))
        .hasMessageStartingWith("noiseSchedule.velocity: x, noise and steps must be");
    assertThatThrownBy(() -> schedule.noisy(x.to(DType.F64), x.to(DType.F64), steps))
        .hasMessageContaining("must be f32");
    Tensor beyond = Tensors.of(DEVICE, new long[] {1, 2, 11});
    assertThatThrownBy(() -> schedule.noisy(x, x, beyond)).hasMessageContaining("11");
  }

  @Test
  void wavesTellNumbersApart() {
    Tensor table = Init.sinusoidal(DEVICE, DType.F64, 5, 6);
    assertThat(table.shape()).isEqualTo(Shape.of(5, 6));
    double[] x = table.toDoubleArray();
    for (int i = 0; i < 5; i++) {
      for (int k = 0; k < 3; k++) {
        double angle = i / Math.pow(10_000, k / 3.0);
        assertThat(x[i * 6 + k]).isCloseTo(Math.sin(angle), within(1e-14));
        assertThat(x[i * 6 + 3 + k]).isCloseTo(Math.cos(angle), within(1e-14));
      }
    }
    assertThat(Init.sinusoidal(DEVICE, DType.F32, 0, 2).count()).isZero();
    assertThatThrownBy(() -> Init.sinusoidal(DEVICE, DType.F32, 3, 5))
        .hasMessageContaining("must be even and at least 2; entries=3, size=5");
  }

  private static Sequential part(long seed) {
    var g = new Generator(seed);
    return new Sequential(new Linear(DEVICE, g, 3, 4), new BatchNorm1d(DEVICE, 4));
  }

  @Test
  void theAverageFollowsTheTrainedWeights() {
    try (var both = Averaged.of(() -> part(1), 0.4);
        var algorithm = new SGD(both.trained().parameters(), 0.01, 0)) {
      Tensor mean = both.average().namedParameters().get("0.weight");
      Tensor weight = both.trained().namedParameters().get("0.weight");
      assertThat(mean.toFloatArray()).isEqualTo(weight.toFloatArray());
      double[] wanted = weight.toDoubleArray();
      for (int step = 0; step < 12; step++) {
        both.forward(normal(step, 5, 3)).mul(normal(-step, 5, 4)).sum().backward();
        algorithm.step();
        both.zeroGrad();
        both.update(step);
        // the first steps count more: 1/10, 2/11, ..., until 0.4 is reached
        double decay = Math.min(0.4, (step + 1) / (step + 10.0));
        double[] now = weight.toDoubleArray();
        double[] found = mean.toDoubleArray();
        for (int i = 0; i < wanted.length; i++) {
          wanted[i] = decay * wanted[i] + (1 - decay) * now[i];
          // three roundings a step of numbers below 4, of which earlier ones fade
          assertThat(found[i]).isCloseTo(wanted[i], within(8 * 4 * 0x1p-24));
        }
      }
      assertThat(mean.toFloatArray()).isNotEqualTo(weight.toFloatArray());
      assertThat(both.average().state().get("1.running_mean").toFloatArray())
          .isEqualTo(both.trained().state().get("1.running_mean").toFloatArray());
      assertThat(mean.grad()).isNull();
      both.eval();
      Tensor x = normal(7, 2, 3);
      assertThat(both.forward(x).toFloatArray())
          .isEqualTo(both.average().forward(x).toFloatArray())
          .isNotEqualTo(both.trained().forward(x).toFloatArray());
      assertThat(both.state()).containsKeys("trained.0.weight", "average.0.weight");
      assertThatThrownBy(() -> both.update(-1)).hasMessageContaining("must not be negative");
    }
    try (var one = part(1)) {
      assertThatThrownBy(() -> Averaged.of(() -> one, 0.9))
          .hasMessageContaining("must make another module each time");
      assertThatThrownBy(() -> Averaged.of(() -> one, 1)).hasMessageContaining("decay=1.0");
      assertThatThrownBy(() -> Averaged.of(() -> one, Double.NaN)).hasMessageContaining("NaN");
    }
  }
}
