package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.ImageLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Shapes, formats and refusals of tensor convolutions; the kernels have tests of their own. */
@ExtendWith(TestDevice.class)
class ConvolutionsTest {
  private static final Device DEVICE = TestDevice.get();
  private static final ConvOptions D = ConvOptions.DEFAULT;
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Tensor ones(long... dims) {
    return Tensors.ones(DEVICE, DType.F32, dims);
  }

  @Test
  void computesShapesAndKeepsFormats() {
    Tensor x = ones(2, 3, 8, 8);
    Tensor w = ones(5, 3, 3, 3);
    Tensor y = x.conv2d(w, ones(5));
    assertThat(y.shape()).isEqualTo(Shape.of(2, 5, 6, 6));
    assertThat(y.imageLayout()).isEqualTo(ImageLayout.NCHW);
    assertThat(y.toFloatArray()).containsOnly(28);
    Tensor z = x.channelsLast().conv2d(w, null);
    assertThat(z.imageLayout()).isEqualTo(ImageLayout.NHWC);
    assertThat(z.toFloatArray()).containsOnly(27);
    assertThat(ones(2, 1, 8, 8).conv2d(ones(5, 1, 3, 3), null).imageLayout())
        .isEqualTo(ImageLayout.NHWC);
    assertThat(x.conv2d(w, null, D.withStride(2).withPadding(1)).shape())
        .isEqualTo(Shape.of(2, 5, 4, 4));
    assertThat(y.convTranspose(w, null, D).shape()).isEqualTo(Shape.of(2, 3, 8, 8));
  }

  @Test
  void refusesWhatDoesNotFit() {
    Tensor x = ones(2, 3, 8, 8);
    assertThatThrownBy(() -> x.conv2d(ones(5, 4, 3, 3), null))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "conv: w must have the input's rank and channels (divided by groups);"
                + " x=f32[2, 3, 8, 8] on "
                + DEVICE
                + ", w=f32[5, 4, 3, 3] on "
                + DEVICE);
    assertThatThrownBy(() -> x.conv2d(ones(5, 3, 3), null)).hasMessageContaining("w must have");
    assertThatThrownBy(() -> x.conv2d(ones(5, 3, 9, 9), null))
        .hasMessageContaining("must not be larger than the padded input");
    assertThatThrownBy(() -> x.conv2d(ones(5, 3, 3, 3), ones(4)))
        .hasMessageContaining("bias must have one number for each output channel");
    assertThatThrownBy(() -> x.conv2d(ones(5, 3, 3, 3).to(DType.F64), null))
        .hasMessageContaining("operands must have one dtype");
    assertThatThrownBy(() -> ones(2, 3, 8).conv2d(ones(5, 3, 3), null))
        .hasMessageContaining("conv2d: tensor must have 4 dimensions");
    assertThatThrownBy(() -> ones(2, 3).conv(ones(5, 3), null, D))
        .hasMessageContaining("1 to 3 spatial dimensions");
    assertThatThrownBy(() -> x.conv2d(ones(5, 3, 3, 3), null, D.withStride(1, 2, 3)))
        .hasMessageContaining("stride must have one number");
    assertThatThrownBy(() -> x.conv2d(ones(5, 3, 3, 3), null, D.withGroups(0)))
        .isInstanceOf(InvalidArgumentException.class);
  }
}
