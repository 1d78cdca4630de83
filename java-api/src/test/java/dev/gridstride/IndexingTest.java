package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Indexing of tensors: values, shapes, refusals. */
@ExtendWith(TestDevice.class)
class IndexingTest {
  private static final Device DEVICE = TestDevice.get();

  private static Tensor table() {
    return Tensors.of(DEVICE, new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
  }

  @Test
  void selectsEntries() {
    try (Scope scope = Scope.open()) {
      Tensor rows = table().embedding(Tensors.of(DEVICE, new int[] {2, 0, -1, 1}, 2, 2));
      assertThat(rows.shape()).isEqualTo(Shape.of(2, 2, 2));
      assertThat(rows.toFloatArray()).containsExactly(5, 6, 1, 2, 5, 6, 3, 4);
      Tensor columns = table().indexSelect(-1, Tensors.of(DEVICE, new long[] {1, 1, 0}));
      assertThat(columns.shape()).isEqualTo(Shape.of(3, 3));
      assertThat(columns.toFloatArray()).containsExactly(2, 2, 1, 4, 4, 3, 6, 6, 5);
    }
  }

  @Test
  void addsEntries() {
    try (Scope scope = Scope.open()) {
      Tensor x = table();
      Tensor source = Tensors.of(DEVICE, new float[] {10, 20, 30, 40}, 2, 2);
      Tensor y = x.indexAdd(0, Tensors.of(DEVICE, new long[] {2, 2}), source);
      assertThat(y.toFloatArray()).containsExactly(1, 2, 3, 4, 45, 66);
      assertThat(x.toFloatArray()).containsExactly(1, 2, 3, 4, 5, 6);
    }
  }

  @Test
  void oneHotRows() {
    try (Scope scope = Scope.open()) {
      Tensor y = Tensors.of(DEVICE, new long[] {2, 0}, 2, 1).oneHot(3, DType.F32);
      assertThat(y.shape()).isEqualTo(Shape.of(2, 1, 3));
      assertThat(y.toFloatArray()).containsExactly(0, 0, 1, 1, 0, 0);
    }
  }

  @Test
  void refusesBadArguments() {
    try (Scope scope = Scope.open()) {
      Tensor far = Tensors.of(DEVICE, new long[] {0, 3});
      assertThatThrownBy(() -> table().embedding(far))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage("embedding: indices must be in -3..2; indices[1]=3, size=3");
      assertThatThrownBy(() -> table().indexSelect(0, table()))
          .hasMessage("indexSelect: indices must be i64 or i32; indices=f32[3, 2] on " + DEVICE);
      assertThatThrownBy(() -> far.oneHot(3, DType.F32))
          .hasMessage("oneHot: indices must be in 0..classes - 1; position=1, index=3, classes=3");
      assertThatThrownBy(() -> table().indexAdd(0, far, table()))
          .hasMessageStartingWith("indexAdd: source must have the tensor's dtype and shape");
    }
  }

  @Test
  void gathersAndScatters() {
    try (Scope scope = Scope.open()) {
      Tensor x = table();
      Tensor at = Tensors.of(DEVICE, new int[] {2, 0, -1, 2}, 2, 2);
      assertThat(x.gather(0, at).toFloatArray()).containsExactly(5, 2, 5, 6);
      Tensor source = Tensors.of(DEVICE, new float[] {10, 20, 30, 40}, 2, 2);
      assertThat(x.scatterAdd(0, at, source).toFloatArray()).containsExactly(1, 22, 3, 4, 45, 46);
      assertThat(x.scatter(0, at, source).toFloatArray()).containsExactly(1, 20, 3, 4, 30, 40);
      assertThat(x.scatter(-1, Tensors.of(DEVICE, new long[] {1}, 1, 1), -1).toFloatArray())
          .containsExactly(1, -1, 3, 4, 5, 6);
      assertThat(x.toFloatArray()).containsExactly(1, 2, 3, 4, 5, 6);
    }
  }

  @Test
  void namesTheIndexThatIsOutOfRange() {
    try (Scope scope = Scope.open()) {
      Tensor far = Tensors.of(DEVICE, new long[] {0, 1, 2, 5}, 2, 2);
      Tensor source = Tensors.ones(DEVICE, DType.F32, 2, 2);
      assertThatThrownBy(() -> table().indexSelect(0, far))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage("indexSelect: indices must be in -3..2; indices[1, 1]=5, size=3");
      assertThatThrownBy(() -> table().gather(0, far))
          .hasMessage("gather: indices must be in -3..2; indices[1, 1]=5, size=3");
      assertThatThrownBy(() -> table().scatter(1, far, source))
          .hasMessage("scatter: indices must be in -2..1; indices[1, 0]=2, size=2");
      assertThatThrownBy(() -> table().scatterAdd(1, far, source))
          .hasMessageStartingWith("scatterAdd: indices must be in -2..1; indices[1, 0]=2");
      Tensor two = Tensors.of(DEVICE, new long[] {0, -4});
      assertThatThrownBy(() -> table().indexAdd(0, two, source))
          .hasMessage("indexAdd: indices must be in -3..2; indices[1]=-4, size=3");
      assertThatThrownBy(() -> table().gather(0, two))
          .hasMessageStartingWith("gather: indices must live with the tensor, have its rank");
      assertThatThrownBy(() -> table().scatter(0, far, table()))
          .hasMessageStartingWith("scatter: source must have the tensor's dtype");
      assertThatThrownBy(() -> table().scatterAdd(2, far, source))
          .hasMessageStartingWith("scatterAdd: axis must name a dimension");
    }
  }
}
