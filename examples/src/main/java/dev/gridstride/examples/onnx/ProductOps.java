package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;

/** Products of matrices and of tensors. */
final class ProductOps {
  private ProductOps() {}

  static void addTo(Operators ops) {
    ops.one("MatMul", n -> matmul(n.in(0), n.in(1)));
    ops.one("Gemm", ProductOps::gemm);
    ops.one("Einsum", n -> Tensors.einsum(n.text("equation", ""), n.all()));
  }

  /** Integers take the way over f64, which holds products below 2^53 exactly. */
  private static Tensor matmul(Tensor a, Tensor b) {
    return a.dtype().isFloating()
        ? a.matmul(b)
        : a.to(DType.F64).matmul(b.to(DType.F64)).to(a.dtype());
  }

  /** {@code alpha A' B' + beta C}. */
  private static Tensor gemm(Node n) {
    Tensor a = n.flag("transA", false) ? n.in(0).transpose() : n.in(0);
    Tensor b = n.flag("transB", false) ? n.in(1).transpose() : n.in(1);
    Tensor y = scaled(matmul(a, b), n.real("alpha", 1));
    Tensor c = n.optional(2);
    double beta = n.real("beta", 1);
    return c == null || beta == 0 ? y : y.add(scaled(c, beta));
  }

  private static Tensor scaled(Tensor x, double factor) {
    if (factor == 1) {
      return x;
    }
    return x.dtype().isFloating() ? x.mul(factor) : x.to(DType.F64).mul(factor).to(x.dtype());
  }
}
