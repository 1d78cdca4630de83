package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import dev.gridstride.testing.TestArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What normalizations refuse, and in which words; explanations. */
@ExtendWith(TestDevice.class)
class NormArgumentsTest {
  private static final Device DEVICE = TestDevice.get();
  private static final Stream STREAM = DEVICE.defaultStream();

  @Test
  void refusesBadDescriptions() {
    assertThatThrownBy(() -> LayerNorm.of(-1, 2))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("layerNorm: sizes must not be negative; rows=-1, cols=2");
    assertThatThrownBy(() -> new RmsNorm(DType.I32, 1, 2, 0))
        .hasMessage("rmsNorm: type must be f64, f32, bf16 or f16; type=i32");
    for (double eps : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new LayerNorm(DType.F32, 1, 2, eps))
          .hasMessageStartingWith("layerNorm: eps must be finite and not negative; eps=");
    }
    assertThatThrownBy(() -> BatchNorm.of(1, -2, 3))
        .hasMessage("batchNorm: sizes must not be negative; n=1, c=-2, spatial=3");
    assertThatThrownBy(() -> GroupNorm.of(1, 6, 3, 4))
        .hasMessage("groupNorm: groups must divide the channels; groups=4, c=6");
    assertThatThrownBy(() -> GroupNorm.of(1, 6, 3, 0)).hasMessageContaining("groups=0");
    assertThatThrownBy(() -> BatchNorm.of(1L << 40, 1L << 40, 3))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void refusesBadOperands() {
    var layer = DEVICE.plan(LayerNorm.of(2, 3));
    var batch = DEVICE.plan(BatchNorm.of(2, 3, 1));
    try (var x = TestArray.normal(DEVICE, DType.F32, 6, 1);
        var y = TestArray.output(DEVICE, DType.F32, 6);
        var three = TestArray.normal(DEVICE, DType.F32, 3, 1);
        var other = TestArray.normal(DEVICE, DType.F32, 3, 1)) {
      Buffer p = three.buffer();
      assertThatThrownBy(() -> layer.forward(STREAM, x.buffer(), null, p, y.buffer(), null, null))
          .hasMessageStartingWith("layerNorm: beta must not be given without gamma");
      assertThatThrownBy(
              () -> layer.forward(STREAM, x.buffer(), p, null, y.buffer(), x.buffer(), null))
          .hasMessageStartingWith("layerNorm: mean must not overlap x");
      assertThatThrownBy(() -> layer.forward(STREAM, x.buffer(), p, null, y.buffer(), p, null))
          .hasMessageStartingWith("layerNorm: mean must not overlap gamma");
      assertThatThrownBy(() -> layer.forward(STREAM, p, null, null, y.buffer(), null, null))
          .hasMessageStartingWith("layerNorm: x must hold at least 6 elements of f32");
      Buffer o = other.buffer();
      assertThatThrownBy(
              () -> layer.backward(STREAM, x.buffer(), null, o, o, y.buffer(), p, null, null))
          .hasMessageStartingWith("layerNorm: dx must hold at least 6 elements");
      assertThatThrownBy(
              () -> layer.backward(STREAM, x.buffer(), null, o, o, y.buffer(), null, p, p))
          .hasMessageStartingWith("layerNorm: dgamma must not overlap dbeta");
      assertThatThrownBy(() ->
              layer.backward(STREAM, x.buffer(), null, o, o, y.buffer(), null, x.buffer(), null))
          .hasMessageStartingWith("layerNorm: dgamma must not overlap x");
      assertThatThrownBy(() ->
              batch.forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, p, null, 0.1))
          .hasMessageStartingWith(
              "batchNorm: runningMean and runningVar must be given together; runningMean=");
      assertThatThrownBy(() ->
              batch.forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, p, o, 1.5))
          .hasMessage("batchNorm: momentum must be in 0..1; momentum=1.5");
      assertThatThrownBy(() ->
              batch.forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, p, p, 0.5))
          .hasMessageStartingWith("batchNorm: runningVar must not overlap runningMean");
      assertThatThrownBy(
              () -> batch.inference(STREAM, x.buffer(), null, null, y.buffer(), o, y.buffer()))
          .hasMessageStartingWith("batchNorm: y must not overlap mean");
    }
    if (TestDevice.isCpu()) {
      assertThat(layer.explain().toString())
          .isEqualTo("layerNorm on cpu: rows (contiguous rows), workspace 0 bytes");
      assertThat(batch.explain().toString()).contains("channels (channels last)");
      assertThat(DEVICE.plan(GroupNorm.of(2, 4, 3, 2)).explain().toString())
          .contains("channel by channel");
    }
    assertThat(RmsNorm.of(2, 3).supports(DEVICE).toString()).isNotEmpty();
    assertThat(GroupNorm.of(2, 4, 3, 2).with(DType.BF16, ImageLayout.NHWC).statType())
        .isEqualTo(DType.F32);
  }
}
