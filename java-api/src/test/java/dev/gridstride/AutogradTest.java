package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The tape itself; the ops' gradients are in {@link GradientTest}. */
@ExtendWith(TestDevice.class)
class AutogradTest {
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

  private static Tensor leaf(double... values) {
    return Tensors.of(DEVICE, values, values.length).requiresGrad(true);
  }

  /** An op as a user writes one: y = x^2, with plain Java in between. */
  private static Tensor square(Tensor x) {
    double[] v = x.toDoubleArray();
    var y = new double[v.length];
    for (int i = 0; i < v.length; i++) {
      y[i] = v[i] * v[i];
    }
    return Autograd.record(
        "square",
        Tensors.of(DEVICE, y, x.shape().dims()),
        x,
        dy -> {
          double[] g = dy.toDoubleArray();
          for (int i = 0; i < g.length; i++) {
            g[i] *= 2 * v[i];
          }
          return Tensors.of(DEVICE, g, x.shape().dims());
        });
  }

  private static Tensor ones(Tensor like) {
    return Tensors.ones(DEVICE, like.dtype(), like.shape().dims());
  }

  @Test
  void goesThroughUserOpsAndSharedInputs() {
    Tensor x = leaf(3, -2);
    Tensor y = square(x);
    Tensor z = y.add(square(y)); // x^2 + x^4
    z.backward(ones(z), false);
    assertThat(x.grad().toDoubleArray()).containsExactly(2 * 3 + 4 * 27, -4 + 4 * -8);
  }

  @Test
  void addsUpOverCallsAndForgets() {
    Tensor x = leaf(3);
    square(x).backward();
    square(x).backward();
    assertThat(x.grad().toDoubleArray()).containsExactly(12);
    Tensor grad = x.grad();
    x.zeroGrad();
    assertThat(x.grad()).isNull();
    assertThat(grad.isOpen()).isFalse();
  }

  @Test
  void gradientsBelongToTheLeaf() {
    Tensor x = leaf(3);
    Tensor grad;
    try (Scope step = Scope.open()) {
      square(x).backward();
      grad = x.grad();
    }
    assertThat(grad.isOpen()).isTrue();
    x.close();
    assertThat(grad.isOpen()).isFalse();
  }

  @Test
  void backwardOfALeafIsItsSeed() {
    Tensor x = leaf(3);
    x.backward();
    assertThat(x.grad().toDoubleArray()).containsExactly(1);
  }

  @Test
  void recordsOnlyWhatIsAsked() {
    Tensor x = leaf(3);
    Tensor y = Autograd.noGrad(() -> square(x));
    assertThat(y.requiresGrad()).isFalse();
    assertThat(square(Tensors.ones(DEVICE, DType.F64, 2)).requiresGrad()).isFalse();
    assertThat(square(x.detach()).requiresGrad()).isFalse();
    Autograd.noGrad(() -> assertThat(Autograd.isRecording()).isFalse());
    assertThat(Autograd.isRecording()).isTrue();
  }

  @Test
  void goesOnceUnlessRetained() {
    Tensor x = leaf(3);
    Tensor y = square(x);
    y.backward(true);
    y.backward();
    assertThat(x.grad().toDoubleArray()).containsExactly(12);
    assertThatThrownBy(y::backward)
        .isInstanceOf(ClosedException.class)
        .hasMessageStartingWith("square: backward has already gone through this result");
  }

  @Test
  void computesOnlyTheNeededGradients() {
    Tensor a = leaf(1);
    Tensor b = Tensors.of(DEVICE, new double[] {2}, 1);
    var calls = new AtomicInteger();
    Tensor y =
        Autograd.record(
            "first",
            a.detach(),
            a,
            dy -> dy,
            b,
            dy -> {
              calls.incrementAndGet();
              return dy;
            });
    y.backward();
    assertThat(calls).hasValue(0);
    assertThat(a.grad().toDoubleArray()).containsExactly(1);
  }

  @Test
  void sharesOneGradientAmongInputs() {
    Tensor a = leaf(1);
    Tensor b = leaf(2);
    Tensor y =
        Autograd.record(
            "both",
            a.detach(),
            (dy, needed) -> {
              Tensor g = dy.copy();
              return new Tensor[] {g, g};
            },
            a,
            b);
    Tensor z = square(y);
    z.backward();
    assertThat(a.grad().toDoubleArray()).containsExactly(2);
    assertThat(b.grad().toDoubleArray()).containsExactly(2);
  }

  @Test
  void noticesChangesInPlace() {
    Tensor x = leaf(3);
    Tensor y = square(x);
    x.changed();
    assertThatThrownBy(y::backward)
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith(
            "square backward: input 0 must not be changed in place between forward and backward");
  }

  @Test
  void refusesMisuse() {
    assertThatThrownBy(() -> Tensors.ones(DEVICE, DType.F32, 1).backward())
        .hasMessageContaining("must have been computed from a tensor that requires gradients");
    assertThatThrownBy(() -> leaf(1, 2).backward()).hasMessageContaining("must have one element");
    assertThatThrownBy(() -> leaf(1, 2).backward(ones(leaf(1)), false))
        .hasMessageContaining("seed must have the tensor's shape and dtype");
    assertThatThrownBy(() -> Tensors.ones(DEVICE, DType.I32, 1).requiresGrad(true))
        .hasMessageContaining("must be a leaf of a floating type");
    assertThatThrownBy(() -> square(leaf(1)).requiresGrad(false))
        .hasMessageContaining("result of=square");
    Tensor x = leaf(1);
    assertThatThrownBy(
            () -> Autograd.record("bad", Tensors.ones(DEVICE, DType.I64, 1), x, dy -> dy))
        .hasMessageContaining("must be of a floating type");
    assertThatThrownBy(() -> Autograd.record("bad", square(x), x, dy -> dy))
        .hasMessageContaining("must be newly made");
    Tensor wrong =
        Autograd.record("wrong", x.detach(), x, dy -> Tensors.ones(DEVICE, DType.F64, 1, 1));
    assertThatThrownBy(wrong::backward)
        .hasMessageStartingWith(
            "wrong backward: gradient 0 must have the input's shape and dtype; gradient=f64[1, 1]");
  }
}
