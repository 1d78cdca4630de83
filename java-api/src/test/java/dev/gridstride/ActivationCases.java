package dev.gridstride;

import static dev.gridstride.GradientCases.s;
import static dev.gridstride.GradientCases.shapes;

import dev.gridstride.GradientCases.Case;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Gradient cases of {@link Activations}. */
final class ActivationCases {
  private ActivationCases() {}

  static List<Case> all() {
    var cases = new ArrayList<Case>();
    Map<String, UnaryOperator<Tensor>> anywhere =
        Map.ofEntries(
            Map.entry("relu", Tensor::relu),
            Map.entry("leakyRelu", x -> x.leakyRelu(0.1)),
            Map.entry("elu", x -> x.elu(0.7)),
            Map.entry("gelu", Tensor::gelu),
            Map.entry("geluTanh", Tensor::geluTanh),
            Map.entry("silu", Tensor::silu),
            Map.entry("sigmoid", Tensor::sigmoid),
            Map.entry("tanh", Tensor::tanh),
            Map.entry("softplus", Tensor::softplus),
            Map.entry("neg", Tensor::neg),
            Map.entry("abs", Tensor::abs),
            Map.entry("square", Tensor::square),
            Map.entry("clamp", x -> x.clamp(-0.5, 0.8)),
            Map.entry("exp", Tensor::exp),
            Map.entry("sin", Tensor::sin),
            Map.entry("cos", Tensor::cos),
            Map.entry("atan", Tensor::atan),
            Map.entry("sinh", Tensor::sinh),
            Map.entry("cosh", Tensor::cosh),
            Map.entry("asinh", Tensor::asinh),
            Map.entry("tan", x -> x.atan().tan()),
            Map.entry("asin", x -> x.sin().mul(0.9).asin()),
            Map.entry("acos", x -> x.sin().mul(0.9).acos()),
            Map.entry("acosh", x -> x.square().add(1.5).acosh()),
            Map.entry("atanh", x -> x.sin().mul(0.9).atanh()),
            Map.entry("erf", Tensor::erf));
    anywhere.forEach(
        (name, f) -> cases.add(new Case(name, "", shapes(s(4, 5)), t -> f.apply(t[0]))));
    Map<String, UnaryOperator<Tensor>> positive =
        Map.of(
            "sqrt", Tensor::sqrt,
            "rsqrt", Tensor::rsqrt,
            "reciprocal", Tensor::reciprocal,
            "log", Tensor::log);
    positive.forEach((name, f) ->
        cases.add(new Case(name, "", shapes(s(4, 5)), t -> f.apply(t[0].square().add(0.5)))));
    cases.add(
        new Case(
            "tanh",
            "channels last",
            shapes(s(2, 3, 2, 2)),
            t -> t[0].channelsLast().tanh().contiguous()));
    cases.add(new Case("exp", "of a view", shapes(s(3, 4)), t -> t[0].slice(1, 0, 2).exp()));
    return cases;
  }
}
