package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import java.util.function.BinaryOperator;

/** Elementwise functions of several operands, with broadcasting. */
final class ArithmeticOps {
  private static final long MULTIDIRECTIONAL =
      7; // the first operator set with NumPy's broadcasting

  private ArithmeticOps() {}

  static void addTo(Operators ops) {
    binary(ops, "Add", Tensor::add);
    binary(ops, "Sub", Tensor::sub);
    binary(ops, "Mul", Tensor::mul);
    binary(ops, "Div", Tensor::div);
    binary(ops, "Pow", ArithmeticOps::pow);
    binary(ops, "Equal", Tensor::eq);
    binary(ops, "Greater", Tensor::gt);
    binary(ops, "GreaterOrEqual", Tensor::ge);
    binary(ops, "Less", Tensor::lt);
    binary(ops, "LessOrEqual", Tensor::le);
    binary(ops, "And", Tensor::and);
    binary(ops, "Or", Tensor::or);
    binary(ops, "Xor", Tensor::xor);
    ops.one("Mod", ArithmeticOps::mod);
    ops.one("Max", n -> fold(n, Tensor::maximum));
    ops.one("Min", n -> fold(n, Tensor::minimum));
    ops.one("Sum", n -> fold(n, Tensor::add));
    ops.one("Mean", n -> fold(n, Tensor::add).div(n.inputs().size()));
    ops.one("Where", n -> n.in(0).where(n.in(1), n.in(2)));
    ops.one("Clip", ArithmeticOps::clip);
  }

  private static void binary(Operators ops, String name, BinaryOperator<Tensor> function) {
    ops.one(name, n -> function.apply(n.in(0), second(n)));
  }

  /** The second operand; before operator set 7 it is aligned with the first by an axis. */
  private static Tensor second(Node n) {
    Tensor a = n.in(0);
    Tensor b = n.in(1);
    if (n.opset() >= MULTIDIRECTIONAL || !n.has("axis")) {
      return b;
    }
    int axis = Values.axis(a, n.integer("axis"));
    var dims = new long[a.rank() - axis];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = i < b.rank() ? b.size(i) : 1;
    }
    return b.reshape(dims);
  }

  private static Tensor fold(Node n, BinaryOperator<Tensor> function) {
    Tensor[] all = n.all();
    Tensor result = all[0];
    for (int i = 1; i < all.length; i++) {
      result = function.apply(result, all[i]);
    }
    return result;
  }

  /** The result has the base's type; mixed types meet in f64. */
  private static Tensor pow(Tensor base, Tensor exponent) {
    if (base.dtype() == exponent.dtype()) {
      return base.pow(exponent);
    }
    if (base.dtype().isFloating() && exponent.dtype().isFloating()) {
      DType wide =
          base.dtype() == DType.F64 || exponent.dtype() == DType.F64 ? DType.F64 : DType.F32;
      return base.to(wide).pow(exponent.to(wide)).to(base.dtype());
    }
    return base.to(DType.F64).pow(exponent.to(DType.F64)).to(base.dtype());
  }

  /** The remainder: of the sign of the dividend with fmod, otherwise of the divisor's. */
  private static Tensor mod(Node n) {
    boolean likeDividend = n.flag("fmod", false);
    DType dtype = n.in(0).dtype();
    if (dtype.isFloating() && !likeDividend) {
      throw n.unsupported("fmod must be 1 for a floating type");
    }
    if (!dtype.isFloating()) {
      Tensor a = n.in(0);
      Tensor b = n.in(1);
      Tensor rest = a.sub(a.div(b).mul(b));
      return likeDividend ? rest : towards(rest, b);
    }
    Tensor a = n.in(0).to(DType.F64);
    Tensor b = n.in(1).to(DType.F64);
    Tensor quotient = a.div(b);
    Tensor whole = quotient.lt(Values.scalar(a, 0)).where(quotient.ceil(), quotient.floor());
    Tensor rest = a.sub(whole.mul(b));
    // the quotient may have been rounded up to the next integer
    Tensor beyond = rest.mul(a).lt(Values.scalar(a, 0));
    Tensor step = a.mul(b).lt(Values.scalar(a, 0)).where(b.neg(), b);
    return beyond.where(rest.add(step), rest).to(dtype);
  }

  /** The rest moved by one divisor where it has not the divisor's sign. */
  private static Tensor towards(Tensor rest, Tensor b) {
    Tensor zero = Values.scalar(rest, 0);
    Tensor opposite = rest.lt(zero).and(b.gt(zero)).or(rest.gt(zero).and(b.lt(zero)));
    return opposite.where(rest.add(b), rest);
  }

  /** Bounds are attributes before operator set 11; a lower bound above the upper one gives way. */
  private static Tensor clip(Node n) {
    Tensor x = n.in(0);
    Tensor low = n.optional(1);
    Tensor high = n.optional(2);
    if (low == null && n.has("min")) {
      low = Values.scalar(x, n.real("min", 0));
    }
    if (high == null && n.has("max")) {
      high = Values.scalar(x, n.real("max", 0));
    }
    Tensor y = low == null ? x : x.maximum(low.reshape());
    return high == null ? y : y.minimum(high.reshape());
  }
}
