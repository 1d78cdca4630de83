package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import org.junit.jupiter.api.Test;

/** Indexing of tensors: values, shapes, refusals. */
class IndexingTest {
  private static final Device CPU = Device.cpu();

  private static Tensor table() {
    return Tensors.of(CPU, new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
  }

  @Test
  void selectsEntries() {
    try (Scope scope = Scope.open()) {
      Tensor rows = table().embedding(Tensors.of(CPU, new int[] {2, 0, -1, 1}, 2, 2));
      assertThat(rows.shape()).isEqualTo(Shape.of(2, 2, 2));
      assertThat(rows.toFloatArray()).containsExactly(5, 6, 1, 2, 5, 6, 3, 4);
      Tensor columns = table().indexSelect(-1, Tensors.of(CPU, new long[] {1, 1, 0}));
      assertThat(columns.shape()).isEqualTo(Shape.of(3, 3));
      assertThat(columns.toFloatArray()).containsExactly(2, 2, 1, 4, 4, 3, 6, 6, 5);
    }
  }

  @Test
  void addsEntries() {
    try (Scope scope = Scope.open()) {
      Tensor x = table();
      Tensor source = Tensors.of(CPU, new float[] {10, 20, 30, 40}, 2, 2);
      Tensor y = x.indexAdd(0, Tensors.of(CPU, new long[] {2, 2}), source);
      assertThat(y.toFloatArray()).containsExactly(1, 2, 3, 4, 45, 66);
      assertThat(x.toFloatArray()).containsExactly(1, 2, 3, 4, 5, 6);
    }
  }

  @Test
  void oneHotRows() {
    try (Scope scope = Scope.open()) {
      Tensor y = Tensors.of(CPU, new long[] {2, 0}, 2, 1).oneHot(3, DType.F32);
      assertThat(y.shape()).isEqualTo(Shape.of(2, 1, 3));
      assertThat(y.toFloatArray()).containsExactly(0, 0, 1, 1, 0, 0);
    }
  }

  @Test
  void refusesBadArguments() {
    try (Scope scope = Scope.open()) {
      Tensor far = Tensors.of(CPU, new long[] {0, 3});
      assertThatThrownBy(() -> table().embedding(far))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage("gather: indices must be in -3..2; position=1, index=3, size=3");
      assertThatThrownBy(() -> table().indexSelect(0, table()))
          .hasMessage("indexSelect: indices must be i64 or i32; indices=f32[3, 2] on cpu");
      assertThatThrownBy(() -> far.oneHot(3, DType.F32))
          .hasMessage("oneHot: indices must be in 0..classes - 1; position=1, index=3, classes=3");
      assertThatThrownBy(() -> table().indexAdd(0, far, table()))
          .hasMessageStartingWith("indexAdd: source must have the tensor's dtype and shape");
    }
  }
}
