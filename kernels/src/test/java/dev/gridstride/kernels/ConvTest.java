package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** All passes of convolutions against plain loops in double. */
@ExtendWith(TestDevice.class)
class ConvTest {
  private static final Device DEVICE = TestDevice.get();

  /** Every operand of one case, as a test reads and writes it. */
  private record Operands(
      TestArray x,
      TestArray w,
      TestArray bias,
      TestArray dy,
      TestArray y,
      TestArray dx,
      TestArray dw,
      TestArray dbias,
      Buffer workspace)
      implements AutoCloseable {
    static Operands of(Conv op, boolean integers) {
      return new Operands(
          in(op, op.xCount(), 1, integers),
          in(op, op.wCount(), 2, integers),
          in(op, op.k(), 3, integers),
          in(op, op.yCount(), 4, integers),
          TestArray.output(DEVICE, op.type(), op.yCount()),
          TestArray.output(DEVICE, op.type(), op.xCount()),
          TestArray.output(DEVICE, op.type(), op.wCount()),
          TestArray.output(DEVICE, op.type(), op.k()),
          DEVICE.allocate(DEVICE.plan(op).workspaceBytes()));
    }

    private static TestArray in(Conv op, long count, long seed, boolean integers) {
      return integers
          ? TestArray.of(DEVICE, op.type(), TestArray.integers(count, seed))
          : TestArray.normal(DEVICE, op.type(), count, seed);
    }

    void run(Conv op, boolean withBias) {
      workspace.fill((byte) 0xFF); // NaNs: nothing may be read before it is written
      var plan = DEVICE.plan(op);
      var stream = DEVICE.defaultStream();
      plan.forward(
          stream, x.buffer(), w.buffer(), withBias ? bias.buffer() : null, y.buffer(), workspace);
      plan.backwardData(stream, dy.buffer(), w.buffer(), dx.buffer(), workspace);
      plan.backwardWeight(
          stream,
          x.buffer(),
          dy.buffer(),
          dw.buffer(),
          withBias ? dbias.buffer() : null,
          workspace);
    }

    @Override
    public void close() {
      for (TestArray a : new TestArray[] {x, w, bias, dy, y, dx, dw, dbias}) {
        a.close();
      }
      workspace.close();
    }
  }

  private static Conv conv(long n, long c, long k, ConvAxis... axes) {
    return Conv.of(n, c, k, axes);
  }

  private static ConvAxis axis(long size, long kernel, long stride, long begin, long end, long d) {
    return new ConvAxis(size, kernel, stride, begin, end, d);
  }

  /** Shapes that reach every path, in one layout and type. */
  static List<Conv> shapes() {
    var list = new ArrayList<Conv>();
    // kernel 3 and its borders
    list.add(conv(2, 3, 5, axis(7, 3, 1, 0, 0, 1), axis(9, 3, 1, 0, 0, 1)));
    list.add(conv(1, 16, 32, axis(8, 3, 1, 1, 1, 1), axis(10, 3, 1, 1, 1, 1)));
    list.add(conv(3, 32, 48, axis(5, 3, 1, 1, 1, 1), axis(6, 3, 1, 1, 1, 1)));
    list.add(conv(1, 8, 33, axis(9, 3, 2, 1, 1, 1), axis(11, 3, 2, 1, 1, 1)));
    list.add(conv(1, 17, 16, axis(9, 3, 2, 0, 1, 1), axis(12, 3, 3, 2, 0, 1)));
    list.add(conv(2, 4, 64, axis(9, 3, 1, 2, 1, 2), axis(9, 2, 1, 0, 3, 3)));
    // several small images in one reduction of the filter gradient, and what is left of them
    list.add(conv(37, 64, 40, axis(3, 3, 1, 1, 1, 1), axis(4, 3, 1, 1, 1, 1)));
    list.add(conv(9, 33, 20, axis(5, 3, 2, 1, 1, 1), axis(6, 2, 1, 0, 1, 1)));
    // weights that take more than a second-level cache, for more than one image
    list.add(conv(2, 130, 150, axis(3, 3, 1, 1, 1, 1), axis(4, 3, 1, 1, 1, 1)));
    list.add(conv(2, 256, 320, axis(6, 3, 1, 1, 1, 1), axis(7, 3, 1, 1, 1, 1)).withGroups(2));
    // many channels over few pixels: blocks of channels, runs of pixels, windows over images
    list.add(conv(3, 33, 96, axis(5, 3, 1, 1, 1, 1), axis(7, 3, 1, 1, 1, 1)));
    list.add(conv(1, 150, 33, axis(3, 3, 1, 1, 1, 1), axis(14, 3, 1, 1, 1, 1)));
    list.add(conv(2, 36, 40, axis(9, 5, 1, 2, 2, 1), axis(10, 3, 1, 2, 0, 2)));
    list.add(conv(1, 33, 34, axis(12, 3, 1, -1, -2, 1), axis(15, 3, 1, 0, -1, 1)));
    list.add(conv(1, 32, 33, axis(23, 2, 1, 1, 0, 1), axis(26, 2, 1, 0, 0, 1)));
    list.add(conv(1, 64, 66, axis(9, 2, 1, 0, 1, 1), axis(27, 3, 1, 2, 0, 1)).withGroups(2));
    list.add(conv(1, 66, 64, axis(9, 5, 1, 2, 2, 1), axis(8, 5, 1, 0, 0, 1)).withGroups(2));
    list.add(conv(1, 32, 33, axis(20, 2, 1, 1, 0, 1), axis(80, 3, 1, -20, -30, 1)));
    // the same, where planes would be mostly padding or windows too long
    list.add(conv(1, 32, 33, axis(3, 2, 1, 60, 60, 121), axis(4, 2, 1, 90, 90, 182)));
    list.add(conv(1, 32, 32, axis(3, 9, 1, 4, 4, 1), axis(3, 9, 1, 4, 4, 1)));
    // few channels, larger kernels, strides beyond the kernel
    list.add(conv(2, 1, 32, axis(12, 3, 1, 0, 0, 1), axis(12, 3, 1, 0, 0, 1)));
    list.add(conv(1, 3, 16, axis(17, 7, 2, 3, 3, 1), axis(19, 7, 2, 3, 3, 1)));
    list.add(conv(1, 2, 3, axis(9, 2, 4, 0, 0, 1), axis(10, 1, 3, 1, 1, 1)));
    list.add(conv(1, 5, 16, axis(4, 9, 1, 4, 4, 1), axis(20, 13, 1, 6, 6, 1)));
    // to few channels, with vectors along the pixels: tails, several blocks, phases, groups
    list.add(conv(2, 3, 24, axis(20, 7, 2, 3, 3, 1), axis(70, 7, 2, 3, 2, 1)));
    list.add(conv(1, 24, 2, axis(19, 3, 1, 1, 1, 1), axis(49, 3, 1, 2, 1, 2)));
    list.add(conv(1, 4, 33, axis(5, 2, 3, 0, 1, 1), axis(101, 4, 3, 1, 2, 1)));
    list.add(conv(1, 300, 2, axis(40, 1, 1, 0, 0, 1), axis(30, 1, 1, 0, 0, 1)));
    list.add(conv(1, 6, 30, axis(3, 3, 1, 5, 1, 1), axis(34, 3, 1, 4, 4, 1)).withGroups(3));
    // pointwise
    list.add(conv(3, 16, 32, axis(5, 1, 1, 0, 0, 1), axis(7, 1, 1, 0, 0, 1)));
    list.add(conv(2, 37, 10, axis(3, 1, 1, 0, 0, 1), axis(5, 1, 1, 0, 0, 1)));
    list.add(conv(2, 32, 32, axis(7, 1, 2, 0, 0, 1), axis(7, 1, 2, 0, 0, 1)));
    list.add(conv(3, 20, 37, axis(8, 1, 3, 0, 0, 1), axis(9, 1, 2, 0, 0, 1)));
    list.add(conv(3, 16, 17, axis(62, 1, 3, 0, 0, 1), axis(36, 1, 2, 0, 0, 1)));
    list.add(
        conv(2, 24, 16, axis(3, 1, 2, 0, 0, 1), axis(4, 1, 1, 0, 0, 1), axis(5, 1, 2, 0, 0, 1)));
    list.add(conv(2, 40, 33, axis(24, 1, 1, 0, 0, 1), axis(25, 1, 1, 0, 0, 1)));
    list.add(conv(5, 70, 65, axis(15, 1, 1, 0, 0, 1), axis(15, 1, 1, 0, 0, 1)));
    list.add(conv(1, 600, 20, axis(2, 1, 1, 0, 0, 1), axis(3, 1, 1, 0, 0, 1)));
    list.add(conv(1, 300, 9, axis(3, 2, 1, 1, 0, 1), axis(4, 2, 1, 0, 1, 1)));
    // windows that see nothing but padding, kernels larger than the input
    list.add(conv(1, 3, 4, axis(2, 3, 1, 5, 4, 1), axis(3, 3, 2, 4, 6, 1)));
    list.add(conv(1, 3, 16, axis(2, 5, 1, 2, 2, 1), axis(1, 3, 1, 2, 2, 2)));
    list.add(conv(1, 2, 2, axis(0, 2, 1, 2, 2, 1), axis(3, 2, 1, 0, 0, 1)));
    // columns outside of the image that no pixel of it lies between
    list.add(conv(2, 35, 5, axis(7, 2, 1, 2, -3, 1), axis(1, 1, 1, 3, -2, 2)));
    list.add(conv(2, 34, 3, axis(9, 1, 1, -1, -2, 1), axis(1, 1, 1, -2, 2, 1)));
    // more padding than rows that share it, of several images
    list.add(conv(3, 35, 34, axis(1, 1, 1, 1, 3, 3), axis(4, 2, 1, -1, 2, 1)));
    list.add(conv(4, 33, 32, axis(12, 3, 1, -3, -2, 3), axis(11, 3, 1, 1, -3, 3)));
    // cropping by negative padding
    list.add(conv(1, 4, 16, axis(8, 3, 1, -1, -2, 1), axis(9, 3, 2, 1, -1, 1)));
    // groups, depthwise, channel multipliers
    list.add(conv(2, 32, 64, axis(6, 3, 1, 1, 1, 1), axis(5, 3, 1, 1, 1, 1)).withGroups(2));
    list.add(conv(1, 12, 18, axis(6, 3, 2, 1, 1, 1), axis(5, 3, 1, 1, 0, 1)).withGroups(3));
    list.add(conv(2, 32, 32, axis(7, 3, 1, 1, 1, 1), axis(9, 3, 1, 1, 1, 1)).withGroups(32));
    list.add(conv(1, 19, 19, axis(7, 3, 2, 1, 1, 1), axis(9, 3, 2, 0, 1, 1)).withGroups(19));
    list.add(conv(1, 16, 16, axis(7, 5, 1, 2, 2, 1), axis(8, 11, 1, 5, 5, 1)).withGroups(16));
    list.add(conv(1, 6, 12, axis(7, 3, 1, 1, 1, 1), axis(9, 3, 1, 1, 1, 2)).withGroups(6));
    list.add(conv(1, 16, 16, axis(5, 3, 2, 2, 2, 2), axis(300, 3, 1, 1, 0, 1)).withGroups(16));
    list.add(conv(2, 33, 33, axis(6, 3, 1, 0, 1, 1), axis(7, 3, 1, 0, 0, 1)).withGroups(33));
    // one and three dimensions
    list.add(conv(3, 7, 16, axis(33, 5, 2, 2, 1, 1)));
    list.add(conv(1, 16, 16, axis(700, 3, 1, 1, 1, 1)));
    list.add(conv(1, 1, 1, axis(1, 1, 1, 0, 0, 1)));
    list.add(
        conv(2, 3, 16, axis(4, 3, 1, 1, 1, 1), axis(5, 3, 2, 1, 1, 1), axis(6, 3, 1, 1, 1, 1)));
    list.add(
        conv(1, 16, 33, axis(5, 2, 2, 0, 1, 1), axis(4, 1, 1, 0, 0, 1), axis(3, 2, 1, 0, 0, 2)));
    // nothing to do
    list.add(conv(0, 3, 4, axis(5, 3, 1, 0, 0, 1), axis(5, 3, 1, 0, 0, 1)));
    list.add(conv(2, 0, 4, axis(5, 3, 1, 0, 0, 1), axis(5, 3, 1, 1, 0, 1)));
    list.add(conv(2, 3, 0, axis(5, 3, 1, 0, 0, 1), axis(5, 3, 1, 0, 0, 1)));
    return list;
  }

  /** Channel by channel over images that come from memory, which are read ahead. */
  static Stream<Conv> farCases() {
    return Stream.of(
        conv(1, 64, 64, axis(150, 3, 1, 1, 1, 1), axis(300, 3, 1, 1, 1, 1))
            .withGroups(64)
            .withLayout(ImageLayout.NHWC),
        conv(2, 80, 80, axis(201, 3, 2, 1, 1, 1), axis(150, 3, 2, 1, 0, 1))
            .withGroups(80)
            .withLayout(ImageLayout.NHWC));
  }

  static Stream<Conv> cases() {
    return shapes().stream()
        .flatMap(s ->
            Stream.of(ImageLayout.values())
                .flatMap(
                    l -> Stream.of(DType.F32, DType.F64).map(t -> s.withLayout(l).withType(t))));
  }

  static Stream<Conv> narrowCases() {
    return shapes().stream()
        .flatMap(s ->
            Stream.of(s.withType(DType.BF16), s.withType(DType.F16).withLayout(ImageLayout.NHWC)));
  }

  static Stream<Conv> randomCases() {
    var random = new SplittableRandom(20250711);
    return Stream.generate(() -> random(random)).limit(150);
  }

  /** Axes that are drawn again while a kernel does not fit its size. */
  private static ConvAxis[] axes(int n, Supplier<ConvAxis> drawn) {
    while (true) {
      try {
        return Stream.generate(drawn).limit(n).toArray(ConvAxis[]::new);
      } catch (dev.gridstride.device.InvalidArgumentException tooSmall) {
        continue;
      }
    }
  }

  private static Conv random(SplittableRandom random) {
    int n = random.nextInt(1, 4);
    var axes =
        axes(
            n,
            () ->
                axis(
                    random.nextInt(1, n == 3 ? 7 : 20),
                    random.nextInt(1, 5),
                    random.nextInt(1, 4),
                    random.nextInt(-1, 4),
                    random.nextInt(-1, 4),
                    random.nextInt(1, 4)));
    int groups = random.nextInt(4) == 0 ? random.nextInt(1, 20) : 1;
    int perGroup = groups > 1 ? 5 : 40;
    return conv(
            random.nextInt(1, 4),
            groups * (random.nextBoolean() ? 1 : random.nextInt(1, perGroup)),
            groups * (random.nextInt(3) == 0 ? 1 : random.nextInt(1, perGroup)),
            axes)
        .withGroups(groups)
        .withLayout(random.nextBoolean() ? ImageLayout.NCHW : ImageLayout.NHWC)
        .withType(random.nextBoolean() ? DType.F32 : DType.F64);
  }

  /** Channel-wise windows of 3 x 3, with edges of every width. */
  static Stream<Conv> randomWindows() {
    var random = new SplittableRandom(20261128);
    return Stream.generate(() -> randomWindow(random)).limit(100);
  }

  private static Conv randomWindow(SplittableRandom random) {
    var axes =
        axes(
            2,
            () ->
                axis(
                    random.nextInt(1, 15),
                    3,
                    random.nextInt(1, 3),
                    random.nextInt(-1, 3),
                    random.nextInt(-1, 3),
                    random.nextInt(5) == 0 ? 2 : 1));
    int channels = 16 * random.nextInt(1, 4);
    return conv(random.nextInt(1, 4), channels, channels, axes)
        .withGroups(channels)
        .withLayout(random.nextInt(4) == 0 ? ImageLayout.NCHW : ImageLayout.NHWC);
  }

  /** Many channels over few pixels, wherever padding and windows lie. */
  static Stream<Conv> randomColumns() {
    var random = new SplittableRandom(20261127);
    return Stream.generate(() -> randomColumn(random)).limit(60);
  }

  private static Conv randomColumn(SplittableRandom random) {
    var axes =
        axes(
            2,
            () ->
                axis(
                    random.nextInt(1, 9),
                    random.nextInt(1, 4),
                    1,
                    random.nextInt(-3, 4),
                    random.nextInt(-3, 4),
                    random.nextInt(1, 4)));
    int images = random.nextInt(8) == 0 ? random.nextInt(20, 40) : random.nextInt(1, 5);
    return conv(images, random.nextInt(32, 36), random.nextInt(32, 36), axes)
        .withLayout(random.nextBoolean() ? ImageLayout.NCHW : ImageLayout.NHWC);
  }

  /** Integers whose sums stay below 2^24: every pass must be exact. */
  @ParameterizedTest
  @MethodSource({"cases", "randomCases", "randomColumns", "randomWindows", "farCases"})
  void exactOnIntegers(Conv op) {
    try (var v = Operands.of(op, true)) {
      v.run(op, true);
      var oracle = new ConvOracle(op);
      assertClose("y", v.y.get(), oracle.forward(v.x.get(), v.w.get(), v.bias.get()), 0, 0);
      assertClose("dx", v.dx.get(), oracle.backwardData(v.dy.get(), v.w.get()), 0, 0);
      assertClose("dw", v.dw.get(), oracle.backwardWeight(v.x.get(), v.dy.get()), 0, 0);
      assertClose("dbias", v.dbias.get(), oracle.backwardBias(v.dy.get()), 0, 0);
    }
  }

  /**
   * A chain of t additions of terms of size 1 rounds sums of size sqrt(t) t times: its error is
   * about t/2 * eps, and 4 * t * eps is out of reach. Narrow types add one rounding of the result.
   */
  private static void assertNear(
      String what, Conv op, double[] actual, double[] expected, double t) {
    double eps = op.type() == DType.F64 ? DType.F64.epsilon() : DType.F32.epsilon();
    double rounding = op.type().bytes() == 2 ? op.type().epsilon() : 0;
    assertClose(what, actual, expected, rounding, 4 * (t + 1) * eps);
  }

  @ParameterizedTest
  @MethodSource({"cases", "narrowCases"})
  void nearOracle(Conv op) {
    var relu = op.withRelu();
    try (var v = Operands.of(relu, false)) {
      v.run(relu, op.layout() == ImageLayout.NCHW);
      var bias = op.layout() == ImageLayout.NCHW ? v.bias.get() : null;
      var oracle = new ConvOracle(relu);
      double taps = 1;
      double pixels = op.n();
      for (ConvAxis a : op.axes()) {
        taps *= a.kernel();
        pixels *= a.out();
      }
      double t = op.c() / op.groups() * taps;
      assertNear("y", op, v.y.get(), oracle.forward(v.x.get(), v.w.get(), bias), t);
      t = op.k() / op.groups() * taps;
      assertNear("dx", op, v.dx.get(), oracle.backwardData(v.dy.get(), v.w.get()), t);
      assertNear("dw", op, v.dw.get(), oracle.backwardWeight(v.x.get(), v.dy.get()), pixels);
      if (bias != null) {
        assertNear("dbias", op, v.dbias.get(), oracle.backwardBias(v.dy.get()), pixels);
      }
    }
  }

  /** {@code <conv(x), dy> = <x, backwardData(dy)> = <w, backwardWeight(x, dy)>}. */
  @ParameterizedTest
  @MethodSource("shapes")
  void passesAreAdjoint(Conv op) {
    var f64 = op.withType(DType.F64);
    try (var v = Operands.of(f64, false)) {
      v.run(f64, false);
      double forward = dot(v.y.get(), v.dy.get());
      double scale = 1e-12 * (1 + norm(v.y.get()) * norm(v.dy.get()));
      double[] all = {dot(v.x.get(), v.dx.get()), dot(v.w.get(), v.dw.get())};
      assertClose("adjoint", all, new double[] {forward, forward}, 0, scale);
    }
  }

  private static double dot(double[] a, double[] b) {
    double s = 0;
    for (int i = 0; i < a.length; i++) {
      s += a[i] * b[i];
    }
    return s;
  }

  private static double norm(double[] a) {
    return Math.sqrt(dot(a, a));
  }

  @Test
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreads() {
    int before = DEVICE.threads();
    try {
      for (Conv op : shapes()) {
        for (ImageLayout layout : ImageLayout.values()) {
          var spec = op.withLayout(layout);
          try (var a = Operands.of(spec, false);
              var b = Operands.of(spec, false)) {
            DEVICE.threads(1);
            a.run(spec, true);
            DEVICE.threads(2);
            b.run(spec, true);
            assertSameBits("y", b.y.get(), a.y.get());
            assertSameBits("dx", b.dx.get(), a.dx.get());
            assertSameBits("dw", b.dw.get(), a.dw.get());
            assertSameBits("dbias", b.dbias.get(), a.dbias.get());
          }
        }
      }
    } finally {
      DEVICE.threads(before);
    }
  }

  /** A thread keeps packed weights from task to task, but not from run to run. */
  @Test
  void takesTheWeightsOfEachRun() {
    for (ImageLayout layout : ImageLayout.values()) {
      var op = conv(2, 128, 160, axis(6, 3, 1, 1, 1, 1), axis(7, 3, 1, 1, 1, 1)).withLayout(layout);
      try (var a = Operands.of(op, false);
          var b = Operands.of(op, false);
          var other = TestArray.normal(DEVICE, op.type(), op.wCount(), 9)) {
        var plan = DEVICE.plan(op);
        var stream = DEVICE.defaultStream();
        plan.forward(stream, a.x.buffer(), a.w.buffer(), null, a.y.buffer(), a.workspace);
        plan.forward(stream, a.x.buffer(), other.buffer(), null, b.y.buffer(), a.workspace);
        double[] first = a.y.get();
        assertThat(b.y.get()).isNotEqualTo(first);
        plan.forward(stream, a.x.buffer(), a.w.buffer(), null, b.y.buffer(), b.workspace);
        assertSameBits("y", b.y.get(), first);
      }
    }
  }
}
