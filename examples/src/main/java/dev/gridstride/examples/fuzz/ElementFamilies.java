package dev.gridstride.examples.fuzz;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.examples.fuzz.Draw.Operand;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;

/** Functions of each element. */
final class ElementFamilies {
  private ElementFamilies() {}

  private record Unary(String name, UnaryOperator<Tensor> op, DoubleUnaryOperator exact) {
    @Override
    public String toString() {
      return name;
    }
  }

  private record Binary(String name, BinaryOperator<Tensor> op, DoubleBinaryOperator exact) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final List<Unary> UNARY =
      List.of(
          new Unary("neg", Tensor::neg, x -> -x),
          new Unary("abs", Tensor::abs, Math::abs),
          new Unary("square", Tensor::square, x -> x * x),
          new Unary("sqrt", Tensor::sqrt, Math::sqrt),
          new Unary("rsqrt", Tensor::rsqrt, x -> 1 / Math.sqrt(x)),
          new Unary("reciprocal", Tensor::reciprocal, x -> 1 / x),
          new Unary("exp", Tensor::exp, Math::exp),
          new Unary("log", Tensor::log, Math::log),
          new Unary("floor", Tensor::floor, Math::floor),
          new Unary("ceil", Tensor::ceil, Math::ceil),
          new Unary("round", Tensor::round, Math::rint),
          new Unary("relu", Tensor::relu, x -> x > 0 || Double.isNaN(x) ? x : 0),
          new Unary("leakyRelu", t -> t.leakyRelu(0.25), x -> x >= 0 ? x : 0.25 * x),
          new Unary("elu", t -> t.elu(0.5), x -> x >= 0 ? x : 0.5 * Math.expm1(x)),
          new Unary("sigmoid", Tensor::sigmoid, x -> 1 / (1 + Math.exp(-x))),
          new Unary("tanh", Tensor::tanh, Math::tanh),
          new Unary(
              "softplus",
              Tensor::softplus,
              x -> x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))),
          new Unary("tan", t -> t.clamp(-1, 1).tan(), x -> Math.tan(Math.clamp(x, -1.0, 1.0))),
          new Unary("atan", Tensor::atan, Math::atan),
          new Unary("sinh", Tensor::sinh, Math::sinh),
          new Unary("cosh", Tensor::cosh, Math::cosh));

  private static final List<Binary> BINARY =
      List.of(
          new Binary("add", Tensor::add, Double::sum),
          new Binary("sub", Tensor::sub, (a, b) -> a - b),
          new Binary("mul", Tensor::mul, (a, b) -> a * b),
          new Binary("maximum", Tensor::maximum, Math::max),
          new Binary("minimum", Tensor::minimum, Math::min),
          new Binary("eq", Tensor::eq, (a, b) -> a == b ? 1 : 0),
          new Binary("ne", Tensor::ne, (a, b) -> a != b ? 1 : 0),
          new Binary("lt", Tensor::lt, (a, b) -> a < b ? 1 : 0),
          new Binary("ge", Tensor::ge, (a, b) -> a >= b ? 1 : 0));

  static void addTo(Map<String, Trial.Family> families) {
    families.put("unary", ElementFamilies::unary);
    families.put("binary", ElementFamilies::binary);
    families.put("where", ElementFamilies::where);
    families.put("cast", ElementFamilies::cast);
  }

  private static Trial unary(Draw draw) {
    Unary f = draw.choose("op", UNARY.toArray(new Unary[0]));
    DType type = draw.choose("type", Draw.FLOATS);
    Operand x = draw.operand(type, draw.dims(1 + draw.choose("rank", 3), 0));
    var exact = new double[x.values().length];
    for (int i = 0; i < exact.length; i++) {
      exact[i] = f.exact().applyAsDouble(x.values()[i]);
    }
    // functions of a few units in the last place
    return Trial.of(() -> f.op().apply(x.tensor()), exact, 8);
  }

  /** Each dimension of the second operand may be 1: broadcast. */
  private static long[] narrowed(Draw draw, long[] dims) {
    long[] narrow = dims.clone();
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = draw.below(3) == 0 ? 1 : narrow[i];
    }
    return narrow;
  }

  /** The place in an operand of these sizes that meets place {@code i} of the result. */
  private static int place(int i, long[] dims, long[] narrow) {
    long rest = i;
    long place = 0;
    long step = 1;
    for (int d = dims.length - 1; d >= 0; d--) {
      place += narrow[d] == 1 ? 0 : rest % dims[d] * step;
      rest /= dims[d];
      step *= narrow[d];
    }
    return (int) place;
  }

  private static Trial binary(Draw draw) {
    Binary f = draw.choose("op", BINARY.toArray(new Binary[0]));
    DType type =
        draw.choose("type", DType.F32, DType.F64, DType.BF16, DType.F16, DType.I32, DType.I64);
    long[] dims = draw.dims(1 + draw.choose("rank", 4), 1);
    long[] narrow = narrowed(draw, dims);
    Operand a = draw.operand(type, dims);
    Operand b = draw.operand(type, narrow);
    var exact = new double[a.values().length];
    for (int i = 0; i < exact.length; i++) {
      exact[i] = f.exact().applyAsDouble(a.values()[i], b.values()[place(i, dims, narrow)]);
    }
    return Trial.of(() -> f.op().apply(a.tensor(), b.tensor()), exact, 1);
  }

  private static Trial where(Draw draw) {
    DType type = draw.choose("type", DType.F32, DType.F64, DType.BF16, DType.F16, DType.I64);
    long[] dims = draw.dims(1 + draw.choose("rank", 3), 1);
    long[] narrow = narrowed(draw, dims);
    Operand c = draw.ordinary(DType.F32, narrow);
    Operand a = draw.operand(type, dims);
    Operand b = draw.operand(type, narrow);
    var exact = new double[a.values().length];
    for (int i = 0; i < exact.length; i++) {
      int k = place(i, dims, narrow);
      exact[i] = c.values()[k] > 0 ? a.values()[i] : b.values()[k];
    }
    Tensor zero = dev.gridstride.Tensors.zeros(draw.device(), DType.F32);
    return Trial.of(() -> c.tensor().gt(zero).where(a.tensor(), b.tensor()), exact, 0);
  }

  private static Trial cast(Draw draw) {
    DType from = draw.choose("from", DType.F32, DType.F64, DType.BF16, DType.F16, DType.I32);
    DType to = draw.choose("to", DType.F32, DType.F64, DType.BF16, DType.F16, DType.I32);
    Operand x = draw.operand(from, draw.dims(1 + draw.choose("rank", 3), 0));
    double[] exact = x.values().clone();
    for (int i = 0; i < exact.length; i++) {
      exact[i] = to == DType.I32 ? (int) exact[i] : exact[i];
    }
    return Trial.of(() -> x.tensor().to(to), exact, 0);
  }
}
