package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.NormOracle.Kind;
import dev.gridstride.testing.TestArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Batch normalization's running averages and inference; the rest is in {@link NormTest}. */
@ExtendWith(TestDevice.class)
class BatchNormTest {
  private static final Device DEVICE = TestDevice.get();
  private static final Stream STREAM = DEVICE.defaultStream();

  @ParameterizedTest
  @EnumSource(ImageLayout.class)
  void keepsRunningAverages(ImageLayout layout) {
    for (DType type : new DType[] {DType.F32, DType.F64, DType.BF16}) {
      var op = new BatchNorm(type, layout, 3, 5, 4, 1e-5);
      var c = new NormCase(Kind.BATCH, type, layout, 3, 5, 4, 1, 1e-5);
      try (var x = TestArray.normal(DEVICE, type, 60, 1);
          var y = TestArray.output(DEVICE, type, 60);
          var g = TestArray.normal(DEVICE, type, 5, 2);
          var b = TestArray.normal(DEVICE, type, 5, 3);
          var mean = TestArray.of(DEVICE, c.statType(), 1, 2, 3, 4, 5);
          var var = TestArray.of(DEVICE, c.statType(), 1, 1, 2, 2, 3);
          var dy = TestArray.normal(DEVICE, type, 60, 4);
          var dx = TestArray.output(DEVICE, type, 60);
          var dg = TestArray.output(DEVICE, type, 5);
          var db = TestArray.output(DEVICE, type, 5)) {
        var plan = DEVICE.plan(op);
        plan.forward(
            STREAM,
            x.buffer(),
            null,
            null,
            y.buffer(),
            null,
            null,
            mean.buffer(),
            var.buffer(),
            0.25);
        var oracle = c.oracle().measure(x.get());
        double[] m = {1, 2, 3, 4, 5};
        double[] v = {1, 1, 2, 2, 3};
        for (int i = 0; i < 5; i++) {
          m[i] = 0.75 * m[i] + 0.25 * oracle.mean[i];
          v[i] = 0.75 * v[i] + 0.25 * oracle.var[i] * 12 / 11;
        }
        assertClose("running mean", mean.get(), m, 1e-6, 1e-6);
        assertClose("running var", var.get(), v, 1e-6, 1e-6);

        var frozen = c.oracle();
        System.arraycopy(mean.get(), 0, frozen.mean, 0, 5);
        System.arraycopy(var.get(), 0, frozen.var, 0, 5);
        frozen.forward(x.get(), g.get(), b.get());
        frozen.backward(x.get(), g.get(), dy.get(), true);
        Buffer ms = mean.buffer();
        Buffer vs = var.buffer();
        plan.inference(STREAM, x.buffer(), g.buffer(), b.buffer(), ms, vs, y.buffer());
        plan.inferenceBackward(
            STREAM,
            x.buffer(),
            g.buffer(),
            ms,
            vs,
            dy.buffer(),
            dx.buffer(),
            dg.buffer(),
            db.buffer());
        double eps = type.epsilon();
        assertClose("y", y.get(), frozen.y, 8 * eps, 8 * eps);
        assertClose("dx", dx.get(), frozen.dx, 8 * eps, 8 * eps);
        assertClose("dgamma", dg.get(), frozen.dgamma, 16 * eps, 32 * eps);
        assertClose("dbeta", db.get(), frozen.dbeta, 16 * eps, 32 * eps);
        double[] before = dx.get();
        plan.inferenceBackward(
            STREAM, x.buffer(), g.buffer(), ms, vs, dy.buffer(), dx.buffer(), null, null);
        assertSameBits("dx", dx.get(), before);
      }
    }
  }

  /** A mean that f32 can't hold leaves a rest, which belongs to that call alone. */
  @Test
  void inferenceKnowsNothingOfTheTrainingBefore() {
    float far = 1 << 20;
    var plan = DEVICE.plan(BatchNorm.of(3, 2, 1));
    try (var x = TestArray.of(DEVICE, DType.F32, far, far, far + 0.125, far + 0.125, far, far);
        var mean = TestArray.of(DEVICE, DType.F32, far, far);
        var var = TestArray.of(DEVICE, DType.F32, 1, 1);
        var y = TestArray.output(DEVICE, DType.F32, 6)) {
      plan.forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, null, null, 0);
      plan.inference(STREAM, x.buffer(), null, null, mean.buffer(), var.buffer(), y.buffer());
      double moved = 0.125 / Math.sqrt(1 + 1e-5);
      assertClose("y", y.get(), new double[] {0, 0, moved, moved, 0, 0}, 1e-6, 1e-6);
    }
  }

  @Test
  void runningAveragesOfOneElementAndOfNone() {
    try (var x = TestArray.of(DEVICE, DType.F32, 7, 9);
        var mean = TestArray.of(DEVICE, DType.F32, 1, 1);
        var var = TestArray.of(DEVICE, DType.F32, 1, 1);
        var y = TestArray.output(DEVICE, DType.F32, 2)) {
      Buffer m = mean.buffer();
      Buffer v = var.buffer();
      DEVICE
          .plan(BatchNorm.of(0, 2, 1))
          .forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, m, v, 0.5);
      assertSameBits("mean", mean.get(), new double[] {1, 1});
      DEVICE
          .plan(BatchNorm.of(1, 2, 1))
          .forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, m, v, 0.5);
      assertSameBits("mean", mean.get(), new double[] {4, 5});
      assertSameBits("var", var.get(), new double[] {0.5, 0.5});
      assertSameBits("y", y.get(), new double[] {0, 0});
    }
  }
}
