package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Matrix products of tensors: shapes, views, broadcasting; values against loops over indices. */
@ExtendWith(TestDevice.class)
final class ProductsTest {
  private static final Device DEVICE = TestDevice.get();
  private final SplittableRandom random = new SplittableRandom(7);
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private Tensor integers(long... dims) {
    var v = new double[(int) Shape.of(dims).count()];
    Arrays.setAll(v, i -> random.nextInt(-5, 6));
    return Tensors.of(DEVICE, v, dims);
  }

  private static long[] dims(String text) {
    return text.isEmpty()
        ? new long[0]
        : Arrays.stream(text.split("x")).mapToLong(Long::parseLong).toArray();
  }

  @ParameterizedTest
  @CsvSource({
    "3x4, 4x5, 3x5",
    "4, 4x5, 5",
    "3x4, 4, 3",
    "4, 4, ''",
    "2x3x4, 4x5, 2x3x5",
    "2x3x4, 2x4x5, 2x3x5",
    "3x4, 2x4x5, 2x3x5",
    "1x3x4, 2x4x5, 2x3x5",
    "2x1x3x4, 6x4x5, 2x6x3x5",
    "2x3x3x4, 2x3x4x5, 2x3x3x5",
    "2x1x3x4, 1x3x4x5, 2x3x3x5",
    "2x3x4, 4, 2x3",
    "4, 2x4x5, 2x5",
    "0x4, 4x5, 0x5",
    "3x0, 0x5, 3x5",
    "2x0x4, 4x5, 2x0x5",
    "0x3x4, 0x4x5, 0x3x5",
    "1x1, 1x1, 1x1",
    "1x4, 4x1, 1x1",
  })
  void shapesAndValues(String a, String b, String y) {
    Tensor p = integers(dims(a));
    Tensor q = integers(dims(b));
    Tensor got = p.matmul(q);
    assertThat(got.shape()).isEqualTo(Shape.of(dims(y)));
    Tensor expected = loops(p, q);
    assertSame("y", got, expected);
    if (p.rank() > 1 && q.rank() > 1) {
      // the same through operands that lie transposed, and through ones with gaps
      Tensor pt = p.transpose().copy().transpose();
      Tensor qt = q.transpose().copy().transpose();
      assertSame("transposed", pt.matmul(qt), expected);
      assertSame("gaps", gaps(p).matmul(gaps(q)), expected);
    }
  }

  /** The same elements, every second one of a larger tensor along both matrix dimensions. */
  private Tensor gaps(Tensor x) {
    long[] wide = x.shape().dims();
    wide[wide.length - 1] *= 2;
    wide[wide.length - 2] *= 3;
    Tensor big = Tensors.zeros(DEVICE, x.dtype(), wide);
    Tensor part = big.slice(-1, 0, wide[wide.length - 1], 2).slice(-2, 0, wide[wide.length - 2], 3);
    return part.addInPlace(x);
  }

  private static void assertSame(String what, Tensor actual, Tensor expected) {
    assertThat(actual.toLongArray()).as(what).containsExactly(expected.toLongArray());
  }

  private static Tensor loops(Tensor a, Tensor b) {
    Tensor p = a.rank() == 1 ? a.unsqueeze(0) : a;
    Tensor q = b.rank() == 1 ? b.unsqueeze(1) : b;
    // every element as a sum of products of broadcast tensors
    return p.unsqueeze(-1).mul(q.unsqueeze(-3)).sum(-2);
  }

  @Test
  void stridedViewsAreReadRight() {
    Tensor x = integers(6, 8);
    Tensor part = x.slice(0, 1, 5, 2).slice(1, 2, 7); // rows 1 and 3, columns 2 to 6
    Tensor w = integers(3, 10).slice(1, 4, 9);
    assertSame("y", part.matmul(w.transpose()), loops(part.copy(), w.transpose().copy()));
    Tensor odd = x.slice(1, 0, 8, 2);
    assertSame("y", odd.transpose().matmul(odd), loops(odd.transpose().copy(), odd.copy()));
    Tensor row = integers(1, 4).expand(5, 4);
    assertSame("y", row.transpose().matmul(row), loops(row.transpose().copy(), row.copy()));
    Tensor batch = integers(4, 3, 2).permute(2, 1, 0); // [2, 3, 4], all strides out of order
    assertSame("y", batch.matmul(batch.transpose()), loops(batch.copy(), batch.transpose().copy()));
  }

  @ParameterizedTest
  @CsvSource({"3x4", "4", "2x3x4", "0x4", "2x0x4"})
  void linear(String shape) {
    Tensor x = integers(dims(shape));
    Tensor w = integers(5, 4);
    Tensor b = integers(5);
    Tensor plain = x.matmul(w.transpose());
    assertSame("y", x.linear(w), plain);
    assertSame("y", x.linear(w, b), plain.add(b));
    assertThat(x.linear(w, b).shape()).isEqualTo(plain.shape());
  }

  @Test
  void narrowTypesGiveTheirOwnType() {
    for (DType type : new DType[] {DType.F32, DType.BF16, DType.F16}) {
      Tensor y = integers(3, 4).to(type).matmul(integers(4, 5).to(type));
      assertThat(y.dtype()).isEqualTo(type);
    }
  }

  @Test
  void refusesBadOperands() {
    Tensor a = integers(2, 3);
    assertThatThrownBy(() -> a.matmul(integers(4, 5)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "matmul: other must have as many rows as this tensor has columns; this=[2, 3],"
                + " other=[4, 5]");
    assertThatThrownBy(() -> integers(2, 2, 3).matmul(integers(3, 3, 5)))
        .hasMessage(
            "matmul: other must have leading dimensions that broadcast with this tensor's;"
                + " this=[2, 2, 3], other=[3, 3, 5]");
    assertThatThrownBy(() -> a.matmul(Tensors.full(DEVICE, DType.F64, 1)))
        .hasMessage("matmul: other must have at least one dimension; this=[2, 3], other=[]");
    assertThatThrownBy(() -> a.matmul(a.to(DType.F32)))
        .hasMessage(
            "matmul: other must have this tensor's dtype, a floating one; this=f64, other=f32");
    Tensor whole = a.to(DType.I64);
    assertThatThrownBy(() -> whole.matmul(whole)).hasMessageContaining("a floating one");
    assertThatThrownBy(() -> a.linear(integers(5, 4)))
        .hasMessage(
            "linear: w must be [out, in] with in the last dimension of the input; w=[5, 4],"
                + " input=[2, 3]");
    assertThatThrownBy(() -> a.linear(integers(5, 3), integers(4)))
        .hasMessage("linear: b must be [out]; b=[4], w=[5, 3]");
  }
}
