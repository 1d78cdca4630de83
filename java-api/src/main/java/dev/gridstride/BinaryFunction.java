package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Binary;
import dev.gridstride.kernels.Binary.Kind;
import dev.gridstride.kernels.Layout;
import dev.gridstride.kernels.Where;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Elementwise functions of several tensors as recorded ops. */
final class BinaryFunction {
  private BinaryFunction() {}

  /** A tensor of one element that is broadcast to any shape. */
  static Tensor scalar(Tensor like, double value) {
    return Tensors.full(like.device(), like.dtype(), value);
  }

  private static void checkPair(String op, Tensor a, Tensor b) {
    a.checkOpen(op);
    b.checkOpen(op);
    if (a.dtype() != b.dtype() || !a.device().equals(b.device())) {
      throw InvalidArgumentException.of(
          op, "operands", "must have one dtype and live on one device", "a=%s, b=%s", a, b);
    }
  }

  /** Unrecorded. */
  static Tensor run(Kind kind, Tensor a, Tensor b) {
    String name = kind.name().toLowerCase(Locale.ROOT);
    checkPair(name, a, b);
    Layout layout = result(name, a, b);
    Tensor y = Tensor.empty(a.device(), kind.isPredicate() ? DType.BOOL : a.dtype(), layout);
    into(kind, a, b, y);
    return y;
  }

  /** Writes to y, which has the shape that a and b broadcast to. */
  static void into(Kind kind, Tensor a, Tensor b, Tensor y) {
    String name = kind.name().toLowerCase(Locale.ROOT);
    checkPair(name, a, b);
    long[] dims = y.shape().dims();
    var op =
        new Binary(
            kind,
            a.dtype(),
            a.layout().broadcastTo(name, dims),
            b.layout().broadcastTo(name, dims),
            y.layout());
    Plans.of(a.device(), op).run(a.stream(), a.buffer(), b.buffer(), y.buffer());
  }

  /** The result keeps the memory format of an operand of its shape, so that formats propagate. */
  private static Layout result(String op, Tensor... operands) {
    long[] dims = operands[0].shape().dims();
    for (Tensor t : operands) {
      dims = Layout.broadcastDims(op, dims, t.shape().dims());
    }
    for (Tensor t : operands) {
      if (t.isDense() && Arrays.equals(t.shape().dims(), dims)) {
        return t.layout();
      }
    }
    return Layout.contiguous(dims);
  }

  private static Tensor back(Tensor gradient, Tensor operand) {
    return ReduceFunction.sumTo(gradient, operand.shape());
  }

  static Tensor add(Tensor a, Tensor b) {
    return Autograd.record("add", run(Kind.ADD, a, b), a, dy -> back(dy, a), b, dy -> back(dy, b));
  }

  static Tensor sub(Tensor a, Tensor b) {
    return Autograd.record(
        "sub", run(Kind.SUB, a, b), a, dy -> back(dy, a), b, dy -> back(dy.mul(-1), b));
  }

  static Tensor mul(Tensor a, Tensor b) {
    return Autograd.record(
        "mul", run(Kind.MUL, a, b), a, dy -> back(dy.mul(b), a), b, dy -> back(dy.mul(a), b));
  }

  static Tensor div(Tensor a, Tensor b) {
    return Autograd.record(
        "div",
        run(Kind.DIV, a, b),
        a,
        dy -> back(dy.div(b), a),
        b,
        dy -> back(dy.mul(a).div(b.mul(b)).mul(-1), b));
  }

  static Tensor pow(Tensor a, Tensor b) {
    return Autograd.record(
        "pow",
        run(Kind.POW, a, b),
        a,
        // an exponent of 0 gives 0, also at a = 0, where a^(b-1) is infinite
        dy -> back(b.eq(scalar(b, 0)).where(scalar(a, 0), dy.mul(b).mul(a.pow(b.sub(1)))), a),
        b,
        dy -> back(exponentGradient(dy, a, b), b));
  }

  /** {@code dy a^b ln a}, but 0 where a = 0 and b >= 0, where a^b ln a tends to 0 or a^b jumps. */
  private static Tensor exponentGradient(Tensor dy, Tensor a, Tensor b) {
    Tensor flat = a.eq(scalar(a, 0)).and(b.ge(scalar(b, 0)));
    return flat.where(scalar(a, 0), dy.mul(a.pow(b)).mul(a.log()));
  }

  static Tensor extreme(Kind kind, Tensor a, Tensor b) {
    Kind first = kind == Kind.MAX ? Kind.GT : Kind.LT;
    return Autograd.record(
        kind == Kind.MAX ? "maximum" : "minimum",
        run(kind, a, b),
        a,
        dy -> back(share(first, dy, a, b), a),
        b,
        dy -> back(share(first, dy, b, a), b));
  }

  /** All of dy where {@code winner} wins, half where both are equal. */
  private static Tensor share(Kind first, Tensor dy, Tensor winner, Tensor other) {
    Tensor half = winner.eq(other).where(dy.mul(0.5), scalar(dy, 0));
    return run(first, winner, other).where(dy, half);
  }

  static Tensor where(Tensor condition, Tensor a, Tensor b) {
    checkPair("where", a, b);
    if (condition.dtype() != DType.BOOL || !condition.device().equals(a.device())) {
      throw InvalidArgumentException.of(
          "where",
          "condition",
          "must be bool and live with the operands",
          "condition=%s, a=%s",
          condition,
          a);
    }
    Layout layout = result("where", a, b, condition);
    long[] dims = layout.dims();
    Tensor y = Tensor.empty(a.device(), a.dtype(), layout);
    var op =
        new Where(
            a.dtype(),
            condition.layout().broadcastTo("where", dims),
            a.layout().broadcastTo("where", dims),
            b.layout().broadcastTo("where", dims),
            layout);
    Plans.of(a.device(), op)
        .run(a.stream(), condition.buffer(), a.buffer(), b.buffer(), y.buffer());
    return Autograd.record(
        "where",
        y,
        (dy, needed) ->
            new @Nullable Tensor[] {
              needed[0] ? back(condition.where(dy, scalar(dy, 0)), a) : null,
              needed[1] ? back(condition.where(scalar(dy, 0), dy), b) : null
            },
        a,
        b);
  }
}
