package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Pool.Kind;
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Pooling against loops over every tap of every window, the padding included. */
@ExtendWith(TestDevice.class)
class PoolTest {
  private static final Device DEVICE = TestDevice.get();

  static Stream<Pool> cases() {
    var axes =
        List.of(
            List.of(PoolAxis.of(7, 2)),
            List.of(PoolAxis.of(4, 2), PoolAxis.of(6, 2)),
            List.of(
                PoolAxis.of(5, 3).withStride(1).withPadding(1, 1),
                PoolAxis.of(7, 3).withStride(2).withPadding(0, 2)),
            List.of(
                PoolAxis.of(9, 3).withStride(2).withDilation(2),
                PoolAxis.of(6, 2).withStride(3).withCeil()),
            List.of(PoolAxis.of(3, 2).withStride(3).withPadding(2, 2).withCeil()),
            List.of(PoolAxis.of(4, 2), PoolAxis.of(3, 3), PoolAxis.of(5, 2).withStride(1)),
            List.of(PoolAxis.of(3, 3), PoolAxis.of(5, 5)),
            // the last windows lie in part beyond what is padded, which counts in no mean
            List.of(
                PoolAxis.of(6, 3).withStride(2).withCeil(),
                PoolAxis.of(6, 4).withStride(3).withPadding(1, 1).withCeil()));
    var cases = new ArrayList<Pool>();
    for (Kind kind : Kind.values()) {
      for (ImageLayout layout : ImageLayout.values()) {
        for (var a : axes) {
          for (int channels : new int[] {1, 3, 16, 67}) {
            cases.add(new Pool(kind, DType.F32, layout, 2, channels, a, channels == 3));
          }
          cases.add(new Pool(kind, DType.F64, layout, 3, 2, a, false));
          cases.add(new Pool(kind, DType.BF16, layout, 1, 5, a, false));
        }
        cases.add(new Pool(kind, DType.F32, layout, 0, 3, axes.get(1), false));
        cases.add(new Pool(kind, DType.F32, layout, 2, 0, axes.get(1), false));
      }
    }
    return cases.stream();
  }

  private static long count(long[] dims) {
    return Layout.contiguous(dims).count();
  }

  /** Place of element (n, c, pixel) in the op's layout. */
  private static int at(Pool op, long pixels, long n, long c, long pixel) {
    return (int)
        (op.layout() == ImageLayout.NCHW
            ? (n * op.c() + c) * pixels + pixel
            : (n * pixels + pixel) * op.c() + c);
  }

  private interface Window {
    /** taps: places of the window's elements in x, -1 in the padding; padded: how many count. */
    void run(int y, int[] taps, int padded);
  }

  private static void eachWindow(Pool op, Window body) {
    int rank = op.axes().size();
    long in = 1;
    long out = 1;
    long taps = 1;
    for (var a : op.axes()) {
      in *= a.size();
      out *= a.out();
      taps *= a.kernel();
    }
    for (long n = 0; n < op.n(); n++) {
      for (long c = 0; c < op.c(); c++) {
        for (long o = 0; o < out; o++) {
          var places = new int[(int) taps];
          int padded = 0;
          for (long t = 0; t < taps; t++) {
            long restO = o;
            long restT = t;
            long pixel = 0;
            long step = 1;
            boolean inside = true;
            boolean insidePadded = true;
            for (int i = rank - 1; i >= 0; i--) {
              var a = op.axes().get(i);
              long p =
                  restO % a.out() * a.stride() - a.padBegin() + restT % a.kernel() * a.dilation();
              restO /= a.out();
              restT /= a.kernel();
              inside &= p >= 0 && p < a.size();
              insidePadded &= p < a.size() + a.padEnd();
              pixel += p * step;
              step *= a.size();
            }
            places[(int) t] = inside ? at(op, in, n, c, pixel) : -1;
            padded += insidePadded ? 1 : 0;
          }
          body.run(at(op, out, n, c, o), places, padded);
        }
      }
    }
  }

  private static double divisor(Pool op, int[] taps, int padded) {
    long inside = Arrays.stream(taps).filter(t -> t >= 0).count();
    return Math.max(1, op.countIncludePad() ? padded : inside);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void matchesOracle(Pool op) {
    long nx = count(op.inputDims());
    long ny = count(op.outputDims());
    // few distinct values, so that equal maxima occur
    double[] xs = TestArray.integers(nx, 5);
    var y = new double[(int) ny];
    var index = new double[(int) ny];
    var dx = new double[(int) nx];
    try (var x = TestArray.of(DEVICE, op.type(), xs);
        var yOut = TestArray.output(DEVICE, op.type(), ny);
        var indices = TestArray.output(DEVICE, DType.I64, ny);
        var dy = TestArray.normal(DEVICE, op.type(), ny, 6);
        var dxOut = TestArray.output(DEVICE, op.type(), nx)) {
      double[] dys = dy.get();
      eachWindow(
          op,
          (o, taps, padded) -> {
            if (op.kind() == Kind.AVERAGE) {
              for (int t : taps) {
                if (t >= 0) {
                  y[o] += xs[t] / divisor(op, taps, padded);
                  dx[t] += dys[o] / divisor(op, taps, padded);
                }
              }
              return;
            }
            int best = -1;
            for (int t : taps) {
              if (t >= 0 && (best < 0 || xs[t] > xs[best])) {
                best = t;
              }
            }
            y[o] = best < 0 ? Double.NEGATIVE_INFINITY : xs[best];
            index[o] = best < 0 ? -1 : plane(op, best);
            if (best >= 0) {
              dx[best] += dys[o];
            }
          });
      var plan = DEVICE.plan(op);
      boolean max = op.kind() == Kind.MAX;
      plan.forward(
          DEVICE.defaultStream(), x.buffer(), yOut.buffer(), max ? indices.buffer() : null);
      // sums of at most 25 small integers are exact; the division rounds once
      double tol = 2 * op.type().epsilon();
      assertClose("y", yOut.get(), y, tol, tol);
      if (max) {
        assertSameBits("indices", indices.get(), index);
      }
      plan.backward(
          DEVICE.defaultStream(),
          max ? x.buffer() : null,
          max ? yOut.buffer() : null,
          dy.buffer(),
          dxOut.buffer());
      // an element lies in at most 9 windows; bf16 sums round at each step
      assertClose("dx", dxOut.get(), dx, 12 * op.type().epsilon(), 12 * op.type().epsilon());
    }
  }

  private static double plane(Pool op, int place) {
    long pixels = op.axes().stream().mapToLong(PoolAxis::size).reduce(1, (a, b) -> a * b);
    return op.layout() == ImageLayout.NCHW ? place % pixels : place / op.c() % pixels;
  }

  @ParameterizedTest
  @MethodSource("nanCases")
  void nanWinsAndTakesTheGradient(int channels) {
    var op =
        new Pool(
            Kind.MAX, DType.F32, ImageLayout.NHWC, 1, channels, List.of(PoolAxis.of(3, 3)), false);
    var xs = new double[3 * channels];
    Arrays.fill(xs, channels, 3 * channels, Double.NaN);
    var expected = new double[3 * channels];
    Arrays.fill(expected, channels, 2 * channels, 2);
    try (var x = TestArray.of(DEVICE, DType.F32, xs);
        var y = TestArray.output(DEVICE, DType.F32, channels);
        var dy = TestArray.output(DEVICE, DType.F32, channels);
        var dx = TestArray.output(DEVICE, DType.F32, 3 * channels)) {
      var twos = new double[channels];
      Arrays.fill(twos, 2);
      dy.set(twos);
      var plan = DEVICE.plan(op);
      plan.forward(DEVICE.defaultStream(), x.buffer(), y.buffer());
      assertThat(y.get()).containsOnly(Double.NaN);
      plan.backward(DEVICE.defaultStream(), x.buffer(), y.buffer(), dy.buffer(), dx.buffer());
      assertSameBits("dx", dx.get(), expected);
    }
  }

  static Stream<Integer> nanCases() {
    return Stream.of(1, 16, 19);
  }

  @Test
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreads() {
    var op =
        Pool.of(
                Kind.AVERAGE,
                3,
                130,
                PoolAxis.of(9, 3).withStride(1),
                PoolAxis.of(9, 3).withStride(1))
            .with(DType.F32, ImageLayout.NHWC);
    int before = DEVICE.threads();
    try (var dy = TestArray.normal(DEVICE, DType.F32, count(op.outputDims()), 1);
        var dx1 = TestArray.output(DEVICE, DType.F32, count(op.inputDims()));
        var dx2 = TestArray.output(DEVICE, DType.F32, count(op.inputDims()))) {
      DEVICE.threads(1);
      DEVICE.plan(op).backward(DEVICE.defaultStream(), null, null, dy.buffer(), dx1.buffer());
      DEVICE.threads(3);
      DEVICE.plan(op).backward(DEVICE.defaultStream(), null, null, dy.buffer(), dx2.buffer());
      assertSameBits("dx", dx2.get(), dx1.get());
    } finally {
      DEVICE.threads(before);
    }
  }

  @Test
  void refusesBadArguments() {
    assertThatThrownBy(() -> PoolAxis.of(3, 4))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("pool: kernel must not be larger than the padded input; kernel=4");
    assertThatThrownBy(() -> PoolAxis.of(3, 0)).hasMessageContaining("kernel must be in 1..2^31-1");
    assertThatThrownBy(() -> PoolAxis.of(3, 2).withStride(0)).hasMessageContaining("stride");
    assertThatThrownBy(() -> PoolAxis.of(3, 2).withPadding(-1, 0)).hasMessageContaining("padBegin");
    assertThatThrownBy(() -> Pool.of(Kind.MAX, -1, 2, PoolAxis.of(3, 2)))
        .hasMessage("pool: sizes must not be negative; n=-1, c=2");
    assertThatThrownBy(() -> Pool.of(Kind.MAX, 1, 2)).hasMessageContaining("1 to 3 spatial");
    assertThatThrownBy(
            () -> Pool.of(Kind.MAX, 1, 1, PoolAxis.of(3, 2)).with(DType.I32, ImageLayout.NCHW))
        .hasMessageContaining("type must be f64, f32, bf16 or f16");
    var max = DEVICE.plan(Pool.of(Kind.MAX, 1, 1, PoolAxis.of(4, 2)));
    var average = DEVICE.plan(Pool.of(Kind.AVERAGE, 1, 1, PoolAxis.of(4, 2)).withCountIncludePad());
    try (var x = TestArray.normal(DEVICE, DType.F32, 4, 1);
        var y = TestArray.output(DEVICE, DType.F32, 2);
        var i = TestArray.output(DEVICE, DType.I64, 2)) {
      var s = DEVICE.defaultStream();
      assertThatThrownBy(() -> max.forward(s, x.buffer(), x.buffer()))
          .hasMessageContaining("y must not overlap x");
      assertThatThrownBy(() -> average.forward(s, x.buffer(), y.buffer(), i.buffer()))
          .hasMessageContaining("indices must be null for averages");
      assertThatThrownBy(() -> max.backward(s, null, y.buffer(), y.buffer(), x.buffer()))
          .hasMessageContaining("x and y must be given");
      assertThatThrownBy(() -> max.forward(s, y.buffer(), y.buffer()))
          .hasMessageContaining("x must hold at least 4 elements of f32");
    }
    assertThat(max.explain().toString())
        .contains(TestDevice.isCpu() ? "one channel at a time" : "cuda");
  }
}
