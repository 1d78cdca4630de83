package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.testing.TestArray;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Fills of every type, whole and with gaps. */
@ExtendWith(TestDevice.class)
class FillTest {
  private static final Device DEVICE = TestDevice.get();

  @ParameterizedTest
  @EnumSource
  void fillsEveryElement(DType type) {
    for (int n : new int[] {0, 1, 7, 64, 100_001}) {
      try (var y = TestArray.output(DEVICE, type, n)) {
        DEVICE
            .plan(new Fill(type, Layout.contiguous(n)))
            .run(DEVICE.defaultStream(), 1.0, y.buffer());
        assertThat(y.get()).containsOnly(n == 0 ? new double[0] : new double[] {1});
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void leavesGapsAsTheyAre(DType type) {
    var to = Layout.of(new long[] {2, 3}, new long[] {8, 2});
    try (var y = TestArray.of(DEVICE, type, new double[13])) {
      DEVICE.plan(new Fill(type, to)).run(DEVICE.defaultStream(), 1L, y.buffer());
      assertThat(y.get()).containsExactly(1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1);
    }
  }

  @Test
  void convertsTheValue() {
    try (var y = TestArray.output(DEVICE, DType.U8, 2);
        var z = TestArray.output(DEVICE, DType.I64, 1)) {
      var plan = DEVICE.plan(new Fill(DType.U8, Layout.contiguous(2)));
      plan.run(DEVICE.defaultStream(), 300.7, y.buffer());
      assertThat(y.get()).containsExactly(255, 255);
      plan.run(DEVICE.defaultStream(), 257L, y.buffer());
      assertThat(y.get()).containsExactly(1, 1);
      DEVICE
          .plan(new Fill(DType.I64, Layout.contiguous()))
          .run(DEVICE.defaultStream(), Long.MAX_VALUE, z.buffer());
      long[] value = new long[1];
      z.buffer().copyTo(MemorySegment.ofArray(value));
      assertThat(value).containsExactly(Long.MAX_VALUE);
    }
  }

  @Test
  void refusesBadArguments() {
    assertThatThrownBy(() -> new Fill(DType.F32, Layout.of(new long[] {2}, new long[] {0})))
        .hasMessage("fill: to must not name an element twice; to=[2] strides [0]");
    try (var y = TestArray.output(DEVICE, DType.F32, 3)) {
      assertThatThrownBy(() ->
              DEVICE
                  .plan(new Fill(DType.F32, Layout.contiguous(4)))
                  .run(DEVICE.defaultStream(), 0.0, y.buffer()))
          .hasMessage("fill: y must hold at least 4 elements of f32; needed bytes=16, y bytes=12");
    }
  }
}
