package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.InvalidArgumentException;
import org.junit.jupiter.api.Test;

/** Layout arithmetic and its refusals. */
class LayoutTest {
  @Test
  void knowsItsPlaces() {
    Layout l = Layout.contiguous(2, 3, 4);
    assertThat(l.strides()).containsExactly(12, 4, 1);
    assertThat(l.count()).isEqualTo(24);
    assertThat(l.span()).isEqualTo(24);
    assertThat(l.isContiguous()).isTrue();
    assertThat(l.rank()).isEqualTo(3);
    assertThat(l.toString()).isEqualTo("[2, 3, 4]");
    Layout t = l.permute(2, 0, 1);
    assertThat(t.dims()).containsExactly(4, 2, 3);
    assertThat(t.strides()).containsExactly(1, 12, 4);
    assertThat(t.isContiguous()).isFalse();
    assertThat(t.span()).isEqualTo(24);
    assertThat(t.overlapsItself()).isFalse();
    assertThat(t.toString()).isEqualTo("[4, 2, 3] strides [1, 12, 4]");
    assertThat(Layout.contiguous().count()).isEqualTo(1);
    assertThat(Layout.contiguous(3, 0).span()).isZero();
    assertThat(Layout.of(new long[] {1, 5}, new long[] {99, 1}).isContiguous()).isTrue();
    assertThat(Layout.contiguous(2, 3)).isEqualTo(Layout.of(new long[] {2, 3}, new long[] {3, 1}));
    assertThat(Layout.contiguous(2, 3)).hasSameHashCodeAs(Layout.contiguous(2, 3));
    assertThat(Layout.contiguous(2, 3)).isNotEqualTo(Layout.contiguous(3, 2));
  }

  @Test
  void broadcasts() {
    Layout b = Layout.contiguous(3, 1).broadcastTo("add", 2, 3, 4);
    assertThat(b.strides()).containsExactly(0, 1, 0);
    assertThat(b.overlapsItself()).isTrue();
    assertThat(b.span()).isEqualTo(3);
    assertThat(Layout.broadcastDims("add", new long[] {5, 1}, new long[] {2, 1, 7}))
        .containsExactly(2, 5, 7);
    assertThat(Layout.broadcastDims("add", new long[] {0}, new long[] {1})).containsExactly(0);
    assertThatThrownBy(() -> Layout.contiguous(3).broadcastTo("add", 4))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("shape=[3], target=[4]");
    assertThatThrownBy(() -> Layout.contiguous(1, 3).broadcastTo("add", 3))
        .hasMessageContaining("shape=[1, 3], target=[3]");
    assertThatThrownBy(() -> Layout.broadcastDims("add", new long[] {2}, new long[] {3}))
        .hasMessageContaining("a=[2], b=[3]");
  }

  @Test
  void refusesWhatCanNotBe() {
    assertThatThrownBy(() -> Layout.contiguous(-1)).hasMessageContaining("must not be negative");
    assertThatThrownBy(() -> Layout.contiguous(1L << 40, 1L << 40))
        .hasMessageContaining("below 2^63");
    assertThatThrownBy(() -> Layout.contiguous(0, 1L << 40, 1L << 40))
        .hasMessageContaining("below 2^63");
    assertThatThrownBy(() -> Layout.of(new long[] {2}, new long[] {-1}))
        .hasMessageContaining("strides must not be negative");
    assertThatThrownBy(() -> Layout.of(new long[] {2}, new long[] {1, 1}))
        .hasMessageContaining("one entry for each dimension");
    assertThatThrownBy(() -> Layout.of(new long[] {3}, new long[] {Long.MAX_VALUE}))
        .hasMessageContaining("span");
    for (int[] order : new int[][] {{0}, {0, 0}, {0, 2}, {-1, 0}}) {
      assertThatThrownBy(() -> Layout.contiguous(2, 3).permute(order))
          .hasMessageContaining("order must name each dimension once");
    }
  }
}
