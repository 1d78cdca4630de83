package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.testing.TestArray;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Gather and its adjoint against plain loops. */
@ExtendWith(TestDevice.class)
class GatherTest {
  private static final Device DEVICE = TestDevice.get();

  static Stream<Gather> cases() {
    long[][] sizes = {
      {1, 5, 1, 7},
      {3, 4, 1, 9},
      {1, 10, 16, 33},
      {2, 7, 63, 5},
      {1, 3, 65, 400},
      {4, 1, 130, 2},
      {1, 5, 3, 0},
      {0, 5, 3, 2},
      {2, 5, 0, 2}
    };
    return Arrays.stream(DType.values())
        .filter(t -> t != DType.BOOL)
        .flatMap(t ->
            Arrays.stream(sizes)
                .flatMap(d ->
                    Stream.of(DType.I64, DType.I32)
                        .map(i -> new Gather(t, d[0], d[1], d[2], d[3], i, true))));
  }

  private static double[] indices(Gather op) {
    var random = new SplittableRandom(4);
    return random.longs(op.count(), -op.size(), op.size()).asDoubleStream().toArray();
  }

  private static int at(Gather op, double[] indices, int o, int k, int i) {
    int row = (int) indices[k] + (indices[k] < 0 ? (int) op.size() : 0);
    return (int) ((o * op.size() + row) * op.inner() + i);
  }

  private interface Element {
    void run(int x, int y);
  }

  private static void each(Gather op, double[] indices, Element element) {
    int y = 0;
    for (int o = 0; o < op.outer(); o++) {
      for (int k = 0; k < op.count(); k++) {
        for (int i = 0; i < op.inner(); i++) {
          element.run(at(op, indices, o, k, i), y++);
        }
      }
    }
  }

  /** Small integers: sums are exact in every type (u8 wraps), so any slip shows. */
  @ParameterizedTest
  @MethodSource("cases")
  void picksAndAddsBack(Gather op) {
    double[] index = indices(op);
    int nx = (int) (op.outer() * op.size() * op.inner());
    int ny = (int) (op.outer() * op.count() * op.inner());
    var random = new SplittableRandom(5);
    double[] xv = random.ints(nx, 0, 3).asDoubleStream().toArray();
    double[] dyv = random.ints(ny, 0, 2).asDoubleStream().toArray();
    var expectedY = new double[ny];
    each(op, index, (x, y) -> expectedY[y] = xv[x]);
    var expectedDx = new double[nx];
    each(op, index, (x, y) -> expectedDx[x] += dyv[y]);
    double modulus = op.type() == DType.U8 ? 256 : Double.MAX_VALUE;
    try (var x = TestArray.of(DEVICE, op.type(), xv);
        var is = TestArray.of(DEVICE, op.indexType(), index);
        var y = TestArray.output(DEVICE, op.type(), ny);
        var dy = TestArray.of(DEVICE, op.type(), dyv);
        var dx = TestArray.output(DEVICE, op.type(), nx)) {
      var plan = DEVICE.plan(op);
      plan.forward(DEVICE.defaultStream(), x.buffer(), is.buffer(), y.buffer());
      assertSameBits("y", y.get(), expectedY);
      plan.backward(DEVICE.defaultStream(), dy.buffer(), is.buffer(), dx.buffer());
      // every sum stays below 256, to which bf16 counts exactly
      assertSameBits("dx", dx.get(), Arrays.stream(expectedDx).map(v -> v % modulus).toArray());
      plan.scatterAdd(DEVICE.defaultStream(), dy.buffer(), is.buffer(), x.buffer());
      var sum = new double[nx];
      Arrays.setAll(sum, i -> (xv[i] + expectedDx[i]) % modulus);
      assertSameBits("x", x.get(), sum);
    }
  }

  @Test
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreads() {
    int before = DEVICE.threads();
    var op = new Gather(DType.F32, 2, 50, 200, 1001, DType.I64, true);
    double[] index = indices(op);
    double[] dyv = TestArray.normal(2 * 1001 * 200, 1);
    try (var is = TestArray.of(DEVICE, DType.I64, index);
        var dy = TestArray.of(DEVICE, DType.F32, dyv);
        var one = TestArray.output(DEVICE, DType.F32, 2 * 50 * 200);
        var three = TestArray.output(DEVICE, DType.F32, 2 * 50 * 200)) {
      DEVICE.threads(1);
      DEVICE.plan(op).backward(DEVICE.defaultStream(), dy.buffer(), is.buffer(), one.buffer());
      DEVICE.threads(3);
      DEVICE.plan(op).backward(DEVICE.defaultStream(), dy.buffer(), is.buffer(), three.buffer());
      assertSameBits("dx", three.get(), one.get());
      var exact = new double[2 * 50 * 200];
      each(op, index, (x, y) -> exact[x] += (float) dyv[y]);
      // about 20 terms of size 1 in each sum, each rounded once
      assertClose("dx", one.get(), exact, 0, 40 * 10 * 0x1p-24);
    } finally {
      DEVICE.threads(before);
    }
  }

  @Test
  void refusesIndicesOutOfRangeBeforeWriting() {
    try (var x = TestArray.of(DEVICE, DType.F32, 1, 2, 3);
        var y = TestArray.of(DEVICE, DType.F32, 7, 7);
        var big = TestArray.of(DEVICE, DType.I64, 0, 0x1p32 + 1);
        var negative = TestArray.of(DEVICE, DType.I32, -1, -4)) {
      var op = Gather.of(DType.F32, DType.I64, 2, 0, 3);
      assertThatThrownBy(() ->
              DEVICE.plan(op).forward(DEVICE.defaultStream(), x.buffer(), big.buffer(), y.buffer()))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage("gather: indices must be in 0..2; position=1, index=4294967297, size=3");
      var signed = Gather.of(DType.F32, DType.I32, 2, 0, 3);
      assertThatThrownBy(() ->
              DEVICE
                  .plan(signed)
                  .backward(DEVICE.defaultStream(), y.buffer(), negative.buffer(), x.buffer()))
          .hasMessage("gather: indices must be in 0..2; position=0, index=-1, size=3");
      assertThatThrownBy(() ->
              DEVICE
                  .plan(signed.countingFromEnd())
                  .forward(DEVICE.defaultStream(), x.buffer(), negative.buffer(), y.buffer()))
          .hasMessage("gather: indices must be in -3..2; position=1, index=-4, size=3");
      assertThat(x.get()).containsExactly(1, 2, 3);
      assertThat(y.get()).containsExactly(7, 7);
    }
  }

  @Test
  void refusesBadArguments() {
    assertThatThrownBy(() -> Gather.of(DType.F32, DType.F32, 2, 0, 3))
        .hasMessage("gather: indexType must be i64 or i32; indexType=f32");
    assertThatThrownBy(() -> Gather.of(DType.F32, DType.I64, 2, 1, 3))
        .hasMessage("gather: axis must name a dimension; axis=1, dims=[3]");
    assertThatThrownBy(() -> Gather.of(DType.F32, DType.I64, -2, 0, 3))
        .hasMessage("gather: sizes must not be negative; outer=1, size=3, inner=1, count=-2");
    try (var x = TestArray.of(DEVICE, DType.BOOL, 0, 1);
        var is = TestArray.of(DEVICE, DType.I64, 0);
        var y = TestArray.output(DEVICE, DType.BOOL, 1)) {
      var plan = DEVICE.plan(Gather.of(DType.BOOL, DType.I64, 1, 0, 2));
      plan.forward(DEVICE.defaultStream(), x.buffer(), is.buffer(), y.buffer());
      assertThat(y.get()).containsExactly(0);
      assertThatThrownBy(
              () -> plan.backward(DEVICE.defaultStream(), y.buffer(), is.buffer(), x.buffer()))
          .hasMessage("scatterAdd: type must be a type with addition; type=bool");
    }
  }
}
