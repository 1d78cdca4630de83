package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import java.util.function.UnaryOperator;

/** Functions of one element. */
final class ElementaryOps {
  private ElementaryOps() {}

  static void addTo(Operators ops) {
    unary(ops, "Neg", Tensor::neg);
    unary(ops, "Abs", x -> x.dtype() == DType.U8 ? x : x.abs());
    unary(ops, "Sign", Tensor::sign);
    unary(ops, "Sqrt", Tensor::sqrt);
    unary(ops, "Reciprocal", Tensor::reciprocal);
    unary(ops, "Exp", Tensor::exp);
    unary(ops, "Log", Tensor::log);
    unary(ops, "Sin", Tensor::sin);
    unary(ops, "Cos", Tensor::cos);
    unary(ops, "Tan", Tensor::tan);
    unary(ops, "Asin", Tensor::asin);
    unary(ops, "Acos", Tensor::acos);
    unary(ops, "Atan", Tensor::atan);
    unary(ops, "Sinh", Tensor::sinh);
    unary(ops, "Cosh", Tensor::cosh);
    unary(ops, "Asinh", Tensor::asinh);
    unary(ops, "Acosh", Tensor::acosh);
    unary(ops, "Atanh", Tensor::atanh);
    unary(ops, "Erf", Tensor::erf);
    unary(ops, "Floor", Tensor::floor);
    unary(ops, "Ceil", Tensor::ceil);
    unary(ops, "Round", Tensor::round);
    unary(ops, "Not", Values::not);
    unary(ops, "Identity", x -> x);
    unary(ops, "IsNaN", x -> x.ne(x));
    ops.one("IsInf", ElementaryOps::isInf);
    ops.one("Cast", n -> n.in(0).to(n.dtype(n.integer("to"))));
    ops.one("CastLike", n -> n.in(0).to(n.in(1).dtype()));
  }

  private static void unary(Operators ops, String name, UnaryOperator<Tensor> function) {
    ops.one(name, n -> function.apply(n.in(0)));
  }

  private static Tensor isInf(Node n) {
    Tensor x = n.in(0);
    Tensor infinite = x.ne(x); // the shape as BOOL
    infinite = infinite.xor(infinite);
    if (n.flag("detect_positive", true)) {
      infinite = infinite.or(x.eq(Values.scalar(x, Double.POSITIVE_INFINITY)));
    }
    if (n.flag("detect_negative", true)) {
      infinite = infinite.or(x.eq(Values.scalar(x, Double.NEGATIVE_INFINITY)));
    }
    return infinite;
  }
}
