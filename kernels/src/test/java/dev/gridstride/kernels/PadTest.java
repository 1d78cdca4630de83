package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Pad.Mode;
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Padding and its gradient against plain loops that walk one element at a time. */
@ExtendWith(TestDevice.class)
class PadTest {
  private static final Device DEVICE = TestDevice.get();

  /** Sizes, before, after; allowed by every mode. */
  private static final long[][][] SIZES = {
    {{5}, {2}, {3}},
    {{5}, {4}, {4}},
    {{5}, {-2}, {1}},
    {{5}, {-3}, {-2}},
    {{5}, {-5}, {2}},
    {{2}, {1}, {0}},
    {{1}, {0}, {0}},
    {{2, 3}, {1, 2}, {1, 0}},
    {{3, 4}, {2, 0}, {0, 0}},
    {{3, 4}, {0, 1}, {0, 2}},
    {{2, 3, 4}, {0, 0, 0}, {0, 0, 0}},
    {{2, 3, 4, 5}, {0, 0, 2, 1}, {0, 0, 1, -1}},
    {{2, 4, 5, 3}, {0, 2, 1, 0}, {0, 1, 3, 0}},
    {{2, 2, 3, 3, 2}, {1, 0, 2, 0, 1}, {0, 0, 1, 0, -1}},
    {{3, 70}, {1, 33}, {2, 65}},
    {{2, 17, 64}, {0, 3, 0}, {0, 5, 0}},
    {{0, 3}, {0, 1}, {0, 1}},
    {{3, 0}, {1, 0}, {1, 0}},
    {{}, {}, {}}
  };

  static List<Pad> cases() {
    var cases = new ArrayList<Pad>();
    for (Mode mode : Mode.values()) {
      for (DType type : DType.values()) {
        for (long[][] s : SIZES) {
          cases.add(Pad.of(mode, type, s[0], s[1], s[2]).withValue(1));
        }
      }
    }
    for (DType type : new DType[] {DType.F32, DType.BF16, DType.I64, DType.U8}) {
      cases.add(
          Pad.of(Mode.CONSTANT, type, new long[] {2, 3}, new long[] {9, 1}, new long[] {0, 40})
              .withValue(-0.0));
      cases.add(
          Pad.of(Mode.CONSTANT, type, new long[] {0, 3}, new long[] {2, 1}, new long[] {0, 4})
              .withValue(7));
    }
    cases.add(
        Pad.of(Mode.REPLICATE, DType.F32, new long[] {3, 1}, new long[] {9, 6}, new long[] {8, 9}));
    return cases;
  }

  private static int count(long[] dims) {
    return Math.toIntExact(Arrays.stream(dims).reduce(1, (p, q) -> p * q));
  }

  /** For each output the input that it holds, -1 for the constant: stepping, not by formula. */
  private static int[] sources(Pad op) {
    var map = new int[count(op.outputDims())];
    for (int y = 0; y < map.length; y++) {
      int rest = y;
      int step = 1;
      int source = 0;
      for (int d = op.axes().size() - 1; d >= 0; d--) {
        PadAxis a = op.axes().get(d);
        int i = walk(op.mode(), (int) (rest % a.out() - a.before()), (int) a.size());
        source = i < 0 || source < 0 ? -1 : source + i * step;
        step *= (int) a.size();
        rest /= (int) a.out();
      }
      map[y] = source;
    }
    return map;
  }

  /** Walks to position p from the nearer end, one element at a time. */
  private static int walk(Mode mode, int p, int size) {
    if (p >= 0 && p < size) {
      return p;
    }
    if (mode == Mode.CONSTANT) {
      return -1;
    }
    int at = p < 0 ? 0 : size - 1;
    int direction = p < 0 ? 1 : -1;
    for (int i = 0; i < (p < 0 ? -p : p - size + 1); i++) {
      at =
          switch (mode) {
            case REFLECT -> at + direction;
            case CIRCULAR -> (at - direction + size) % size;
            default -> at;
          };
    }
    return at;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void matchesLoops(Pad op) {
    int[] map = sources(op);
    int nx = count(op.inputDims());
    double[] xv = new double[nx];
    Arrays.setAll(xv, i -> op.type() == DType.BOOL ? i % 2 : i % 100 + 2);
    var expected = new double[map.length];
    double value = op.type().isFloating() ? op.value() : op.value() + 0.0;
    Arrays.setAll(expected, i -> map[i] < 0 ? value : xv[map[i]]);
    try (var x = TestArray.of(DEVICE, op.type(), xv);
        var y = TestArray.output(DEVICE, op.type(), map.length)) {
      DEVICE.plan(op).forward(DEVICE.defaultStream(), x.buffer(), y.buffer());
      assertSameBits("y", y.get(), expected);
    }
    if (op.type().isFloating()) {
      double[] dyv = TestArray.integers(map.length, 3);
      var sums = new double[nx];
      for (int i = 0; i < map.length; i++) {
        if (map[i] >= 0) {
          sums[map[i]] += dyv[i]; // integers: exact in f32 and f64
        }
      }
      try (var dy = TestArray.of(DEVICE, op.type(), dyv);
          var dx = TestArray.output(DEVICE, op.type(), nx)) {
        DEVICE.plan(op).backward(DEVICE.defaultStream(), dy.buffer(), dx.buffer());
        double epsilon = op.type() == DType.BF16 ? 0x1p-8 : op.type() == DType.F16 ? 0x1p-11 : 0;
        assertClose("dx", dx.get(), sums, epsilon, 0); // one rounding to the type
      }
    }
  }

  @Test
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreads() {
    int before = DEVICE.threads();
    for (Mode mode : Mode.values()) {
      var op =
          Pad.of(
              mode,
              DType.F32,
              new long[] {3, 90, 211},
              new long[] {1, 40, 70},
              new long[] {2, 89, 33});
      int nx = count(op.inputDims());
      int ny = count(op.outputDims());
      try (var x = TestArray.normal(DEVICE, DType.F32, nx, 1);
          var dy = TestArray.normal(DEVICE, DType.F32, ny, 2);
          var y1 = TestArray.output(DEVICE, DType.F32, ny);
          var y3 = TestArray.output(DEVICE, DType.F32, ny);
          var dx1 = TestArray.output(DEVICE, DType.F32, nx);
          var dx3 = TestArray.output(DEVICE, DType.F32, nx)) {
        var plan = DEVICE.plan(op);
        DEVICE.threads(1);
        plan.forward(DEVICE.defaultStream(), x.buffer(), y1.buffer());
        plan.backward(DEVICE.defaultStream(), dy.buffer(), dx1.buffer());
        DEVICE.threads(3);
        plan.forward(DEVICE.defaultStream(), x.buffer(), y3.buffer());
        plan.backward(DEVICE.defaultStream(), dy.buffer(), dx3.buffer());
        assertSameBits("y", y3.get(), y1.get());
        assertSameBits("dx", dx3.get(), dx1.get());
        // the adjoint: <pad(x), dy> = <x, dx>
        double left = 0;
        double right = 0;
        double[] ys = y1.get();
        double[] dys = dy.get();
        double[] xs = x.get();
        double[] dxs = dx1.get();
        for (int i = 0; i < ny; i++) {
          left += ys[i] * dys[i];
        }
        for (int i = 0; i < nx; i++) {
          right += xs[i] * dxs[i];
        }
        // about 60,000 terms of random sign, each with one rounding of f32
        assertThat(left).isCloseTo(right, org.assertj.core.api.Assertions.within(1e-2));
      } finally {
        DEVICE.threads(before);
      }
    }
  }

  @Test
  void keepsTheBitsOfNaNsAndInfinities() {
    var op = Pad.of(Mode.REFLECT, DType.F32, new long[] {3}, new long[] {2}, new long[] {2});
    double inf = Double.POSITIVE_INFINITY;
    try (var x = TestArray.of(DEVICE, DType.F32, -0.0, Double.NaN, inf);
        var y = TestArray.output(DEVICE, DType.F32, 7);
        var dx = TestArray.output(DEVICE, DType.F32, 3)) {
      var plan = DEVICE.plan(op);
      plan.forward(DEVICE.defaultStream(), x.buffer(), y.buffer());
      assertThat(y.get()).containsExactly(inf, Double.NaN, -0.0, Double.NaN, inf, Double.NaN, -0.0);
      plan.backward(DEVICE.defaultStream(), y.buffer(), dx.buffer());
      assertThat(dx.get()).containsExactly(0, Double.NaN, inf);
      assertThat(plan.explain().toString()).contains(TestDevice.isCpu() ? "rows" : "cuda");
    }
  }

  @Test
  void refusesBadArguments() {
    long[] three = {3};
    assertThatThrownBy(() -> Pad.of(Mode.REFLECT, DType.F32, three, three, new long[] {0}))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "pad: before and after must be shorter than the dimension; mode=REFLECT, dimension=0,"
                + " size=3, before=3, after=0");
    assertThatThrownBy(
            () -> Pad.of(Mode.CIRCULAR, DType.F32, three, new long[] {0}, new long[] {4}))
        .hasMessageStartingWith("pad: before and after must not be longer than the dimension");
    assertThatThrownBy(
            () -> Pad.of(Mode.REPLICATE, DType.F32, new long[] {0}, new long[] {0}, new long[] {4}))
        .hasMessageStartingWith("pad: before and after must be 0 where the dimension is empty");
    assertThatThrownBy(
            () -> Pad.of(Mode.CONSTANT, DType.F32, three, new long[] {-2}, new long[] {-2}))
        .hasMessage(
            "pad: before and after must leave no negative size; size=3, before=-2, after=-2");
    assertThatThrownBy(() -> Pad.of(Mode.CONSTANT, DType.F32, three, new long[0], three))
        .hasMessage(
            "pad: before and after must have one number for each dimension; before=[], after=[3],"
                + " dims=[3]");
    try (var x = TestArray.of(DEVICE, DType.I32, 1, 2, 3);
        var y = TestArray.output(DEVICE, DType.I32, 6)) {
      var plan = DEVICE.plan(Pad.of(Mode.CONSTANT, DType.I32, three, three, new long[] {0}));
      assertThatThrownBy(() -> plan.backward(DEVICE.defaultStream(), y.buffer(), x.buffer()))
          .hasMessage("pad: type must be f64, f32, bf16 or f16 to go back; type=i32");
      assertThatThrownBy(() -> plan.forward(DEVICE.defaultStream(), y.buffer(), y.buffer()))
          .hasMessageStartingWith("pad: y must not overlap x");
      assertThatThrownBy(() -> plan.forward(DEVICE.defaultStream(), x.buffer(), x.buffer()))
          .hasMessageStartingWith("pad: y must hold at least 6 elements");
    }
  }
}
