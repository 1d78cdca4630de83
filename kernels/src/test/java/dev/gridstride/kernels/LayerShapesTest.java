package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.LayerShapes.Layer;
import dev.gridstride.kernels.LayerShapes.Product;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The shapes of real layers on integers, where every pass must be exact: every element is checked,
 * by random sums. What takes more than a moment is tagged {@code slow}.
 */
@ExtendWith(TestDevice.class)
final class LayerShapesTest {
  private static final Device DEVICE = TestDevice.get();

  /** Operations that run in well under a second: a hundredth of that on the emulator. */
  private static final double SMALL = TestDevice.isCpu() ? 5e7 : 5e5;

  /** The emulator takes days for the large ones. */
  private static final double LARGE = TestDevice.isCpu() ? 1e13 : 2e8;

  static List<Product> smallProducts() {
    return LayerShapes.products().stream().filter(p -> p.op().flops() <= SMALL).toList();
  }

  static List<Product> largeProducts() {
    return LayerShapes.products().stream()
        .filter(p -> p.op().flops() > SMALL && p.op().flops() <= LARGE)
        .toList();
  }

  static List<Layer> smallLayers() {
    return LayerShapes.layers().stream().filter(l -> l.op().flops() <= SMALL).toList();
  }

  static List<Layer> largeLayers() {
    return LayerShapes.layers().stream()
        .filter(l -> l.op().flops() > SMALL && l.op().flops() <= LARGE)
        .toList();
  }

  @Test
  void readsEveryShape() {
    assertThat(LayerShapes.products()).hasSize(18 + 45);
    assertThat(LayerShapes.layers()).hasSize(97 + 24);
  }

  @ParameterizedTest
  @MethodSource("smallProducts")
  void smallProductsAreExact(Product p) {
    checkExact(p.op());
    checkExact(p.op().type(DType.F64));
    checkExact(p.op().types(DType.BF16, DType.BF16, DType.F32));
    checkExact(p.op().types(DType.F16, DType.F16, DType.F32));
  }

  @Tag("slow")
  @Tag("vector-only") // days in scalar code
  @ParameterizedTest
  @MethodSource("largeProducts")
  void largeProductsAreExact(Product p) {
    checkExact(p.op());
    checkExact(p.op().types(DType.BF16, DType.BF16, DType.F32));
  }

  @ParameterizedTest
  @MethodSource("smallLayers")
  void smallLayersAreExact(Layer l) {
    checkExact(l.op());
    checkExact(l.op().withLayout(ImageLayout.NHWC));
    checkExact(l.op().withType(DType.F64));
  }

  @Tag("slow")
  @Tag("vector-only") // days in scalar code
  @ParameterizedTest
  @MethodSource("largeLayers")
  void largeLayersAreExact(Layer l) {
    checkExact(l.op());
  }

  @Test
  void aWrongElementShows() {
    Conv op = Conv.of2d(2, 3, 4, 5, 6, 3, 3);
    var zeros = new IntegerOperand(1, 0);
    try (Buffer y = zeros.buffer(DEVICE, op.type(), op.yCount())) {
      var oracle = new ConvContraction(op, zeros, zeros, zeros, zeros);
      oracle.checkForward(y);
      y.slice(4 * (op.yCount() - 1), 4).copyFrom(MemorySegment.ofArray(new float[] {1}));
      assertThatThrownBy(() -> oracle.checkForward(y))
          .isInstanceOf(AssertionError.class)
          .hasStackTraceContaining("image 1, group 0, element 5");
      y.fill((byte) -1);
      assertThatThrownBy(() -> oracle.checkForward(y)).hasStackTraceContaining("NaN");
    }
  }

  /** {@code C r = op(A) (op(B) r)} for a random r, in integers modulo 2^64. */
  private static void checkExact(Gemm op) {
    int magnitude = IntegerOperand.magnitude(op.k());
    var a = new IntegerOperand(1, magnitude);
    var b = new IntegerOperand(2L << 40, magnitude);
    long[] r = new SplittableRandom(3).longs(op.n()).map(v -> v | 1).toArray();
    try (Buffer x = a.buffer(DEVICE, op.aType(), op.countA());
        Buffer y = b.buffer(DEVICE, op.bType(), op.countB());
        Buffer c = DEVICE.allocate(op.cType(), op.countC());
        var plan = DEVICE.plan(op)) {
      c.fill((byte) -1);
      plan.run(DEVICE.defaultStream(), 1, x, y, 0, c);
      for (long q = 0; q < op.batch(); q++) {
        long[] br = new long[(int) op.k()];
        for (int p = 0; p < br.length; p++) {
          for (int j = 0; j < r.length; j++) {
            long at = op.transposedB() ? j * op.leadingB() + p : p * op.leadingB() + j;
            br[p] += r[j] * b.at(q * op.strideB() + at);
          }
        }
        for (long i = 0; i < op.m(); i++) {
          long expected = 0;
          for (int p = 0; p < br.length; p++) {
            long at = op.transposedA() ? p * op.leadingA() + i : i * op.leadingA() + p;
            expected += br[p] * a.at(q * op.strideA() + at);
          }
          long row = q * op.strideC() + i * op.leadingC();
          long[] got = IntegerOperand.result(c, op.cType(), row, r.length);
          long sum = 0;
          for (int j = 0; j < r.length; j++) {
            sum += r[j] * got[j];
          }
          if (sum != expected) {
            fail("%s: row %d of product %d is wrong", op, i, q);
          }
        }
      }
    }
  }

  private static void checkExact(Conv op) {
    double taps = 1;
    double pixels = op.n();
    for (ConvAxis axis : op.axes()) {
      taps *= axis.kernel();
      pixels *= axis.out();
    }
    double channels = Math.max(op.c(), op.k()) / (double) op.groups();
    int magnitude = IntegerOperand.magnitude(Math.max(channels * taps, pixels));
    var x = new IntegerOperand(1, magnitude);
    var w = new IntegerOperand(2L << 40, magnitude);
    var bias = new IntegerOperand(3L << 40, magnitude);
    var dy = new IntegerOperand(4L << 40, magnitude);
    var oracle = new ConvContraction(op, x, w, bias, dy);
    Stream stream = DEVICE.defaultStream();
    try (Buffer xb = x.buffer(DEVICE, op.type(), op.xCount());
        Buffer wb = w.buffer(DEVICE, op.type(), op.wCount());
        var plan = DEVICE.plan(op);
        Buffer workspace = DEVICE.allocate(plan.workspaceBytes())) {
      try (Buffer biases = bias.buffer(DEVICE, op.type(), op.k());
          Buffer y = DEVICE.allocate(op.type(), op.yCount())) {
        y.fill((byte) -1);
        plan.forward(stream, xb, wb, biases, y, workspace);
        oracle.checkForward(y);
      }
      try (Buffer dyb = dy.buffer(DEVICE, op.type(), op.yCount());
          Buffer dx = DEVICE.allocate(op.type(), op.xCount());
          Buffer dw = DEVICE.allocate(op.type(), op.wCount());
          Buffer dbias = DEVICE.allocate(op.type(), op.k())) {
        for (Buffer output : List.of(dx, dw, dbias)) {
          output.fill((byte) -1);
        }
        plan.backwardData(stream, dyb, wb, dx, workspace);
        oracle.checkBackwardData(dx);
        plan.backwardWeight(stream, xb, dyb, dw, dbias, workspace);
        oracle.checkBackwardWeight(dw, dbias);
      }
    }
  }
}
