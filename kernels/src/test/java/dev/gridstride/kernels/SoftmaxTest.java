package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.testing.TestArray;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Softmax and log-softmax against plain loops in double. */
@ExtendWith(TestDevice.class)
class SoftmaxTest {
  private static final Device DEVICE = TestDevice.get();

  static Stream<Softmax> cases() {
    // around one vector, 8 vectors (from which on loops are unrolled), and two runs; rows of an odd
    // size begin at every distance from an aligned address
    long[] sizes = {1, 2, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 143, 1007, 2061};
    return Stream.of(DType.F32, DType.F64, DType.BF16, DType.F16)
        .flatMap(type ->
            Arrays.stream(sizes)
                .boxed()
                .flatMap(n ->
                    Stream.of(
                        new Softmax(5, n, 1, type, false),
                        new Softmax(5, n, 1, type, true),
                        new Softmax(3, n, 4, type, false),
                        new Softmax(3, n, 4, type, true))));
  }

  /** Rows of whole vectors, more than are done together, and a last few. */
  static Stream<Softmax> shortRows() {
    return Stream.of(16, 48, 64, 112, 256, 512, 528, 1024)
        .flatMap(n ->
            Stream.of(
                new Softmax(37, n, 1, DType.F32, false), new Softmax(37, n, 1, DType.F32, true)));
  }

  /** Each output is a handful of roundings from exact; sums of n terms add at most n/2 of them. */
  private static double tolerance(Softmax op) {
    return (8 + op.size() / 16.0) * op.type().epsilon();
  }

  @ParameterizedTest
  @MethodSource({"cases", "shortRows"})
  void matchesOracle(Softmax op) {
    try (var x = TestArray.normal(DEVICE, op.type(), op.count(), 1);
        var y = TestArray.output(DEVICE, op.type(), op.count());
        var dy = TestArray.normal(DEVICE, op.type(), op.count(), 2);
        var dx = TestArray.output(DEVICE, op.type(), op.count())) {
      var plan = DEVICE.plan(op);
      plan.forward(DEVICE.defaultStream(), x.buffer(), y.buffer());
      var expected = forward(op, x.get());
      assertClose("y", y.get(), expected, tolerance(op), tolerance(op));
      plan.backward(DEVICE.defaultStream(), y.buffer(), dy.buffer(), dx.buffer());
      double tol = 16 * tolerance(op) * Math.sqrt((double) op.size());
      // a gradient of softmax is a multiple of y, which is small in a long row
      double largest = op.log() ? 1 : Arrays.stream(y.get()).max().orElse(1);
      assertClose("dx", dx.get(), backward(op, y.get(), dy.get()), tol, tol * largest);
    }
  }

  /**
   * Rows at every distance from an aligned address: a loop's first vector must not be read twice.
   */
  @ParameterizedTest
  @ValueSource(longs = {9, 64, 100, 129, 145, 2049})
  void worksInPlace(long size) {
    for (boolean log : new boolean[] {false, true}) {
      var op = new Softmax(17, size, 1, DType.F32, log);
      var stream = DEVICE.defaultStream();
      var plan = DEVICE.plan(op);
      try (var x = TestArray.normal(DEVICE, op.type(), op.count(), 1);
          var y = TestArray.output(DEVICE, op.type(), op.count());
          var dy = TestArray.normal(DEVICE, op.type(), op.count(), 2);
          var dx = TestArray.output(DEVICE, op.type(), op.count())) {
        plan.forward(stream, x.buffer(), y.buffer());
        plan.forward(stream, x.buffer(), x.buffer());
        assertSameBits("y over x", x.get(), y.get());
        plan.backward(stream, y.buffer(), dy.buffer(), dx.buffer());
        plan.backward(stream, y.buffer(), dy.buffer(), dy.buffer());
        assertSameBits("dx over dy", dy.get(), dx.get());
      }
    }
  }

  private interface Row {
    void run(int first);
  }

  private static void eachRow(Softmax op, Row row) {
    for (int o = 0; o < op.outer(); o++) {
      for (int i = 0; i < op.inner(); i++) {
        row.run((int) (o * op.size() * op.inner() + i));
      }
    }
  }

  private static double[] forward(Softmax op, double[] x) {
    var y = new double[x.length];
    int n = (int) op.size();
    int step = (int) op.inner();
    eachRow(
        op,
        at -> {
          double max = Double.NEGATIVE_INFINITY;
          double sum = 0;
          for (int k = 0; k < n; k++) {
            max = Math.max(max, x[at + k * step]);
          }
          for (int k = 0; k < n; k++) {
            sum += Math.exp(x[at + k * step] - max);
          }
          for (int k = 0; k < n; k++) {
            double d = x[at + k * step] - max;
            y[at + k * step] = op.log() ? d - Math.log(sum) : Math.exp(d) / sum;
          }
        });
    return y;
  }

  private static double[] backward(Softmax op, double[] y, double[] dy) {
    var dx = new double[y.length];
    int n = (int) op.size();
    int step = (int) op.inner();
    eachRow(
        op,
        at -> {
          for (int k = 0; k < n; k++) {
            double p = op.log() ? Math.exp(y[at + k * step]) : y[at + k * step];
            for (int j = 0; j < n; j++) {
              double v = y[at + j * step];
              double jacobian = (j == k ? 1 : 0) - (op.log() ? p : v);
              dx[at + k * step] += dy[at + j * step] * jacobian * (op.log() ? 1 : p);
            }
          }
        });
    return dx;
  }

  @ParameterizedTest
  @MethodSource("extremes")
  void survivesExtremes(double[] x, double[] expected) {
    checkExtremes(x, expected);
    // as a row of whole vectors
    var wide = Arrays.copyOf(x, 64);
    Arrays.fill(wide, x.length, 64, Double.NEGATIVE_INFINITY);
    var wideExpected = Arrays.copyOf(expected, 64);
    Arrays.fill(wideExpected, x.length, 64, Double.isNaN(expected[0]) ? Double.NaN : 0);
    checkExtremes(wide, wideExpected);
  }

  private static void checkExtremes(double[] x, double[] expected) {
    var op = Softmax.of(DType.F32, -1, x.length);
    try (var in = TestArray.of(DEVICE, DType.F32, x);
        var out = TestArray.output(DEVICE, DType.F32, x.length)) {
      DEVICE.plan(op).forward(DEVICE.defaultStream(), in.buffer(), out.buffer());
      assertClose("y", out.get(), expected, 1e-6, 1e-30);
    }
  }

  static Stream<org.junit.jupiter.params.provider.Arguments> extremes() {
    double inf = Double.POSITIVE_INFINITY;
    double nan = Double.NaN;
    return Stream.of(
        arguments(new double[] {1e4, -1e4}, new double[] {1, 0}),
        arguments(new double[] {3e38, 3e38, -3e38}, new double[] {0.5, 0.5, 0}),
        arguments(new double[] {0, -inf}, new double[] {1, 0}),
        arguments(new double[] {-inf, -inf}, new double[] {nan, nan}),
        arguments(new double[] {inf, 0}, new double[] {nan, nan}),
        arguments(new double[] {nan, 0}, new double[] {nan, nan}));
  }

  private static org.junit.jupiter.params.provider.Arguments arguments(double[] a, double[] b) {
    return org.junit.jupiter.params.provider.Arguments.of(a, b);
  }

  /**
   * Row r has its largest element at r, so large that exponentials of others' distance overflow.
   */
  @ParameterizedTest
  @ValueSource(ints = {64, 77, 144})
  void findsTheLargestElementWhereverItIs(int n) {
    var x = new double[n * n];
    var expected = new double[n * n];
    for (int r = 0; r < n; r++) {
      x[r * n + r] = 200;
      expected[r * n + r] = 1;
    }
    var op = Softmax.of(DType.F32, -1, n, n);
    try (var in = TestArray.of(DEVICE, DType.F32, x);
        var out = TestArray.output(DEVICE, DType.F32, x.length)) {
      DEVICE.plan(op).forward(DEVICE.defaultStream(), in.buffer(), out.buffer());
      assertClose("y", out.get(), expected, 1e-6, 1e-30);
    }
  }

  @ParameterizedTest
  @ResourceLock("threads")
  @ValueSource(longs = {64, 77})
  void sameBitsForAnyNumberOfThreads(long size) {
    var op = Softmax.of(DType.F32, -1, 999, size);
    int before = DEVICE.threads();
    try (var x = TestArray.normal(DEVICE, DType.F32, op.count(), 1);
        var y1 = TestArray.output(DEVICE, DType.F32, op.count());
        var y2 = TestArray.output(DEVICE, DType.F32, op.count())) {
      DEVICE.threads(1);
      DEVICE.plan(op).forward(DEVICE.defaultStream(), x.buffer(), y1.buffer());
      DEVICE.threads(3);
      DEVICE.plan(op).forward(DEVICE.defaultStream(), x.buffer(), y2.buffer());
      assertSameBits("y", y2.get(), y1.get());
    } finally {
      DEVICE.threads(before);
    }
  }

  @Test
  void emptySizesWriteNothing() {
    for (var op :
        new Softmax[] {Softmax.of(DType.F32, -1, 0, 4), Softmax.of(DType.F32, -1, 4, 0)}) {
      try (var x = TestArray.output(DEVICE, DType.F32, 0)) {
        DEVICE.plan(op).forward(DEVICE.defaultStream(), x.buffer(), x.buffer());
        DEVICE.plan(op).backward(DEVICE.defaultStream(), x.buffer(), x.buffer(), x.buffer());
        assertThat(x.get()).isEmpty();
      }
    }
  }

  @Test
  void refusesBadArguments() {
    assertThatThrownBy(() -> new Softmax(-1, 2, 3, DType.F32, false))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("softmax: sizes must not be negative; outer=-1, size=2, inner=3");
    assertThatThrownBy(() -> new Softmax(1, 2, 3, DType.I32, false))
        .hasMessage("softmax: type must be f64, f32, bf16 or f16; type=i32");
    assertThatThrownBy(() -> Softmax.of(DType.F32, 2, 4, 5))
        .hasMessage("softmax: axis must name a dimension; axis=2, dims=[4, 5]");
    var plan = DEVICE.plan(Softmax.of(DType.F32, -1, 4));
    try (var x = TestArray.normal(DEVICE, DType.F32, 4, 1);
        var small = TestArray.normal(DEVICE, DType.F32, 3, 1)) {
      assertThatThrownBy(() -> plan.forward(DEVICE.defaultStream(), x.buffer(), small.buffer()))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage(
              "softmax: y must hold at least 4 elements of f32; needed bytes=16, y bytes=12");
      var closed = DEVICE.allocate(16);
      closed.close();
      assertThatThrownBy(() -> plan.forward(DEVICE.defaultStream(), x.buffer(), closed))
          .isInstanceOf(ClosedException.class)
          .hasMessageStartingWith("softmax: the buffer of 16 bytes has been closed");
    }
    assertThat(plan.explain().toString())
        .containsPattern(
            TestDevice.isCpu()
                ? "^softmax on cpu: rows \\(contiguous f32 rows\\), workspace 0 bytes$"
                : ": (cuda|j?cudnn \\(.*\\)), workspace 0 bytes"); // with -Dgridstride.vendor=cudnn
  }
}
