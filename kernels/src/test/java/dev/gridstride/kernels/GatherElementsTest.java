package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.IndexOutOfRangeException;
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Element-wise gather and scatter against plain loops. */
@ExtendWith(TestDevice.class)
class GatherElementsTest {
  private static final Device DEVICE = TestDevice.get();

  /** Sizes of x, sizes of index, axis. */
  private static final long[][][] SIZES = {
    {{5}, {9}, {0}},
    {{1}, {1}, {0}},
    {{3, 4}, {3, 2}, {1}},
    {{3, 4}, {7, 3}, {0}},
    {{3, 4, 5}, {2, 6, 3}, {1}},
    {{3, 4, 5}, {3, 4, 8}, {2}},
    {{2, 3, 300}, {2, 5, 257}, {1}},
    {{4, 2, 3, 2}, {1, 2, 2, 1}, {0}},
    {{3, 4}, {0, 4}, {0}},
    {{3, 4}, {3, 0}, {1}},
    {{0, 4}, {0, 2}, {1}}
  };

  static List<GatherElements> cases() {
    var cases = new ArrayList<GatherElements>();
    for (DType type : DType.values()) {
      for (long[][] s : SIZES) {
        DType indexType = cases.size() % 2 == 0 ? DType.I64 : DType.I32;
        cases.add(of(type, indexType, s[0], s[1], (int) s[2][0]));
      }
    }
    return cases;
  }

  private static GatherElements of(DType type, DType indexType, long[] x, long[] index, int axis) {
    return new GatherElements(
        type, Layout.contiguous(x), Layout.contiguous(index), axis, indexType, true);
  }

  private static double[] indices(GatherElements op) {
    long size = op.x().dim(op.axis());
    int n = (int) op.index().count();
    return n == 0
        ? new double[0]
        : new SplittableRandom(4).longs(n, -size, size).asDoubleStream().toArray();
  }

  /** The place in x of each place of index. */
  private static int[] places(GatherElements op, double[] indices) {
    var places = new int[indices.length];
    for (int p = 0; p < places.length; p++) {
      int rest = p;
      int step = 1;
      for (int d = op.x().rank() - 1; d >= 0; d--) {
        int i = rest % (int) op.index().dim(d);
        rest /= (int) op.index().dim(d);
        int size = (int) op.x().dim(d);
        if (d == op.axis()) {
          i = (int) indices[p] < 0 ? (int) indices[p] + size : (int) indices[p];
        }
        places[p] += i * step;
        step *= size;
      }
    }
    return places;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void matchesLoops(GatherElements op) {
    double[] index = indices(op);
    int[] places = places(op, index);
    var random = new SplittableRandom(5);
    int most = op.type() == DType.BOOL ? 2 : 90;
    double[] xv = random.ints(op.x().count(), 0, most).asDoubleStream().toArray();
    double[] sv = random.ints(places.length, 0, most).asDoubleStream().toArray();
    var gathered = new double[places.length];
    double[] put = xv.clone();
    double[] sum = xv.clone();
    for (int p = 0; p < places.length; p++) {
      gathered[p] = xv[places[p]];
      put[places[p]] = sv[p];
      sum[places[p]] += sv[p];
    }
    if (op.type() == DType.U8) {
      for (int i = 0; i < sum.length; i++) {
        sum[i] %= 256;
      }
    }
    try (var x = TestArray.of(DEVICE, op.type(), xv);
        var is = TestArray.of(DEVICE, op.indexType(), index);
        var s = TestArray.of(DEVICE, op.type(), sv);
        var y = TestArray.output(DEVICE, op.type(), places.length)) {
      var plan = DEVICE.plan(op);
      plan.gather(DEVICE.defaultStream(), x.buffer(), is.buffer(), y.buffer());
      assertSameBits("gather", y.get(), gathered);
      plan.scatter(DEVICE.defaultStream(), s.buffer(), is.buffer(), x.buffer());
      assertSameBits("scatter", x.get(), put);
      if (op.type() != DType.BOOL) {
        x.set(xv);
        plan.scatterAdd(DEVICE.defaultStream(), s.buffer(), is.buffer(), x.buffer());
        // bf16 counts exactly to 256, so a sum of up to 12 terms may be rounded in most steps
        double relative = op.type() == DType.BF16 ? 12 * 0x1p-8 : 0;
        assertClose("scatterAdd", x.get(), sum, relative, 0);
      }
    }
  }

  @Test
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreads() {
    int before = DEVICE.threads();
    var op = of(DType.F32, DType.I64, new long[] {3, 20, 900}, new long[] {3, 200, 900}, 1);
    try (var is = TestArray.of(DEVICE, DType.I64, indices(op));
        var s = TestArray.normal(DEVICE, DType.F32, op.index().count(), 1);
        var one = TestArray.of(DEVICE, DType.F32, new double[(int) op.x().count()]);
        var three = TestArray.of(DEVICE, DType.F32, new double[(int) op.x().count()])) {
      DEVICE.threads(1);
      DEVICE.plan(op).scatterAdd(DEVICE.defaultStream(), s.buffer(), is.buffer(), one.buffer());
      DEVICE.threads(3);
      DEVICE.plan(op).scatterAdd(DEVICE.defaultStream(), s.buffer(), is.buffer(), three.buffer());
      assertSameBits("target", three.get(), one.get());
    } finally {
      DEVICE.threads(before);
    }
  }

  @Test
  void refusesIndicesOutOfRangeBeforeWriting() {
    var op =
        new GatherElements(
            DType.F32, Layout.contiguous(3), Layout.contiguous(2), 0, DType.I64, false);
    try (var x = TestArray.of(DEVICE, DType.F32, 1, 2, 3);
        var y = TestArray.of(DEVICE, DType.F32, 7, 7);
        var far = TestArray.of(DEVICE, DType.I64, 0, 0x1p32 + 1);
        var negative = TestArray.of(DEVICE, DType.I64, -1, 0)) {
      var plan = DEVICE.plan(op);
      assertThatThrownBy(
              () -> plan.gather(DEVICE.defaultStream(), x.buffer(), far.buffer(), y.buffer()))
          .isInstanceOfSatisfying(
              IndexOutOfRangeException.class,
              e -> {
                assertThat(e.position()).isEqualTo(1);
                assertThat(e.index()).isEqualTo(4294967297L);
              })
          .hasMessage(
              "gatherElements: indices must be in 0..2; position=1, index=4294967297, size=3");
      assertThatThrownBy(
              () -> plan.scatter(DEVICE.defaultStream(), y.buffer(), negative.buffer(), x.buffer()))
          .hasMessage("gatherElements: indices must be in 0..2; position=0, index=-1, size=3");
      assertThat(x.get()).containsExactly(1, 2, 3);
      assertThat(y.get()).containsExactly(7, 7);
    }
    assertThat(IndexOutOfRangeException.of("a", 0, 3, 0, 0))
        .hasMessage(
            "a: indices must be none, for the dimension is empty; position=0, index=3, size=0");
  }

  @Test
  void refusesBadArguments() {
    assertThatThrownBy(() -> of(DType.F32, DType.F32, new long[] {3}, new long[] {3}, 0))
        .hasMessage("gatherElements: indexType must be i64 or i32; indexType=f32");
    assertThatThrownBy(() -> of(DType.F32, DType.I32, new long[] {3}, new long[] {3}, 1))
        .hasMessage("gatherElements: axis must name a dimension; axis=1, x=[3]");
    assertThatThrownBy(() -> of(DType.F32, DType.I32, new long[] {3, 2}, new long[] {3, 3}, 0))
        .hasMessage(
            "gatherElements: index must be row-major, as x, of its rank, and not larger but along"
                + " the axis; index=[3, 3], x=[3, 2], axis=0");
    var op = of(DType.BOOL, DType.I64, new long[] {1}, new long[] {1}, 0);
    try (var x = TestArray.of(DEVICE, DType.BOOL, 1);
        var is = TestArray.of(DEVICE, DType.I64, 0);
        var y = TestArray.of(DEVICE, DType.BOOL, 1)) {
      assertThatThrownBy(() ->
              DEVICE
                  .plan(op)
                  .scatterAdd(DEVICE.defaultStream(), y.buffer(), is.buffer(), x.buffer()))
          .hasMessage("scatterAdd: type must be a type with addition; type=bool");
    }
  }
}
