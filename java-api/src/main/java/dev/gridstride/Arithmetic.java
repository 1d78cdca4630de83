package dev.gridstride;

/** Elementwise arithmetic with NumPy broadcasting. */
public sealed interface Arithmetic permits Tensor {
  /** {@code this + other}. */
  default Tensor add(Tensor other) {
    Tensor a = (Tensor) this;
    double[] p = a.toDoubleArray();
    double[] q = other.toDoubleArray();
    for (int i = 0; i < p.length; i++) {
      p[i] += q[i];
    }
    Tensor y = Hosts.fromDoubles(a.device(), a.dtype(), p, a.shape());
    return Autograd.record("add", y, a, dy -> dy, other, dy -> dy);
  }

  /** {@code this += other}; not recorded. */
  @NotDifferentiable("changes its operand in place")
  default Tensor addInPlace(Tensor other) {
    Tensor a = (Tensor) this;
    Tensor sum = Autograd.noGrad(() -> Scope.detached(() -> a.add(other)));
    a.buffer().copyFrom(sum.buffer());
    sum.close();
    a.changed();
    return a;
  }
}
