package dev.gridstride.examples.fuzz;

import dev.gridstride.AttentionOptions;
import dev.gridstride.ConvOptions;
import dev.gridstride.CrossEntropyOptions;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.examples.fuzz.Draw.Operand;
import dev.gridstride.kernels.Adadelta;
import dev.gridstride.kernels.Adagrad;
import dev.gridstride.kernels.Adam;
import dev.gridstride.kernels.GradientDescent;
import dev.gridstride.kernels.LossReduction;
import dev.gridstride.kernels.RmsProp;
import dev.gridstride.kernels.Sgd;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;

/** Attention, the loss, the steps of gradient descent, and gradients. */
final class TrainingFamilies {
  private TrainingFamilies() {}

  static void addTo(Map<String, Trial.Family> families) {
    families.put("attention", TrainingFamilies::attention);
    families.put("cross-entropy", TrainingFamilies::crossEntropy);
    families.put("descent", TrainingFamilies::descent);
    families.put("gradient", TrainingFamilies::gradient);
  }

  private static Trial attention(Draw draw) {
    DType type = draw.choose("type", Draw.FLOATS);
    boolean causal = draw.choose("causal", 2) == 1;
    int b = 1 + draw.below(2);
    int l = Math.min(draw.size(1), 20);
    int s = Math.min(draw.size(1), 20);
    int e = Math.min(draw.size(1), 40);
    int ev = Math.min(draw.size(1), 20);
    Operand q = draw.ordinary(type, b, l, e);
    Operand k = draw.ordinary(type, b, s, e);
    Operand v = draw.ordinary(type, b, s, ev);
    // below the smallest normal number a rounded weight's error is as large as there
    double least = type == DType.F16 ? 0x1p-14 : 0;
    var exact = new double[b * l * ev];
    var scale = new double[exact.length];
    for (int row = 0; row < b * l; row++) {
      int image = row / l;
      int keys = causal ? Math.min(s, row % l + 1) : s;
      var score = new double[keys];
      double magnitude = 0;
      double max = Double.NEGATIVE_INFINITY;
      for (int j = 0; j < keys; j++) {
        double size = 0;
        for (int i = 0; i < e; i++) {
          double term = q.values()[row * e + i] * k.values()[(image * s + j) * e + i];
          score[j] += term / Math.sqrt(e);
          size += Math.abs(term) / Math.sqrt(e);
        }
        magnitude = Math.max(magnitude, size);
        max = Math.max(max, score[j]);
      }
      double sum = 0;
      for (int j = 0; j < keys; j++) {
        score[j] = Math.exp(score[j] - max);
        sum += score[j];
      }
      for (int i = 0; i < ev; i++) {
        double size = 0;
        for (int j = 0; j < keys; j++) {
          double weight = score[j] / sum;
          double value = v.values()[(image * s + j) * ev + i];
          exact[row * ev + i] += weight * value;
          size += Math.max(weight, least) * Math.abs(value);
        }
        // an error of a score is one of its weight, relatively
        scale[row * ev + i] = size * (1 + magnitude);
      }
    }
    // narrow types: the weights may be rounded to the type before the second product
    double narrow = type.bytes() == 2 ? type.epsilon() / DType.F32.epsilon() : 0;
    AttentionOptions options = AttentionOptions.DEFAULT.withCausal(causal);
    return new Trial(
        () -> q.tensor().scaledDotProductAttention(k.tensor(), v.tensor(), options),
        exact,
        scale,
        e + s + 16.0 + 2 * narrow);
  }

  private static Trial crossEntropy(Draw draw) {
    DType type = draw.choose("type", Draw.FLOATS);
    LossReduction reduction = draw.choose("reduction", LossReduction.values());
    boolean weighted = draw.choose("weighted", 2) == 1;
    double smoothing = draw.choose("smoothing", 0.0, 0.1, 1.0);
    int rows = 1 + draw.below(12);
    int classes = draw.size(1);
    long ignored = draw.below(classes);
    Operand x = draw.ordinary(type, rows, classes);
    Operand drawn = draw.indices(classes, rows);
    DType weightType = type == DType.F64 ? DType.F64 : DType.F32;
    Operand w = draw.ordinary(weightType, classes);
    double[] weights = Arrays.stream(w.values()).map(Math::abs).toArray();
    var targets = new long[rows];
    double divisor = 0;
    var loss = new double[rows];
    var size = new double[rows];
    for (int i = 0; i < rows; i++) {
      long t = (long) drawn.values()[i];
      targets[i] = t < 0 ? t + classes : t;
      if (targets[i] == ignored) {
        continue;
      }
      double target = weighted ? weights[(int) targets[i]] : 1;
      divisor += target;
      double max = Double.NEGATIVE_INFINITY;
      for (int j = 0; j < classes; j++) {
        max = Math.max(max, x.values()[i * classes + j]);
      }
      double sum = 0;
      for (int j = 0; j < classes; j++) {
        sum += Math.exp(x.values()[i * classes + j] - max);
      }
      double lse = max + Math.log(sum);
      for (int j = 0; j < classes; j++) {
        double q =
            (j == targets[i] ? (1 - smoothing) * target : 0)
                + smoothing / classes * (weighted ? weights[j] : 1);
        loss[i] += q * (lse - x.values()[i * classes + j]);
        size[i] += q * (1 + Math.abs(lse) + Math.abs(x.values()[i * classes + j]));
      }
    }
    double[] exact = loss;
    double[] scale = size;
    if (reduction != LossReduction.NONE) {
      double by = reduction == LossReduction.MEAN ? divisor : 1;
      exact = new double[] {Arrays.stream(loss).sum() / by};
      scale = new double[] {Arrays.stream(size).sum() / by};
      if (by == 0) {
        exact[0] = Double.NaN;
        scale[0] = 0;
      }
    }
    return new Trial(
        () ->
            x.tensor()
                .crossEntropy(
                    Tensors.of(draw.device(), targets, rows),
                    new CrossEntropyOptions(
                        smoothing, ignored, weighted ? w.tensor().abs() : null, reduction)),
        exact,
        scale,
        classes + 16.0);
  }

  // ---- gradient descent

  private static final double LR = 0.05;

  private static List<GradientDescent> methods(DType t) {
    return List.of(
        Sgd.of(t, 0),
        new Sgd(t, 0.9, 0.1, false, 0.01, false, true),
        new Sgd(t, 0.8, 0, true, 0.01, true, false),
        new Adam(t, 0.9, 0.99, 1e-3, 0.01, false, false, false),
        new Adam(t, 0.8, 0.999, 1e-3, 0.1, true, true, true),
        new RmsProp(t, 0.9, 1e-3, 0.01, 0, false, false),
        new RmsProp(t, 0.9, 1e-3, 0, 0.5, false, true),
        new Adagrad(t, 0.01, 1e-3, 0.01, false),
        new Adadelta(t, 0.9, 1e-3, 0.01, false));
  }

  private static Trial descent(Draw draw) {
    DType type = draw.choose("type", DType.F32, DType.F64);
    GradientDescent op = methods(type).get(draw.choose("method", methods(type).size()));
    int step = 1 + draw.choose("step - 1", 30);
    int n = draw.size(1);
    Operand p = draw.ordinary(type, n);
    Operand g = draw.ordinary(type, n);
    var states = new ArrayList<Operand>();
    for (String name : op.states()) {
      Operand s = draw.ordinary(type, n);
      // averages of squares are not negative
      boolean signed = name.equals("momentum") || name.equals("m");
      states.add(
          signed
              ? s
              : new Operand(s.tensor().abs(), Arrays.stream(s.values()).map(Math::abs).toArray()));
    }
    var exact = new double[n];
    var scale = new double[n];
    for (int i = 0; i < n; i++) {
      var s = new double[3];
      for (int j = 0; j < states.size(); j++) {
        s[j] = states.get(j).values()[i];
      }
      double[] moved = moved(op, p.values()[i], g.values()[i], s, step);
      exact[i] = moved[0];
      scale[i] = Math.abs(p.values()[i]) + moved[1];
    }
    return new Trial(() -> stepped(op, p, g, states, step), exact, scale, 24);
  }

  private static Tensor stepped(
      GradientDescent op, Operand p, Operand g, List<Operand> states, int step) {
    Tensor params = p.tensor().copy();
    List<List<Buffer>> memory =
        states.stream().map(s -> List.of(s.tensor().copy().buffer())).toList();
    params
        .device()
        .plan(op)
        .step(
            params.stream(),
            List.of(params.buffer()),
            List.of(g.tensor().contiguous().buffer()),
            memory,
            step,
            LR,
            1);
    return params;
  }

  /** The new parameter, and the magnitudes of what was added up to its change. */
  private static double[] moved(GradientDescent op, double p, double g, double[] s, int t) {
    switch (op) {
      case Sgd o -> {
        double d = o.maximize() ? -g : g;
        double q = o.decoupled() ? p - LR * o.weightDecay() * p : p;
        double size = Math.abs(g) + o.weightDecay() * Math.abs(p);
        d += o.decoupled() ? 0 : o.weightDecay() * p;
        if (o.momentum() > 0) {
          double b = t == 1 ? d : o.momentum() * s[0] + (1 - o.dampening()) * d;
          d = o.nesterov() ? d + o.momentum() * b : b;
          size = 2 * (size + Math.abs(s[0]));
        }
        return new double[] {q - LR * d, LR * size};
      }
      case Adam o -> {
        double d = o.maximize() ? -g : g;
        double q = o.decoupled() ? p - LR * o.weightDecay() * p : p;
        d += o.decoupled() ? 0 : o.weightDecay() * p;
        double m = o.beta1() * s[0] + (1 - o.beta1()) * d;
        double v = o.beta2() * s[1] + (1 - o.beta2()) * d * d;
        v = o.amsgrad() ? Math.max(s[2], v) : v;
        double root = Math.sqrt(v / (1 - Math.pow(o.beta2(), t))) + o.eps();
        double factor = LR / (1 - Math.pow(o.beta1(), t)) / root;
        double size = Math.abs(s[0]) + Math.abs(g) + o.weightDecay() * Math.abs(p);
        return new double[] {q - factor * m, factor * size};
      }
      case RmsProp o -> {
        double d = (o.maximize() ? -g : g) + o.weightDecay() * p;
        double square = o.alpha() * s[0] + (1 - o.alpha()) * d * d;
        double root = Math.sqrt(square) + o.eps();
        double change = d / root + (o.momentum() > 0 ? o.momentum() * s[1] : 0);
        double size = (Math.abs(g) + o.weightDecay() * Math.abs(p)) / root + Math.abs(s[1]);
        return new double[] {p - LR * change, LR * size};
      }
      case Adagrad o -> {
        double d = (o.maximize() ? -g : g) + o.weightDecay() * p;
        double root = Math.sqrt(s[0] + d * d) + o.eps();
        double factor = LR / (1 + (t - 1) * o.lrDecay()) / root;
        return new double[] {p - factor * d, factor * (Math.abs(g) + Math.abs(p))};
      }
      case Adadelta o -> {
        double d = (o.maximize() ? -g : g) + o.weightDecay() * p;
        double square = o.rho() * s[0] + (1 - o.rho()) * d * d;
        double factor = LR * Math.sqrt(s[1] + o.eps()) / Math.sqrt(square + o.eps());
        return new double[] {p - factor * d, factor * (Math.abs(g) + Math.abs(p))};
      }
    }
  }

  // ---- gradients

  private record Smooth(String name, BinaryOperator<Tensor> op) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Functions of two square matrices. */
  private static final List<Smooth> SMOOTH =
      List.of(
          new Smooth("matmul", Tensor::matmul),
          new Smooth("linear", (a, b) -> a.linear(b)),
          new Smooth("mul", Tensor::mul),
          new Smooth("div", (a, b) -> a.div(b.square().add(1))),
          new Smooth("softmax", (a, b) -> a.softmax(1).mul(b)),
          new Smooth("logSoftmax", (a, b) -> a.logSoftmax(0).mul(b)),
          new Smooth("sigmoid", (a, b) -> a.sigmoid().sub(b.tanh())),
          new Smooth("gelu", (a, b) -> a.gelu().mul(b.silu())),
          new Smooth("layerNorm", (a, b) -> a.layerNorm(1, null, null, 1e-2).mul(b)),
          new Smooth("rmsNorm", (a, b) -> a.rmsNorm(1, null, 1e-2).mul(b)),
          new Smooth("sums", (a, b) -> a.sum(true, 0).mul(b.mean(true, 1))),
          new Smooth("cumSum", (a, b) -> a.cumSum(1).mul(b.cumSum(0))),
          new Smooth("concat", (a, b) -> Tensors.concat(0, a, b).softmax(0)),
          new Smooth("permuted", (a, b) -> a.transpose().flip(0).mul(b.slice(0, 0, 1))),
          new Smooth(
              "attention",
              (a, b) -> a.unsqueeze(0).scaledDotProductAttention(b.unsqueeze(0), a.unsqueeze(0))),
          new Smooth(
              "conv",
              (a, b) ->
                  a.unsqueeze(1).conv1d(b.slice(1, 0, 1).unsqueeze(1), null, ConvOptions.DEFAULT)),
          new Smooth("einsum", (a, b) -> Tensors.einsum("ij,kj->ik", a, b)));

  /** The derivative in one direction, by central differences of the function itself, in f64. */
  private static Trial gradient(Draw draw) {
    Smooth f = draw.choose("op", SMOOTH.toArray(new Smooth[0]));
    int n = Math.min(draw.size(1), 12);
    Operand a = draw.ordinary(DType.F64, n, n);
    Operand b = draw.ordinary(DType.F64, n, n);
    Operand da = draw.ordinary(DType.F64, n, n);
    Operand db = draw.ordinary(DType.F64, n, n);
    double h = 1e-4;
    var sums = new double[4];
    for (int i = 0; i < sums.length; i++) {
      double at = h * new double[] {1, -1, 2, -2}[i];
      Tensor y =
          f.op().apply(a.tensor().add(da.tensor().mul(at)), b.tensor().add(db.tensor().mul(at)));
      sums[i] = y.sum().item();
    }
    double exact = (8 * (sums[0] - sums[1]) - (sums[2] - sums[3])) / (12 * h);
    double magnitude = Math.abs(sums[0]) + n * (double) n;
    // differences lose the digits of h, and what is beyond the fifth order
    double scale = (1e-9 * magnitude / h + 1e-7 * Math.abs(exact)) / DType.F64.epsilon();
    return new Trial(
        () -> {
          Tensor x = a.tensor().copy().detach().requiresGrad(true);
          Tensor w = b.tensor().copy().detach().requiresGrad(true);
          f.op().apply(x, w).sum().backward();
          return dot(x, da.tensor()).add(dot(w, db.tensor()));
        },
        new double[] {exact},
        new double[] {scale},
        1);
  }

  private static Tensor dot(Tensor leaf, Tensor direction) {
    Tensor grad = leaf.grad();
    Tensor zero = Tensors.zeros(direction.device(), DType.F64);
    return (grad == null ? zero : grad).mul(direction).sum();
  }
}
