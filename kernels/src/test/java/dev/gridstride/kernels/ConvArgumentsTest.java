package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Support;
import dev.gridstride.device.UnsupportedException;
import dev.gridstride.testing.TestArray;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What convolutions refuse, and in which words; sizes and explanations. */
@ExtendWith(TestDevice.class)
class ConvArgumentsTest {
  private static final Device DEVICE = TestDevice.get();

  private static void refused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(InvalidArgumentException.class).hasMessage(message);
  }

  @Test
  void axisRules() {
    refused(() -> ConvAxis.of(-1, 1), "conv: size must be in 0..2^31-1; size=-1");
    refused(() -> ConvAxis.of(4, 0), "conv: kernel must be in 1..2^31-1; kernel=0");
    refused(() -> ConvAxis.of(4, 1).withStride(0), "conv: stride must be in 1..2^31-1; stride=0");
    refused(
        () -> ConvAxis.of(4, 1).withDilation(0), "conv: dilation must be in 1..2^31-1; dilation=0");
    refused(
        () -> ConvAxis.of(4, 1).withPadding(1L << 40, 0),
        "conv: padBegin must be an int; padBegin=1099511627776");
    refused(
        () -> new ConvAxis(4, 3, 1, 0, 0, 2),
        "conv: kernel must not be larger than the padded input; kernel=3, dilation=2 (spans 5),"
            + " input=4, padding=0+0 (spans 4)");
    assertThat(new ConvAxis(7, 3, 2, 1, 0, 1).out()).isEqualTo(3);
    assertThat(new ConvAxis(7, 3, 2, 1, 1, 1).out()).isEqualTo(4);
  }

  @Test
  void recordRules() {
    var axis = ConvAxis.of(5, 3);
    refused(
        () -> Conv.of(1, 3, 4, axis).withType(DType.I32),
        "conv: type must be f64, f32, bf16 or f16; type=i32");
    refused(() -> Conv.of(-1, 3, 4, axis), "conv: sizes must not be negative; n=-1, c=3, k=4");
    refused(
        () -> Conv.of(1, 3, 4, axis).withGroups(3),
        "conv: groups must be positive and divide the channels; groups=3, input channels=3, output"
            + " channels=4");
    refused(() -> Conv.of(1, 3, 4), "conv: axes must be 1 to 3 spatial dimensions; axes=0");
    refused(
        () -> Conv.of(1, 3, 4, axis, axis).withStride(2),
        "conv: stride must have one entry for each axis; entries=1, axes=2");
    assertThatThrownBy(() -> Conv.of(1L << 40, 1L << 30, 4, axis))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("conv: x must have fewer than 2^60 elements; sizes=1099511627776");
    var op = Conv.of2d(2, 3, 5, 6, 4, 3, 2).withStride(1, 2).withPadding(1, 0).withDilation(2, 1);
    assertThat(op.xCount()).isEqualTo(2 * 3 * 5 * 6);
    assertThat(op.wCount()).isEqualTo(4 * 3 * 3 * 2);
    assertThat(op.yCount()).isEqualTo(2 * 4 * 3 * 3);
    assertThat(op.flops()).isEqualTo(2.0 * op.yCount() * 18);
    assertThat(Conv.of1d(1, 2, 9, 3, 4).yCount()).isEqualTo(18);
  }

  @Test
  void transposeRules() {
    refused(
        () -> new ConvTransposeAxis(4, 3, 2, 0, 0, 2, 1),
        "convTranspose: outputPadding must be at least 0 and smaller than stride or dilation;"
            + " outputPadding=2, stride=2, dilation=1");
    refused(
        () -> new ConvTransposeAxis(1, 2, 1, 1, 1, 0, 1),
        "convTranspose: output must have a length in 1..2^31-1; length=0 of size=1, kernel=2,"
            + " stride=1, padding=1+1, outputPadding=0, dilation=1");
    refused(() -> ConvTransposeAxis.of(0, 2), "convTranspose: size must be in 1..2^31-1; size=0");
    refused(
        () -> ConvTranspose.of(1, 3, 4, ConvTransposeAxis.of(3, 2)).withGroups(2),
        "convTranspose: groups must be positive and divide the channels; groups=2, input"
            + " channels=3, output channels=4");
  }

  @Test
  void operandRules() {
    var op = Conv.of(1, 2, 3, ConvAxis.of(4, 2)).withLayout(ImageLayout.NHWC);
    var plan = DEVICE.plan(op);
    var stream = DEVICE.defaultStream();
    try (var x = TestArray.normal(DEVICE, DType.F32, 8, 1);
        var w = TestArray.normal(DEVICE, DType.F32, 12, 2);
        var y = TestArray.output(DEVICE, DType.F32, 9);
        var small = TestArray.output(DEVICE, DType.F32, 2);
        Buffer workspace = DEVICE.allocate(plan.workspaceBytes())) {
      refused(
          () -> plan.forward(stream, x.buffer(), w.buffer(), small.buffer(), y.buffer(), workspace),
          "conv: bias must hold at least 3 elements of f32; needed bytes=12, bias bytes=8");
      refused(
          () -> plan.forward(stream, x.buffer(), w.buffer(), null, y.buffer(), null),
          "conv: workspace must be given; needed bytes="
              + plan.workspaceBytes()
              + ", workspace=null");
      refused(
          () -> plan.backwardData(stream, y.buffer(), w.buffer(), small.buffer(), workspace),
          "conv: dx must hold at least 8 elements of f32; needed bytes=32, dx bytes=8");
      assertThatThrownBy(() ->
              plan.backwardWeight(
                  stream, x.buffer(), y.buffer(), w.buffer(), w.buffer(), workspace))
          .hasMessageStartingWith("conv: dw must not overlap dbias");
      assertThatThrownBy(
              () -> plan.forward(stream, y.buffer(), w.buffer(), null, y.buffer(), workspace))
          .hasMessageStartingWith("conv: y must not overlap x");
      assertThatThrownBy(
              () -> plan.forward(stream, x.buffer(), w.buffer(), null, workspace, workspace))
          .isInstanceOf(InvalidArgumentException.class);
      var closed = DEVICE.allocate(64);
      closed.close();
      assertThatThrownBy(
              () -> plan.forward(stream, closed, w.buffer(), null, y.buffer(), workspace))
          .isInstanceOf(ClosedException.class);
    }
    if (TestDevice.isCpu()) {
      assertThat(plan.explain().toString())
          .startsWith("conv on cpu: direct (forward: ")
          .contains("backward-data: ", "backward-weight: ", "workspace");
    } else {
      assertThat(plan.explain().toString())
          .startsWith("conv on " + DEVICE.name() + ": cuda (")
          .contains("workspace");
    }
    assertThat(DEVICE.plan(op.withGroups(1)).op()).isEqualTo(op);
  }

  @Test
  void whatTheKernelsPlacesDoNotReachIsUnsupported() {
    assumeFalse(TestDevice.isCpu(), "limits of the CUDA kernels");
    var wide = Conv.of(1, 1, 1, new ConvAxis(1 << 29, 3, 1, 1 << 28, 1 << 28, 1));
    assertThatThrownBy(() -> DEVICE.plan(wide))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("size and padding of an axis must together be below 2^30");
    var filter = Conv.of(1, 1 << 21, 1, ConvAxis.of(1 << 10, 1 << 10));
    assertThatThrownBy(() -> DEVICE.plan(filter))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("a filter must have fewer than 2^31 elements");
    assertThat(DEVICE.supports(filter.withAxes(ConvAxis.of(1 << 10, 1 << 9))))
        .isEqualTo(Support.YES);
  }

  @Test
  void imagesBeyondIntOffsetsAreUnsupported() {
    assumeTrue(TestDevice.isCpu(), "limits of the CPU's loops");
    var huge = Conv.of(1, 1 << 16, 1, ConvAxis.of(1 << 16, 3));
    assertThat(DEVICE.supports(huge)).isInstanceOf(Support.Unsupported.class);
    assertThatThrownBy(() -> DEVICE.plan(huge))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("one image takes more than 2^31 bytes");
    assertThat(DEVICE.supports(Conv.of(1, 1, 1, new ConvAxis(1 << 30, 3, 1, 0, 0, 1 << 20))))
        .isInstanceOf(Support.Unsupported.class);
    assertThat(DEVICE.supports(Conv.of(1 << 25, 1, 1, ConvAxis.of(3, 3))))
        .isInstanceOf(Support.Unsupported.class);
    assertThat(List.of(DEVICE.supports(Conv.of(1, 1, 1, ConvAxis.of(3, 3)))))
        .containsExactly(Support.YES);
  }
}
