package dev.gridstride.bench;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import dev.gridstride.optim.SGD;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One training step of the network of {@code train mnist}, without dropout: two convolutions 3x3
 * with 32 and 64 filters, each with ReLU, maximum pooling, two linear layers with 128 and 10
 * outputs, cross-entropy, SGD. Ours goes through the tensor API.
 */
final class MnistFamily implements Family {
  private static final double RATE = 0.01;

  @Override
  public String name() {
    return "mnist";
  }

  @Override
  public String description() {
    return "one training step of the MNIST network through tensors";
  }

  @Override
  public List<String> ops() {
    return List.of("step");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32");
  }

  @Override
  public List<Work> quick() {
    return Family.each(ops(), "64");
  }

  @Override
  public List<Work> full() {
    return Family.each(ops(), "64", "256");
  }

  @Override
  public String shapeForm() {
    return "BATCH";
  }

  /** Of the products: forward, and twice as much backward except for the images' gradient. */
  @Override
  public double flops(Case c) {
    double first = 2.0 * 32 * 26 * 26 * 9;
    double others = 2.0 * 64 * 24 * 24 * 32 * 9 + 2.0 * 9216 * 128 + 2.0 * 128 * 10;
    return c.sizes(1)[0] * (2 * first + 3 * others);
  }

  @Override
  public double bytes(Case c) {
    return 0;
  }

  @Override
  public boolean countsFlops() {
    return true;
  }

  /** The step calls its smallest kernels once: the first 100 steps take a fifth longer. */
  @Override
  public int warmRuns() {
    return 200;
  }

  @Override
  public Problem problem(Case c) {
    int n = c.sizes(1)[0];
    var p = new Problem();
    p.input("x", Data.floats(n * 784, 1), n, 1, 28, 28);
    p.input("labels", new SplittableRandom(2).ints(n, 0, 10).toArray(), n);
    p.input("w1", scaled(32 * 9, 3, 0.2f), 32, 1, 3, 3).input("b1", scaled(32, 4, 0.1f), 32);
    p.input("w2", scaled(64 * 32 * 9, 5, 0.05f), 64, 32, 3, 3).input("b2", scaled(64, 6, 0.1f), 64);
    p.input("w3", scaled(128 * 9216, 7, 0.01f), 128, 9216).input("b3", scaled(128, 8, 0.1f), 128);
    p.input("w4", scaled(10 * 128, 9, 0.1f), 10, 128).input("b4", scaled(10, 10, 0.1f), 10);
    Map<String, double[]> at = new LinkedHashMap<>();
    PARAMETERS.forEach(name -> at.put(name, p.doubles(name)));
    p.expect("loss", loss(p, n, at));
    // The move of w4 is -RATE times its gradient: along it, the loss falls by the gradient's
    // square.
    p.expect("w4", after -> slopeError(p, n, at, after));
    return p;
  }

  static final List<String> PARAMETERS = List.of("w1", "b1", "w2", "b2", "w3", "b3", "w4", "b4");

  private static float[] scaled(int n, long seed, float by) {
    float[] x = Data.floats(n, seed);
    for (int i = 0; i < n; i++) {
      x[i] *= by;
    }
    return x;
  }

  private static double slopeError(Problem p, int n, Map<String, double[]> at, double[] after) {
    double[] w = p.doubles("w4");
    if (after.length != w.length) {
      return Double.NaN;
    }
    var ahead = new double[w.length];
    var behind = new double[w.length];
    double square = 0;
    for (int i = 0; i < w.length; i++) {
      double g = (w[i] - after[i]) / RATE;
      square += g * g;
      ahead[i] = w[i] + 1e-3 * g;
      behind[i] = w[i] - 1e-3 * g;
    }
    var moved = new LinkedHashMap<>(at);
    moved.put("w4", ahead);
    double high = loss(p, n, moved);
    moved.put("w4", behind);
    double slope = (high - loss(p, n, moved)) / 2e-3;
    return Math.abs(slope - square) / Math.abs(slope);
  }

  /** The loss in double, by plain loops. */
  private static double loss(Problem p, int n, Map<String, double[]> w) {
    var axis = new ConvAxis(28, 3, 1, 0, 0, 1);
    var second = new ConvAxis(26, 3, 1, 0, 0, 1);
    double total = 0;
    for (int i = 0; i < n; i++) {
      var image = java.util.Arrays.copyOfRange(p.floats("x"), i * 784, (i + 1) * 784);
      double[] h = conv(Conv.of(1, 1, 32, axis, axis), Data.widened(image), w.get("w1"));
      relu(h, w.get("b1"), 26 * 26);
      h = conv(Conv.of(1, 32, 64, second, second), h, w.get("w2"));
      relu(h, w.get("b2"), 24 * 24);
      var pooled = new double[9216];
      for (int j = 0; j < pooled.length; j++) {
        int from = j / 144 * 576 + j / 12 % 12 * 48 + j % 12 * 2;
        pooled[j] = Math.max(Math.max(h[from], h[from + 1]), Math.max(h[from + 24], h[from + 25]));
      }
      double[] hidden = linear(pooled, w.get("w3"), w.get("b3"));
      for (int j = 0; j < hidden.length; j++) {
        hidden[j] = Math.max(hidden[j], 0);
      }
      double[] logits = linear(hidden, w.get("w4"), w.get("b4"));
      double sum = 0;
      for (double v : logits) {
        sum += Math.exp(v); // small weights: no overflow
      }
      total += Math.log(sum) - logits[p.ints("labels")[i]];
    }
    return total / n;
  }

  private static double[] conv(Conv op, double[] x, double[] w) {
    var y = new double[(int) op.yCount()];
    new ConvLoopsPlain(op).forward(x, w, y);
    return y;
  }

  private static void relu(double[] x, double[] bias, int plane) {
    for (int i = 0; i < x.length; i++) {
      x[i] = Math.max(x[i] + bias[i / plane], 0);
    }
  }

  private static double[] linear(double[] x, double[] w, double[] bias) {
    double[] y = bias.clone();
    for (int o = 0; o < y.length; o++) {
      for (int i = 0; i < x.length; i++) {
        y[o] += w[o * x.length + i] * x[i];
      }
    }
    return y;
  }

  @Override
  public Contender ours(Case c, Problem p) {
    return new Tensors32(p);
  }

  @Override
  public @Nullable Contender plain(Case c, Problem p) {
    return null;
  }

  private static final class Tensors32 implements Contender {
    private final Scope scope = Scope.open();
    private final Tensor x;
    private final Tensor labels;
    private final Map<String, Tensor> w = new LinkedHashMap<>();
    private final SGD sgd;
    private double loss;

    Tensors32(Problem p) {
      Device cpu = Device.cpu();
      x = Tensors.of(cpu, p.floats("x"), p.shape("x"));
      labels = Tensors.of(cpu, java.util.Arrays.stream(p.ints("labels")).asLongStream().toArray());
      PARAMETERS.forEach(
          name -> w.put(name, Tensors.of(cpu, p.floats(name), p.shape(name)).requiresGrad(true)));
      sgd = new SGD(new ArrayList<>(w.values()), RATE, 0);
    }

    private Tensor w(String name) {
      return java.util.Objects.requireNonNull(w.get(name));
    }

    @Override
    public void run() {
      try (Scope step = Scope.open()) {
        Tensor h = x.conv2d(w("w1"), w("b1")).relu().conv2d(w("w2"), w("b2")).relu();
        h = h.maxPool2d(2).flatten(1).linear(w("w3"), w("b3")).relu();
        Tensor result = h.linear(w("w4"), w("b4")).crossEntropy(labels);
        result.backward();
        sgd.step();
        sgd.zeroGrad();
        loss = result.item();
      }
    }

    @Override
    public double[] result(String name) {
      return name.equals("loss") ? new double[] {loss} : Data.widened(w(name).toFloatArray());
    }

    @Override
    public void close() {
      sgd.close();
      scope.close();
    }
  }
}
