package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.Pad;
import dev.gridstride.kernels.Pool;
import dev.gridstride.kernels.PoolAxis;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Values, sharing and refusals of the shaping and pooling methods. */
@ExtendWith(TestDevice.class)
class ShapingTest {
  private static final Device DEVICE = TestDevice.get();
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Tensor arange(long... dims) {
    return Tensors.arange(DEVICE, DType.F32, Shape.of(dims).count()).reshape(dims);
  }

  private static boolean shares(Tensor a, Tensor b) {
    return a.buffer().overlaps(b.buffer());
  }

  @Test
  void viewsShareAndCopiesDoNot() {
    Tensor x = arange(2, 3);
    assertThat(shares(x, x.reshape(3, 2))).isTrue();
    assertThat(shares(x, x.transpose())).isTrue();
    assertThat(shares(x, x.slice(1, 1, 2))).isTrue();
    assertThat(shares(x, x.transpose().reshape(6))).isFalse();
    assertThat(x.contiguous()).isSameAs(x);
    assertThat(shares(x, x.copy())).isFalse();
    assertThat(x.to(DType.F32)).isSameAs(x);
    assertThat(x.to(DEVICE)).isSameAs(x);
  }

  @Test
  void runningTotals() {
    for (long n : new long[] {0, 1, 2, 3, 4, 5, 8, 9, 17}) {
      Tensor x = arange(3, n).add(1);
      double[] expected = x.toDoubleArray();
      for (int i = 0; i < expected.length; i++) {
        expected[i] += i % n == 0 ? 0 : expected[i - 1];
      }
      assertThat(x.cumSum(1).toDoubleArray()).containsExactly(expected); // small integers: exact
      assertThat(x.transpose().cumSum(-2).transpose().toDoubleArray()).containsExactly(expected);
    }
    Tensor y = Tensors.of(DEVICE, new long[] {2, -3, 4, 0, 5}).cumProd(0);
    assertThat(y.toLongArray()).containsExactly(2, -6, -24, 0, 0);
    Tensor nan = Tensors.of(DEVICE, new float[] {1, Float.NaN, 2, Float.POSITIVE_INFINITY});
    assertThat(nan.cumSum(0).toFloatArray()).containsExactly(1, Float.NaN, Float.NaN, Float.NaN);
  }

  @Test
  void diagonalsAndTriangles() {
    Tensor x = arange(2, 3, 4);
    assertThat(shares(x, x.diagonal(1, 2))).isTrue();
    assertThat(x.diagonal(1, 2).toFloatArray()).containsExactly(0, 5, 10, 12, 17, 22);
    assertThat(x.diagonal(-1, 0).shape()).isEqualTo(Shape.of(3, 2));
    assertThat(x.diagonal(-1, 0).toFloatArray()).containsExactly(0, 13, 4, 17, 8, 21);
    assertThatThrownBy(() -> x.diagonal(1, -2))
        .hasMessageStartingWith("diagonal: axes must be two");
    Tensor m = arange(3, 4).add(1);
    assertThat(m.tril(0).toFloatArray()).containsExactly(1, 0, 0, 0, 5, 6, 0, 0, 9, 10, 11, 0);
    assertThat(m.triu(1).toFloatArray()).containsExactly(0, 2, 3, 4, 0, 0, 7, 8, 0, 0, 0, 12);
    assertThat(m.tril(Long.MAX_VALUE).toFloatArray()).containsExactly(m.toFloatArray());
    assertThat(m.triu(Long.MAX_VALUE).toFloatArray()).containsOnly(0);
    assertThat(m.triu(Long.MIN_VALUE).toFloatArray()).containsExactly(m.toFloatArray());
    assertThatThrownBy(() -> arange(3).tril(0))
        .hasMessageStartingWith("tril: tensor must have two dimensions");
  }

  @Test
  void placesOfMaxima() {
    Tensor x = Tensors.of(DEVICE, new float[] {1, 9, 2, 3, 4, 5, 8, 7, 6, 0, 0, 0}, 1, 2, 2, 3);
    for (Tensor images : new Tensor[] {x, x.channelsLast()}) {
      var found = images.maxPoolWithIndices(PoolAxis.of(2, 2), PoolAxis.of(3, 2).withStride(1));
      assertThat(found.values().toFloatArray()).containsExactly(9, 9, 8, 7);
      assertThat(found.indices().toLongArray()).containsExactly(1, 1, 0, 1);
    }
  }

  @Test
  void computesWhatNumpyDoes() {
    Tensor x = arange(2, 3);
    assertThat(x.transpose().toFloatArray()).containsExactly(0, 3, 1, 4, 2, 5);
    assertThat(x.reshape(-1).shape()).isEqualTo(Shape.of(6));
    assertThat(x.flatten(0).shape()).isEqualTo(Shape.of(6));
    assertThat(Tensors.ones(DEVICE, DType.F32).flatten(0).shape()).isEqualTo(Shape.of(1));
    assertThat(x.slice(1, -2, 3).toFloatArray()).containsExactly(1, 2, 4, 5);
    assertThat(x.slice(1, 0, 3, 2).toFloatArray()).containsExactly(0, 2, 3, 5);
    assertThat(x.select(1, -1).toFloatArray()).containsExactly(2, 5);
    assertThat(x.flip(0).toFloatArray()).containsExactly(3, 4, 5, 0, 1, 2);
    assertThat(x.flip().toFloatArray()).containsExactly(5, 4, 3, 2, 1, 0);
    assertThat(x.tile(1, 2).toFloatArray()).containsExactly(0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5);
    assertThat(x.tile(1, 1).toFloatArray()).containsExactly(0, 1, 2, 3, 4, 5);
    assertThat(x.tile(0, 1).shape()).isEqualTo(Shape.of(0, 3));
    assertThat(x.pad(new long[] {0, 1}, new long[] {1, -1}, 9).toFloatArray())
        .containsExactly(9, 0, 1, 9, 3, 4, 9, 9, 9);
    assertThat(Tensors.concat(0, x, x).shape()).isEqualTo(Shape.of(4, 3));
    assertThat(Tensors.concat(1, x, arange(2, 1)).toFloatArray())
        .containsExactly(0, 1, 2, 0, 3, 4, 5, 1);
    assertThat(Tensors.stack(0, x, x).shape()).isEqualTo(Shape.of(2, 2, 3));
    assertThat(x.split(1, 1, 2)[1].toFloatArray()).containsExactly(1, 2, 4, 5);
    assertThat(x.unsqueeze(-1).shape()).isEqualTo(Shape.of(2, 3, 1));
    assertThat(x.unsqueeze(0).squeeze().shape()).isEqualTo(Shape.of(2, 3));
    assertThat(Tensors.full(DEVICE, DType.BF16, 3, 2, 2).toFloatArray())
        .containsExactly(3, 3, 3, 3);
  }

  @Test
  void castsAsJavaDoes() {
    Tensor x = Tensors.of(DEVICE, new float[] {1.7f, -1.7f, Float.NaN, 3e9f});
    assertThat(x.to(DType.I32).toLongArray()).containsExactly(1, -1, 0, Integer.MAX_VALUE);
    assertThat(x.to(DType.BOOL).toLongArray()).containsExactly(1, 1, 1, 1);
    assertThat(x.to(DType.I32).requiresGrad()).isFalse();
  }

  @Test
  void knowsMemoryFormats() {
    Tensor x = arange(2, 3, 2, 2);
    assertThat(x.imageLayout()).isEqualTo(ImageLayout.NCHW);
    Tensor y = x.channelsLast();
    assertThat(y.imageLayout()).isEqualTo(ImageLayout.NHWC);
    assertThat(y.shape()).isEqualTo(x.shape());
    assertThat(y.toFloatArray()).containsExactly(x.toFloatArray());
    assertThat(y.channelsLast()).isSameAs(y);
    assertThat(arange(2, 1, 3, 3).imageLayout()).isEqualTo(ImageLayout.NHWC);
    assertThat(y.maxPool2d(2).imageLayout()).isEqualTo(ImageLayout.NHWC);
    assertThat(y.maxPool2d(2).toFloatArray()).containsExactly(3, 7, 11, 15, 19, 23);
    assertThat(x.maxPool2d(2).toFloatArray()).containsExactly(3, 7, 11, 15, 19, 23);
    assertThat(x.globalAvgPool().toFloatArray())
        .containsExactly(1.5f, 5.5f, 9.5f, 13.5f, 17.5f, 21.5f);
  }

  @Test
  void refusesWhatDoesNotFit() {
    Tensor x = arange(2, 3);
    assertThatThrownBy(() -> x.reshape(4))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "reshape: dims must have as many elements as the tensor (one size may be -1);"
                + " dims=[4], shape=[2, 3]");
    for (long[] dims : new long[][] {{-1, -1}, {-1, 4}, {-2, 3}, {-1, 0}}) {
      assertThatThrownBy(() -> x.reshape(dims)).isInstanceOf(InvalidArgumentException.class);
    }
    for (long[] r : new long[][] {{-3, 1, 1}, {2, 1, 1}, {0, 4, 1}, {0, 2, 0}}) {
      assertThatThrownBy(() -> x.slice(0, r[0], r[1], r[2]))
          .hasMessageStartingWith("slice: range must lie inside the dimension");
    }
    assertThatThrownBy(() -> x.select(0, 2)).hasMessageStartingWith("select: index");
    assertThatThrownBy(() -> x.permute(0)).hasMessageStartingWith("permute: order");
    assertThatThrownBy(() -> x.squeeze(0)).hasMessageStartingWith("squeeze: axes must name");
    assertThatThrownBy(() -> x.unsqueeze(3)).hasMessageStartingWith("unsqueeze: axis");
    assertThatThrownBy(() -> x.tile(1)).hasMessageStartingWith("tile: repeats");
    assertThatThrownBy(() -> x.pad(new long[] {0, -4}, new long[2], 0))
        .hasMessageStartingWith("pad: before and after");
    assertThatThrownBy(() -> x.split(1, 1, 1)).hasMessageStartingWith("split: sizes");
    assertThatThrownBy(() -> x.channelsLast()).hasMessageStartingWith("channelsLast: tensor");
    assertThatThrownBy(() -> Tensors.concat(0, x, arange(2, 2)))
        .hasMessageStartingWith("concat: tensors must agree");
    assertThatThrownBy(() -> Tensors.concat(0)).hasMessageStartingWith("concat: tensors must be");
    assertThatThrownBy(() -> x.maxPool2d(2)).hasMessageStartingWith("maxPool2d: tensor must be");
    assertThatThrownBy(() -> x.pool(Pool.Kind.MAX, false, PoolAxis.of(2, 1)))
        .hasMessageStartingWith("maxPool: tensor must be [n, c] with 1 to 3");
    assertThatThrownBy(() -> arange(1, 1, 4).pool(Pool.Kind.AVERAGE, false, PoolAxis.of(3, 1)))
        .hasMessageStartingWith("averagePool: axes must have the sizes");
  }

  @Test
  void padsKeepTheMemoryFormat() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.arange(TestDevice.get(), DType.F32, 24).reshape(1, 2, 3, 4);
      long[] before = {0, 1, 2, 1};
      long[] after = {0, 0, -1, 3};
      for (Pad.Mode mode : Pad.Mode.values()) {
        Tensor y = x.pad(before, after, mode);
        assertThat(y.shape()).isEqualTo(Shape.of(1, 3, 4, 8));
        Tensor z = x.channelsLast().pad(before, after, mode);
        assertThat(z.layout()).isEqualTo(Formats.channelsLast(1, 3, 4, 8));
        assertThat(z.toFloatArray()).containsExactly(y.toFloatArray());
      }
      Tensor row = Tensors.of(TestDevice.get(), new long[] {1, 2, 3});
      long[] two = {2};
      assertThat(row.pad(two, two, Pad.Mode.REFLECT).toLongArray())
          .containsExactly(3, 2, 1, 2, 3, 2, 1);
      assertThat(row.pad(two, two, Pad.Mode.REPLICATE).toLongArray())
          .containsExactly(1, 1, 1, 2, 3, 3, 3);
      assertThat(row.pad(two, two, Pad.Mode.CIRCULAR).toLongArray())
          .containsExactly(2, 3, 1, 2, 3, 1, 2);
      assertThatThrownBy(() -> row.pad(two, new long[0], Pad.Mode.CIRCULAR))
          .hasMessage(
              "pad: before and after must have one number for each dimension; before=[2],"
                  + " after=[], shape=[3]");
    }
  }
}
