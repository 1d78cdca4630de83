package dev.gridstride;

/** Ops that change how elements are seen or how they lie in memory. */
public sealed interface Shaping permits Tensor {
  /** The same elements as another tensor over the same memory. */
  default Tensor view() {
    Tensor x = (Tensor) this;
    return Autograd.record("view", x.alias(0, x.layout()), x, dy -> dy);
  }

  /** This tensor if it is row-major without gaps, else a copy that is. */
  default Tensor contiguous() {
    Tensor x = (Tensor) this;
    return x.isContiguous() ? x : copy();
  }

  /** A row-major copy with memory of its own. */
  default Tensor copy() {
    Tensor x = (Tensor) this;
    Tensor y = Hosts.fromDoubles(x.device(), x.dtype(), x.toDoubleArray(), x.shape());
    return Autograd.record("copy", y, x, dy -> dy);
  }
}
