package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * One step of an optimizer. Inputs: the learning rate, the count of steps before, then for each
 * kind in turn (values, gradients, states) the tensors; outputs: values and states in the same way.
 */
final class OptimizerOps {
  private OptimizerOps() {}

  /** The new value and the new states of one tensor. */
  private interface Step {
    List<Tensor> run(Node n, double rate, double count, Tensor x, Tensor g, Tensor[] states);
  }

  static void addTo(Operators ops) {
    ops.many("Momentum", n -> each(n, 1, OptimizerOps::momentum));
    ops.many("Adagrad", n -> each(n, 1, OptimizerOps::adagrad));
    ops.many("Adam", n -> each(n, 2, OptimizerOps::adam));
  }

  private static List<Tensor> each(Node n, int states, Step step) {
    double rate = n.in(0).item();
    double count = n.in(1).item();
    int tensors = (n.inputs().size() - 2) / (2 + states);
    List<List<Tensor>> results = new ArrayList<>();
    for (int i = 0; i < tensors; i++) {
      Tensor x = n.in(2 + i);
      Tensor g = x.mul(n.real("norm_coefficient", 0)).add(n.in(2 + tensors + i));
      var state = new Tensor[states];
      for (int s = 0; s < states; s++) {
        state[s] = n.in(2 + (2 + s) * tensors + i);
      }
      results.add(step.run(n, rate, count, x, g, state));
    }
    List<Tensor> outputs = new ArrayList<>();
    for (int kind = 0; kind <= states; kind++) {
      for (List<Tensor> result : results) {
        outputs.add(result.get(kind));
      }
    }
    return outputs;
  }

  private static List<Tensor> momentum(
      Node n, double rate, double count, Tensor x, Tensor g, Tensor[] states) {
    double alpha = n.real("alpha", 0);
    double beta = count > 0 ? n.real("beta", 0) : 1;
    Tensor v = states[0].mul(alpha).add(g.mul(beta));
    Tensor direction =
        switch (n.text("mode", "standard")) {
          case "standard" -> v;
          case "nesterov" -> g.add(v.mul(alpha));
          default -> throw n.unsupported("mode must be standard or nesterov");
        };
    return List.of(x.sub(direction.mul(rate)), v);
  }

  private static List<Tensor> adagrad(
      Node n, double rate, double count, Tensor x, Tensor g, Tensor[] states) {
    double decayed = rate / (1 + count * n.real("decay_factor", 0));
    Tensor h = states[0].add(g.square());
    Tensor step = g.mul(decayed).div(h.sqrt().add(n.real("epsilon", 0)));
    return List.of(x.sub(step), h);
  }

  private static List<Tensor> adam(
      Node n, double rate, double count, Tensor x, Tensor g, Tensor[] states) {
    double alpha = n.real("alpha", 0.9);
    double beta = n.real("beta", 0.999);
    Tensor v = states[0].mul(alpha).add(g.mul(1 - alpha));
    Tensor h = states[1].mul(beta).add(g.square().mul(1 - beta));
    double adjusted =
        count > 0
            ? rate * Math.sqrt(1 - Math.pow(beta, count)) / (1 - Math.pow(alpha, count))
            : rate;
    Tensor step = v.mul(adjusted).div(h.sqrt().add(n.real("epsilon", 0)));
    return List.of(x.sub(step).mul(1 - n.real("norm_coefficient_post", 0)), v, h);
  }
}
