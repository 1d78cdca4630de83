package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@link ArgReduce} and {@link TopK} against a plain sort of every line; results are exact. */
@ExtendWith(TestDevice.class)
class OrderTest {
  private static final Device DEVICE = TestDevice.get();
  private static final DType[] TYPES = {
    DType.F32, DType.F64, DType.BF16, DType.F16, DType.I32, DType.I64
  };

  /** A layout and the dimension searched. */
  record Line(Layout x, int axis, DType type) {}

  static Stream<Line> lines() {
    var layouts = new ArrayList<Layout>();
    // lanes are 4, 8 or 16; a block of keys is 1,024
    for (long n : new long[] {1, 2, 3, 5, 7, 9, 15, 17, 1009, 1024, 1025, 2049}) {
      layouts.add(Layout.contiguous(n));
      layouts.add(Layout.contiguous(n, 3));
      layouts.add(Layout.contiguous(2, n));
    }
    layouts.add(Layout.contiguous(3, 5, 65));
    layouts.add(Layout.contiguous(2, 7, 300));
    layouts.add(Layout.contiguous(4, 3, 2, 9));
    layouts.add(Layout.contiguous(20, 300).permute(1, 0));
    layouts.add(Layout.contiguous(3, 4, 5).permute(2, 0, 1));
    layouts.add(Layout.of(new long[] {3, 7}, new long[] {20, 2}));
    layouts.add(Layout.of(new long[] {3, 7}, new long[] {0, 1}));
    layouts.add(Layout.of(new long[] {5, 7}, new long[] {1, 0}));
    layouts.add(Layout.contiguous(3, 0, 2));
    var lines = new ArrayList<Line>();
    for (Layout l : layouts) {
      for (int axis = 0; axis < l.rank(); axis++) {
        for (DType type : TYPES) {
          lines.add(new Line(l, axis, type));
        }
      }
    }
    return lines.stream();
  }

  /** Random values, many of them equal; NaN, infinities and both zeros in floating types. */
  private static double[] data(Line l) {
    double[] x = TestArray.normal(l.x.span(), 11);
    double[] ties = TestArray.integers(l.x.span(), 12);
    for (int i = 0; i < x.length; i++) {
      if (!l.type.isFloating()) {
        x[i] = i % 3 == 0 ? ties[i] : Math.rint(1e6 * x[i]);
        continue;
      }
      x[i] =
          switch (i % 17) {
            case 3, 4, 8 -> ties[i];
            case 5 -> i % 5 == 0 ? Double.NaN : -0.0;
            case 6 -> i % 3 == 0 ? Double.POSITIVE_INFINITY : 0;
            case 7 -> Double.NEGATIVE_INFINITY;
            default -> x[i];
          };
    }
    return x;
  }

  /** The offsets in x of each line along the axis; lines in row-major order of the others. */
  private static List<int[]> offsets(Layout l, int axis) {
    var lines = new ArrayList<int[]>();
    var index = new long[l.rank()];
    long count = 1;
    for (int i = 0; i < l.rank(); i++) {
      count *= i == axis ? 1 : l.dim(i);
    }
    for (long o = 0; o < count; o++) {
      long rest = o;
      long base = 0;
      for (int i = l.rank() - 1; i >= 0; i--) {
        if (i != axis) {
          index[i] = rest % l.dim(i);
          rest /= l.dim(i);
          base += index[i] * l.stride(i);
        }
      }
      var line = new int[(int) l.dim(axis)];
      for (int j = 0; j < line.length; j++) {
        line[j] = (int) (base + j * l.stride(axis));
      }
      lines.add(line);
    }
    return lines;
  }

  /** NaN above all; the two zeros equal. */
  private static int compare(double a, double b) {
    return Double.isNaN(a) || Double.isNaN(b)
        ? Boolean.compare(Double.isNaN(a), Double.isNaN(b))
        : a < b ? -1 : a > b ? 1 : 0;
  }

  /** Places along a line, best first, equal ones by place. */
  private static Integer[] order(double[] x, int[] line, boolean largest) {
    var order = new Integer[line.length];
    Arrays.setAll(order, i -> i);
    Comparator<Integer> byValue = (a, b) -> compare(x[line[a]], x[line[b]]);
    Arrays.sort(order, largest ? byValue.reversed() : byValue); // a stable sort
    return order;
  }

  private static long arg(double[] x, int[] line, ArgReduce op) {
    long best = 0;
    for (int i = 1; i < line.length; i++) {
      double a = x[line[i]];
      double b = x[line[(int) best]];
      int c =
          op.kind() == ArgReduce.Kind.MAX || Double.isNaN(a) || Double.isNaN(b)
              ? compare(a, b)
              : compare(b, a);
      best = c > 0 || (c == 0 && op.last()) ? i : best;
    }
    return best;
  }

  @ParameterizedTest
  @MethodSource("lines")
  void argReduceMatchesOracle(Line l) {
    if (l.x.dim(l.axis) == 0) {
      return; // refused, see refusesBadArguments
    }
    List<int[]> offsets = offsets(l.x, l.axis);
    try (var x = TestArray.of(DEVICE, l.type, data(l));
        var y = TestArray.output(DEVICE, DType.I64, offsets.size())) {
      double[] values = x.get();
      for (ArgReduce.Kind kind : ArgReduce.Kind.values()) {
        for (boolean last : new boolean[] {false, true}) {
          var op = new ArgReduce(kind, l.type, l.x, l.axis, last);
          DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), y.buffer());
          double[] expected = offsets.stream().mapToDouble(o -> arg(values, o, op)).toArray();
          assertSameBits(op.toString(), y.get(), expected);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("lines")
  void topKMatchesSort(Line l) {
    long n = l.x.dim(l.axis);
    for (long k : Stream.of(0L, 1L, 2L, 5L, n / 2, n - 1, n).distinct().toList()) {
      if (k < 0 || k > n) {
        continue;
      }
      for (boolean largest : new boolean[] {true, false}) {
        topK(l, new TopK(l.type, l.x, l.axis, k, largest), data(l));
      }
    }
  }

  private static void topK(Line l, TopK op, double[] data) {
    Layout out = Layout.contiguous(op.outputDims());
    int count = (int) out.count();
    Layout whole = Layout.contiguous(l.x.dims());
    try (var x = TestArray.of(DEVICE, l.type, data);
        var values = TestArray.output(DEVICE, l.type, count);
        var indices = TestArray.output(DEVICE, DType.I64, count);
        var dx = TestArray.output(DEVICE, l.type, whole.count())) {
      var plan = DEVICE.plan(op);
      plan.forward(DEVICE.defaultStream(), x.buffer(), values.buffer(), indices.buffer());
      double[] in = x.get();
      var v = new double[count];
      var i = new double[count];
      var g = new double[(int) whole.count()];
      List<int[]> from = offsets(l.x, l.axis);
      List<int[]> to = offsets(out, l.axis);
      List<int[]> back = offsets(whole, l.axis);
      double[] dy = TestArray.integers(count, 5);
      for (int line = 0; line < from.size(); line++) {
        Integer[] order = order(in, from.get(line), op.largest());
        for (int j = 0; j < op.k(); j++) {
          v[to.get(line)[j]] = in[from.get(line)[order[j]]];
          i[to.get(line)[j]] = order[j];
          g[back.get(line)[order[j]]] = dy[to.get(line)[j]];
        }
      }
      assertSameBits(op + " values", values.get(), v);
      assertSameBits(op + " indices", indices.get(), i);
      if (l.type.isFloating()) {
        try (var d = TestArray.of(DEVICE, l.type, dy)) {
          plan.backward(DEVICE.defaultStream(), d.buffer(), indices.buffer(), dx.buffer());
        }
        assertSameBits(op + " dx", dx.get(), g);
      }
    }
  }

  @Test
  void integersBeyondDoubleAreComparedExactly() {
    Layout l = Layout.contiguous(4);
    try (var x = DEVICE.allocate(32);
        var values = DEVICE.allocate(32);
        var y = TestArray.output(DEVICE, DType.I64, 4)) {
      long[] longs = {Long.MAX_VALUE - 1, Long.MAX_VALUE, Long.MIN_VALUE + 1, Long.MIN_VALUE};
      x.copyFrom(java.lang.foreign.MemorySegment.ofArray(longs));
      var s = DEVICE.defaultStream();
      DEVICE.plan(new TopK(DType.I64, l, 0, 4, true)).forward(s, x, values, y.buffer());
      assertThat(y.get()).containsExactly(1, 0, 2, 3);
      var got = new long[4];
      values.copyTo(java.lang.foreign.MemorySegment.ofArray(got));
      assertThat(got).containsExactly(longs[1], longs[0], longs[2], longs[3]);
      DEVICE.plan(new TopK(DType.I64, l, 0, 4, false)).forward(s, x, values, y.buffer());
      assertThat(y.get()).containsExactly(3, 2, 0, 1);
      DEVICE.plan(ArgReduce.of(ArgReduce.Kind.MIN, DType.I64, l, 0)).run(s, x, y.buffer());
      assertThat(y.get()[0]).isEqualTo(3);
      DEVICE.plan(ArgReduce.of(ArgReduce.Kind.MAX, DType.I64, l, 0)).run(s, x, y.buffer());
      assertThat(y.get()[0]).isEqualTo(1);
      x.copyFrom(
          java.lang.foreign.MemorySegment.ofArray(
              new long[] {Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE}));
      DEVICE.plan(new ArgReduce(ArgReduce.Kind.MAX, DType.I64, l, 0, true)).run(s, x, y.buffer());
      assertThat(y.get()[0]).isEqualTo(3);
      DEVICE.plan(ArgReduce.of(ArgReduce.Kind.MAX, DType.I64, l, 0)).run(s, x, y.buffer());
      assertThat(y.get()[0]).isZero();
    }
  }

  @Test
  @ResourceLock("threads")
  void sameForAnyNumberOfThreads() {
    int before = DEVICE.threads();
    Layout l = Layout.contiguous(300, 1009);
    try (var x = TestArray.of(DEVICE, DType.F32, TestArray.integers(l.count(), 1));
        var v = TestArray.output(DEVICE, DType.F32, 3 * 1009);
        var y1 = TestArray.output(DEVICE, DType.I64, 3 * 1009);
        var y3 = TestArray.output(DEVICE, DType.I64, 3 * 1009)) {
      for (int axis = 0; axis < 2; axis++) {
        var arg = DEVICE.plan(ArgReduce.of(ArgReduce.Kind.MAX, DType.F32, l, axis));
        var top = DEVICE.plan(new TopK(DType.F32, l, axis, 3, true));
        var s = DEVICE.defaultStream();
        DEVICE.threads(1);
        arg.run(s, x.buffer(), y1.buffer());
        DEVICE.threads(3);
        arg.run(s, x.buffer(), y3.buffer());
        int outputs = axis == 0 ? 1009 : 300;
        assertSameBits("arg", Arrays.copyOf(y3.get(), outputs), Arrays.copyOf(y1.get(), outputs));
        top.forward(s, x.buffer(), v.buffer(), y3.buffer());
        DEVICE.threads(1);
        top.forward(s, x.buffer(), v.buffer(), y1.buffer());
        assertSameBits(
            "topK", Arrays.copyOf(y3.get(), 3 * outputs), Arrays.copyOf(y1.get(), 3 * outputs));
      }
    } finally {
      DEVICE.threads(before);
    }
  }

  @Test
  void refusesBadArguments() {
    Layout l = Layout.contiguous(2, 3);
    var max = ArgReduce.Kind.MAX;
    assertThatThrownBy(() -> ArgReduce.of(max, DType.F32, l, 2))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("argReduce: axis must name a dimension; axis=2, rank=2");
    assertThatThrownBy(() -> ArgReduce.of(max, DType.F32, l, -1)).hasMessageContaining("axis=-1");
    assertThatThrownBy(() -> ArgReduce.of(max, DType.F32, Layout.contiguous(), 0))
        .hasMessageContaining("axis=0, rank=0");
    assertThatThrownBy(() -> ArgReduce.of(max, DType.BOOL, l, 0))
        .hasMessage("argReduce: type must be f64, f32, bf16, f16, i64 or i32; type=bool");
    assertThatThrownBy(() -> ArgReduce.of(max, DType.F32, Layout.contiguous(2, 0), 1))
        .hasMessage("argReduce: axis must not be empty; axis=1, x=[2, 0]");
    assertThatThrownBy(() -> new TopK(DType.F32, l, 1, 4, true))
        .hasMessage("topK: k must be in 0..size of the axis; k=4, size=3");
    assertThatThrownBy(() -> new TopK(DType.F32, l, 1, -1, true)).hasMessageContaining("k=-1");
    assertThatThrownBy(() -> new TopK(DType.U8, l, 1, 1, true)).hasMessageContaining("type=u8");
    assertThatThrownBy(() -> new TopK(DType.F32, l, 3, 1, true)).hasMessageContaining("axis=3");
    var huge = Layout.of(new long[] {1L << 31}, new long[] {0});
    if (TestDevice.isCpu()) {
      assertThat(new TopK(DType.F32, huge, 0, 1L << 31, true).supports(DEVICE).toString())
          .contains("k must be at most 2^30");
    } else {
      var larger = Layout.of(new long[] {1L << 33}, new long[] {0});
      assertThat(new TopK(DType.F32, larger, 0, 1025, true).supports(DEVICE).toString())
          .contains("at most 1024 of more than 2^32-1 elements");
    }
  }

  @Test
  void refusesBadOperands() {
    Layout l = Layout.contiguous(2, 3);
    try (var x = TestArray.normal(DEVICE, DType.F32, 6, 1);
        var v = TestArray.output(DEVICE, DType.F32, 2);
        var i = TestArray.of(DEVICE, DType.I64, 1, 3)) {
      var s = DEVICE.defaultStream();
      var arg = DEVICE.plan(ArgReduce.of(ArgReduce.Kind.MAX, DType.F32, l, 1));
      assertThatThrownBy(() -> arg.run(s, x.buffer(), x.buffer()))
          .hasMessageContaining("y must not overlap x");
      assertThatThrownBy(() -> arg.run(s, x.buffer(), v.buffer()))
          .hasMessageContaining("y must hold at least 2 elements of i64");
      assertThat(arg.explain().toString()).contains(TestDevice.isCpu() ? "(rows)" : "cuda");
      var top = DEVICE.plan(new TopK(DType.F32, l, 1, 1, true));
      assertThat(top.explain().toString()).contains("(k=1 of 3)");
      assertThatThrownBy(() -> top.forward(s, x.buffer(), x.buffer(), i.buffer()))
          .hasMessageContaining("values must not overlap x");
      assertThatThrownBy(() -> top.forward(s, x.buffer(), v.buffer(), x.buffer()))
          .hasMessageContaining("indices must not overlap x");
      assertThatThrownBy(() -> top.forward(s, x.buffer(), i.buffer(), i.buffer()))
          .hasMessageContaining("indices must not overlap values");
      assertThatThrownBy(() -> top.backward(s, v.buffer(), i.buffer(), x.buffer()))
          .hasMessage("topK: indices must be in 0..size; index=3, size=3");
      var ints = DEVICE.plan(new TopK(DType.I32, l, 1, 1, true));
      assertThatThrownBy(() -> ints.backward(s, v.buffer(), i.buffer(), x.buffer()))
          .hasMessage("topK: type must be floating to have a gradient; type=i32");
    }
  }
}
