package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.testing.TestArray;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Copies against index arithmetic, and casts against rounding by search. */
@ExtendWith(TestDevice.class)
class CopyTest {
  private static final Device DEVICE = TestDevice.get();

  private static Layout layout(long[] dims, long... strides) {
    return Layout.of(dims, strides);
  }

  private static long[] dims(long... dims) {
    return dims;
  }

  static Stream<Copy> moves() {
    var f = DType.F32;
    return Stream.of(
            Copy.of(f, Layout.contiguous(), Layout.contiguous()),
            Copy.of(f, Layout.contiguous(7), Layout.contiguous(7)),
            Copy.of(f, Layout.contiguous(100_003), Layout.contiguous(100_003)),
            Copy.of(f, Layout.contiguous(2, 3, 4), layout(dims(2, 3, 4), 20, 5, 1)),
            Copy.of(f, layout(dims(2, 3, 4), 20, 5, 1), Layout.contiguous(2, 3, 4)),
            Copy.of(f, layout(dims(70_001), 2), Layout.contiguous(70_001)),
            Copy.of(f, Layout.contiguous(70_001), layout(dims(70_001), 3)),
            Copy.of(f, Layout.contiguous(3, 1).broadcastTo("", 3, 50), Layout.contiguous(3, 50)),
            Copy.of(f, Layout.contiguous(50).broadcastTo("", 3, 50), Layout.contiguous(3, 50)),
            Copy.of(f, Layout.contiguous().broadcastTo("", 5, 7), Layout.contiguous(5, 7)),
            Copy.of(f, Layout.contiguous(40_000, 3), layout(dims(40_000, 3), 5, 1)),
            Copy.of(f, Layout.contiguous(2, 3, 4).permute(2, 0, 1), Layout.contiguous(4, 2, 3)),
            Copy.of(
                f,
                Layout.contiguous(5, 7, 6, 4).permute(3, 1, 2, 0),
                layout(dims(4, 7, 6, 5), 900, 100, 10, 1)),
            Copy.of(
                f,
                Layout.contiguous(2, 6, 5, 65).permute(0, 3, 1, 2),
                Layout.contiguous(2, 65, 6, 5)),
            Copy.of(
                f,
                Layout.contiguous(2, 65, 6, 5).permute(0, 2, 3, 1),
                Layout.contiguous(2, 6, 5, 65)),
            Copy.of(
                f,
                Layout.contiguous(2, 9, 9, 3).permute(0, 3, 1, 2),
                Layout.contiguous(2, 3, 9, 9)),
            Copy.of(
                f,
                Layout.contiguous(9).broadcastTo("", 6, 9).permute(1, 0),
                Layout.contiguous(9, 6)),
            Copy.of(f, Layout.contiguous(4, 5), Layout.contiguous(4, 5)).reversing(0),
            Copy.of(f, Layout.contiguous(4, 5), Layout.contiguous(4, 5)).reversing(1),
            Copy.of(f, Layout.contiguous(40, 50), Layout.contiguous(40, 50)).reversing(0, 1),
            Copy.of(f, Layout.contiguous(8, 9).permute(1, 0), Layout.contiguous(9, 8)).reversing(0),
            Copy.of(f, Layout.contiguous(8, 9).permute(1, 0), Layout.contiguous(9, 8)).reversing(1))
        .flatMap(c ->
            c.from().count() > 10_000
                ? Stream.of(c)
                : Stream.concat(
                    Arrays.stream(DType.values())
                        .map(t -> new Copy(t, c.from(), t, c.to(), c.reversed())),
                    Stream.of(
                        new Copy(DType.F32, c.from(), DType.F64, c.to(), c.reversed()),
                        new Copy(DType.I64, c.from(), DType.F16, c.to(), c.reversed()))));
  }

  /** Squares and rectangles around the edges of tiles (4, 8, 16) and blocks (64). */
  static Stream<Copy> transpositions() {
    long[] sizes = {4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 131};
    return Arrays.stream(sizes)
        .boxed()
        .flatMap(r ->
            Arrays.stream(sizes)
                .mapToObj(c ->
                    Copy.of(
                        DType.F32,
                        Layout.contiguous(r, c).permute(1, 0),
                        Layout.contiguous(c, r))));
  }

  @ParameterizedTest
  @MethodSource({"moves", "transpositions"})
  void movesEachElement(Copy op) {
    var random = new SplittableRandom(3);
    double[] values =
        random
            .ints(op.from().span(), 0, op.fromType() == DType.BOOL ? 2 : 100)
            .asDoubleStream()
            .toArray();
    try (var x = TestArray.of(DEVICE, op.fromType(), values);
        var y = TestArray.output(DEVICE, op.toType(), op.to().span())) {
      double[] expected = y.get();
      oracle(op, values, expected);
      DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), y.buffer());
      assertSameBits("y", y.get(), expected);
    }
  }

  private static void oracle(Copy op, double[] x, double[] y) {
    int rank = op.from().rank();
    var index = new long[rank];
    for (long e = 0; e < op.from().count(); e++) {
      int from = 0;
      int to = 0;
      for (int i = 0; i < rank; i++) {
        long at = (op.reversed() >> i & 1) == 0 ? index[i] : op.from().dim(i) - 1 - index[i];
        from += (int) (at * op.from().stride(i));
        to += (int) (index[i] * op.to().stride(i));
      }
      y[to] = x[from];
      for (int i = rank - 1; i >= 0 && ++index[i] == op.from().dim(i); i--) {
        index[i] = 0;
      }
    }
  }

  private static double[] cast(DType from, DType to, double... values) {
    try (var x = TestArray.of(DEVICE, from, values);
        var y = TestArray.output(DEVICE, to, values.length)) {
      DEVICE
          .plan(Copy.cast(from, to, values.length))
          .run(DEVICE.defaultStream(), x.buffer(), y.buffer());
      return y.get();
    }
  }

  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F64", "F32", "BF16", "F16"})
  void floatingToIntegersTruncatesAndSaturates(DType from) {
    double[] x = {0, -0.0, 1.5, -1.5, 0.25, 200, -200, 300, INF, -INF, NAN};
    long max = Long.MAX_VALUE;
    assertThat(cast(from, DType.I32, x))
        .containsExactly(0, 0, 1, -1, 0, 200, -200, 300, (1L << 31) - 1, -(1L << 31), 0);
    assertThat(cast(from, DType.I64, x))
        .containsExactly(0, 0, 1, -1, 0, 200, -200, 300, (double) max, -0x1p63, 0);
    assertThat(cast(from, DType.U8, x)).containsExactly(0, 0, 1, 0, 0, 200, 0, 255, 255, 0, 0);
    assertThat(cast(from, DType.BOOL, x)).containsExactly(0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  }

  @Test
  void integersKeepTheirLowBits() {
    assertThat(cast(DType.I64, DType.I32, 5, -1, 0x1p32 + 7, 0x1p31))
        .containsExactly(5, -1, 7, -0x1p31);
    assertThat(cast(DType.I32, DType.U8, 5, -1, 256, 511)).containsExactly(5, 255, 0, 255);
    assertThat(cast(DType.I32, DType.I64, 5, -1)).containsExactly(5, -1);
    assertThat(cast(DType.U8, DType.I32, 0, 200)).containsExactly(0, 200);
    assertThat(cast(DType.BOOL, DType.I64, 0, 1)).containsExactly(0, 1);
    assertThat(cast(DType.BOOL, DType.F32, 0, 1)).containsExactly(0, 1);
    assertThat(cast(DType.I64, DType.BOOL, 0, 0x1p40, -3)).containsExactly(0, 1, 1);
    assertThat(cast(DType.I64, DType.F32, 0x1p24 + 1, 0x1p24 + 3))
        .containsExactly(0x1p24, 0x1p24 + 4);
    assertThat(cast(DType.I64, DType.F64, -0x1p62, 3)).containsExactly(-0x1p62, 3);
  }

  @Test
  void longsAreRoundedOnce() {
    // a tie of bf16 (8 bits) just missed by the last bit, which a detour by double would lose
    long[] values = {(0x81L << 54) + (1L << 53) + 1, -(0x81L << 54) - (1L << 53) - 1, 1L << 62};
    try (var x = TestArray.of(DEVICE, DType.I64, 0, 0, 0);
        var y = TestArray.output(DEVICE, DType.BF16, 3)) {
      x.buffer().copyFrom(MemorySegment.ofArray(values));
      DEVICE
          .plan(Copy.cast(DType.I64, DType.BF16, 3))
          .run(DEVICE.defaultStream(), x.buffer(), y.buffer());
      assertThat(y.get()).containsExactly(0x82p54, -0x82p54, 0x1p62);
    }
  }

  static Stream<Arguments> floatingPairs() {
    DType[] types = {DType.F64, DType.F32, DType.BF16, DType.F16};
    return Arrays.stream(types)
        .flatMap(a -> Arrays.stream(types).filter(b -> a != b).map(b -> Arguments.of(a, b)));
  }

  /** Random values, exact ties, values just beside ties, the ends of the ranges. */
  private static double[] hardToRound() {
    var random = new SplittableRandom(11);
    var list =
        IntStream.range(0, 2000)
            .mapToDouble(i -> random.nextGaussian() * Math.scalb(1.0, random.nextInt(-160, 140)))
            .toArray();
    var ties =
        IntStream.range(0, 600)
            .mapToDouble(i -> {
              double unit = Math.scalb(1.0, random.nextInt(-30, 30));
              double bits = i % 2 == 0 ? 0x1p-9 : 0x1p-12; // half a unit in bf16, in f16
              double near = new double[] {0, 0x1p-50, -0x1p-50}[i % 3];
              int mantissa = random.nextInt(128);
              return unit * (1 + mantissa / 128.0 + bits + near) * (i % 5 == 0 ? -1 : 1);
            })
            .toArray();
    double[] ends = {
      0,
      -0.0,
      INF,
      -INF,
      NAN,
      65504,
      65519.999,
      65520,
      3.3895e38,
      3.4e38,
      3.5e38,
      -1e300,
      1e-300,
      0x1p-24,
      0x1p-25,
      0x1.0001p-25,
      0x1p-149,
      0x1p-150,
      0x1p-133,
      0x1p-134,
      0x1.8p-133
    };
    return Stream.of(list, ties, ends).flatMapToDouble(Arrays::stream).toArray();
  }

  @ParameterizedTest
  @MethodSource("floatingPairs")
  void roundsOnceToNearestEven(DType from, DType to) {
    double[] wide = hardToRound();
    try (var x = TestArray.of(DEVICE, from, wide)) {
      double[] values = x.get(); // as the source type holds them
      double[] expected = Arrays.stream(values).map(v -> nearest(to, v)).toArray();
      assertSameBits("y", oneNaN(cast(from, to, values)), oneNaN(expected));
    }
  }

  /** A NaN stays one; its payload is the device's. */
  private static double[] oneNaN(double[] values) {
    return Arrays.stream(values).map(v -> Double.isNaN(v) ? Double.NaN : v).toArray();
  }

  private static double nearest(DType type, double v) {
    return switch (type) {
      case F64 -> v;
      case F32 -> (float) v;
      case BF16 -> nearest16(v, 0x7F80, bits -> Float.intBitsToFloat(bits << 16));
      default -> nearest16(v, 0x7C00, bits -> Float.float16ToFloat((short) bits));
    };
  }

  private interface Decode {
    double value(int bits);
  }

  /** The nearest of all non-negative values, found by bisection; infinity counts as one step on. */
  private static double nearest16(double v, int infinity, Decode decode) {
    if (Double.isNaN(v)) {
      return v;
    }
    double a = Math.abs(v);
    int low = 0;
    int high = infinity;
    while (high - low > 1) {
      int middle = (low + high) / 2;
      if (decode.value(middle) <= a) {
        low = middle;
      } else {
        high = middle;
      }
    }
    double below = decode.value(low);
    double above = high == infinity ? 2 * below - decode.value(low - 1) : decode.value(high);
    // both differences are exact: a lies between neighbours of few bits
    var toBelow =
        new java.math.BigDecimal(Math.min(a, 1e300)).subtract(new java.math.BigDecimal(below));
    var toAbove =
        new java.math.BigDecimal(above).subtract(new java.math.BigDecimal(Math.min(a, 1e300)));
    int order = toBelow.compareTo(toAbove);
    int bits = order < 0 || (order == 0 && low % 2 == 0) ? low : high;
    return Math.copySign(decode.value(bits), v);
  }

  @ParameterizedTest
  @MethodSource("allPairs")
  void convertsLongRowsAsShortOnes(DType from, DType to) {
    // the same values at every position of a vector and of a chunk
    for (int n : new int[] {0, 1, 15, 17, 1023, 1024, 1025, 40_000}) {
      var values = new double[n];
      Arrays.setAll(values, i -> i * 7 % 251);
      double[] expected =
          Arrays.stream(values).map(v -> to == DType.BOOL ? v == 0 ? 0 : 1 : v).toArray();
      if (from == DType.BOOL) {
        expected = Arrays.stream(values).map(v -> v == 0 ? 0 : 1).toArray();
      }
      assertSameBits("y", cast(from, to, values), expected);
    }
  }

  static Stream<Arguments> allPairs() {
    return Arrays.stream(DType.values())
        .flatMap(
            a -> Arrays.stream(DType.values()).filter(b -> a != b).map(b -> Arguments.of(a, b)));
  }

  @Test
  void castsInPlaceBetweenTypesOfOneSize() {
    try (var x = TestArray.of(DEVICE, DType.I32, 1, -2, 3)) {
      var op = Copy.cast(DType.I32, DType.F32, 3);
      DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), x.buffer());
      var back = Copy.cast(DType.F32, DType.I32, 3);
      DEVICE.plan(back).run(DEVICE.defaultStream(), x.buffer(), x.buffer());
      assertThat(x.get()).containsExactly(1, -2, 3);
    }
  }

  @Test
  void copiesBetweenPartsOfOneBuffer() {
    try (var x = TestArray.of(DEVICE, DType.F32, 1, 2, 3, 4)) {
      var op = Copy.of(DType.F32, Layout.contiguous(2), Layout.contiguous(2));
      DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer().slice(8, 8), x.buffer());
      assertThat(x.get()).containsExactly(3, 4, 3, 4);
    }
  }

  @Test
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreads() {
    int before = DEVICE.threads();
    var op =
        Copy.of(
            DType.F32,
            Layout.contiguous(5, 301, 77).permute(0, 2, 1),
            Layout.contiguous(5, 77, 301));
    try (var x = TestArray.normal(DEVICE, DType.F32, op.from().count(), 1);
        var y1 = TestArray.output(DEVICE, DType.F32, op.from().count());
        var y2 = TestArray.output(DEVICE, DType.F32, op.from().count())) {
      DEVICE.threads(1);
      DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), y1.buffer());
      DEVICE.threads(3);
      DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), y2.buffer());
      assertSameBits("y", y2.get(), y1.get());
    } finally {
      DEVICE.threads(before);
    }
  }

  @Test
  void emptyLayoutsWriteNothing() {
    for (var d : new long[][] {{0}, {3, 0}, {0, 5}, {0, 100, 100}}) {
      var op = new Copy(DType.F32, Layout.contiguous(d), DType.F64, Layout.contiguous(d), 0);
      try (var x = TestArray.output(DEVICE, DType.F32, 0);
          var y = TestArray.output(DEVICE, DType.F64, 0)) {
        DEVICE.plan(op.reversing(0)).run(DEVICE.defaultStream(), x.buffer(), y.buffer());
        assertThat(y.get()).isEmpty();
      }
    }
  }

  @Test
  void explains() {
    assumeTrue(TestDevice.isCpu(), "the CPU's loops");
    var rows = Layout.contiguous(64, 64);
    assertThat(DEVICE.plan(Copy.of(DType.F32, rows, rows)).explain().toString())
        .isEqualTo("copy on cpu: loops (one block), workspace 0 bytes");
    assertThat(DEVICE.plan(Copy.of(DType.F32, rows.permute(1, 0), rows)).explain().toString())
        .isEqualTo("copy on cpu: loops (transposition by blocks), workspace 0 bytes");
    assertThat(DEVICE.plan(Copy.cast(DType.F32, DType.F16, 1 << 20)).explain().toString())
        .isEqualTo("copy on cpu: loops (one block, f32 to f16), workspace 0 bytes");
  }

  @Test
  void refusesBadArguments() {
    var two = Layout.contiguous(2);
    assertThatThrownBy(() -> Copy.of(DType.F32, two, Layout.contiguous(3)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("copy: to must have the sizes of from; from=[2], to=[3]");
    assertThatThrownBy(() -> Copy.of(DType.F32, two, layout(dims(2), 0)))
        .hasMessage("copy: to must not name an element twice; to=[2] strides [0]");
    assertThatThrownBy(() -> Copy.of(DType.F32, two, two).reversing(1))
        .hasMessage("copy: axes must name dimensions; axis=1, rank=1");
    assertThatThrownBy(() -> new Copy(DType.F32, two, DType.F32, two, 2))
        .hasMessage("copy: reversed must name dimensions; reversed bits=10, rank=1");
    try (var x = TestArray.of(DEVICE, DType.F32, 1, 2, 3)) {
      var plan = DEVICE.plan(Copy.of(DType.F32, two, two));
      assertThatThrownBy(() -> plan.run(DEVICE.defaultStream(), x.buffer(), x.buffer().slice(4, 8)))
          .hasMessageStartingWith("copy: y must not overlap x; y=");
      assertThatThrownBy(() ->
              DEVICE
                  .plan(Copy.of(DType.F32, two, two).reversing(0))
                  .run(DEVICE.defaultStream(), x.buffer(), x.buffer()))
          .hasMessageStartingWith("copy: y must not overlap x; y=");
    }
  }
}
