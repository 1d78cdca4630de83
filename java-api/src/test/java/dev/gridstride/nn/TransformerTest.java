package dev.gridstride.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.io.Safetensors;
import dev.gridstride.optim.AdamW;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Layers of a transformer against plain loops, and their caches against whole sequences. */
@ExtendWith(TestDevice.class)
class TransformerTest {
  private static final Device DEVICE = TestDevice.get();
  private static final int EMBED = 6;
  private static final int HEADS = 2;
  private static final int HIDDEN = 10;
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Tensor normal(long seed, long... dims) {
    return new Generator(seed).normal(DEVICE, DType.F32, 0, 1, dims);
  }

  private static TransformerEncoderLayer encoder(TransformerOptions options) {
    return new TransformerEncoderLayer(DEVICE, new Generator(3), EMBED, HEADS, options);
  }

  private static TransformerDecoderLayer decoder(TransformerOptions options) {
    return new TransformerDecoderLayer(DEVICE, new Generator(3), EMBED, HEADS, options);
  }

  /** Gives every parameter values by chance: the initial ones hide swapped norms and biases. */
  private static void disturb(Module module) {
    var random = new SplittableRandom(11);
    for (Tensor p : module.parameters()) {
      float[] values = p.toFloatArray();
      for (int i = 0; i < values.length; i++) {
        values[i] += (float) (0.3 * random.nextGaussian());
      }
      p.copyFrom(MemorySegment.ofArray(values));
    }
  }

  // ---- the oracle: one sequence as rows of doubles ----------------------------------------------

  private record Weights(Map<String, Tensor> state) {
    double[] of(String name) {
      return state.get(name).toDoubleArray();
    }

    double[][] linear(double[][] x, String name) {
      return product(x, of(name + ".weight"), of(name + ".bias"), 0);
    }

    double[][] norm(double[][] x, String name) {
      double[] weight = of(name + ".weight");
      double[] bias = of(name + ".bias");
      var y = new double[x.length][EMBED];
      for (int i = 0; i < x.length; i++) {
        double mean = 0;
        double variance = 0;
        for (double v : x[i]) {
          mean += v / EMBED;
        }
        for (double v : x[i]) {
          variance += (v - mean) * (v - mean) / EMBED;
        }
        for (int c = 0; c < EMBED; c++) {
          y[i][c] = (x[i][c] - mean) / Math.sqrt(variance + 1e-5) * weight[c] + bias[c];
        }
      }
      return y;
    }

    double[][] attention(double[][] x, double[][] memory, String name, boolean causal) {
      double[] w = of(name + ".in_proj_weight");
      double[] b = of(name + ".in_proj_bias");
      double[][] q = product(x, w, b, 0);
      double[][] k = product(memory, w, b, 1);
      double[][] v = product(memory, w, b, 2);
      int depth = EMBED / HEADS;
      var joined = new double[x.length][EMBED];
      for (int i = 0; i < x.length; i++) {
        for (int h = 0; h < HEADS; h++) {
          var p = new double[memory.length];
          double sum = 0;
          for (int j = 0; j < (causal ? i + 1 : memory.length); j++) {
            double score = 0;
            for (int c = h * depth; c < (h + 1) * depth; c++) {
              score += q[i][c] * k[j][c];
            }
            p[j] = Math.exp(score / Math.sqrt(depth));
            sum += p[j];
          }
          for (int c = h * depth; c < (h + 1) * depth; c++) {
            for (int j = 0; j < memory.length; j++) {
              joined[i][c] += p[j] / sum * v[j][c];
            }
          }
        }
      }
      return linear(joined, name + ".out_proj");
    }

    double[][] network(double[][] x) {
      double[][] hidden = linear(x, "linear1");
      for (double[] row : hidden) {
        for (int c = 0; c < row.length; c++) {
          row[c] = Math.max(0, row[c]);
        }
      }
      return linear(hidden, "linear2");
    }
  }

  /** {@code x w^T + b} with part {@code part} of as many rows of w as x has columns. */
  private static double[][] product(double[][] x, double[] w, double[] b, int part) {
    int in = x[0].length;
    int out = b.length == 3 * EMBED ? EMBED : b.length;
    var y = new double[x.length][out];
    for (int i = 0; i < x.length; i++) {
      for (int o = 0; o < out; o++) {
        int row = part * out + o;
        y[i][o] = b[row];
        for (int c = 0; c < in; c++) {
          y[i][o] += x[i][c] * w[row * in + c];
        }
      }
    }
    return y;
  }

  private static double[][] sum(double[][] a, double[][] b) {
    var y = new double[a.length][EMBED];
    for (int i = 0; i < a.length; i++) {
      for (int c = 0; c < EMBED; c++) {
        y[i][c] = a[i][c] + b[i][c];
      }
    }
    return y;
  }

  private static double[][] rows(Tensor x) {
    double[] flat = x.toDoubleArray();
    var y = new double[flat.length / EMBED][EMBED];
    for (int i = 0; i < flat.length; i++) {
      y[i / EMBED][i % EMBED] = flat[i];
    }
    return y;
  }

  /** A few sums of at most ten terms below 10, in f32. */
  private static void assertClose(Tensor actual, double[][] expected) {
    double[] a = actual.toDoubleArray();
    assertThat(a).hasSize(expected.length * EMBED);
    for (int i = 0; i < a.length; i++) {
      assertThat(a[i]).as("element %d", i).isCloseTo(expected[i / EMBED][i % EMBED], within(2e-5));
    }
  }

  // ---- tests ------------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void encoderComputesItsFormula(boolean normFirst) {
    var options =
        TransformerOptions.of(HIDDEN).withNormFirst(normFirst).withActivation(Tensor::relu);
    try (var layer = encoder(options)) {
      assertThat(layer.state().keySet())
          .containsExactly(
              "self_attn.in_proj_weight",
              "self_attn.in_proj_bias",
              "self_attn.out_proj.weight",
              "self_attn.out_proj.bias",
              "linear1.weight",
              "linear1.bias",
              "linear2.weight",
              "linear2.bias",
              "norm1.weight",
              "norm1.bias",
              "norm2.weight",
              "norm2.bias");
      disturb(layer);
      var w = new Weights(layer.state());
      Tensor both = normal(1, 2, 5, EMBED);
      for (int n = 0; n < 2; n++) {
        double[][] x = rows(both.select(0, n));
        for (boolean causal : new boolean[] {false, true}) {
          double[][] y;
          if (normFirst) {
            double[][] t = w.norm(x, "norm1");
            y = sum(x, w.attention(t, t, "self_attn", causal));
            y = sum(y, w.network(w.norm(y, "norm2")));
          } else {
            y = w.norm(sum(x, w.attention(x, x, "self_attn", causal)), "norm1");
            y = w.norm(sum(y, w.network(y)), "norm2");
          }
          assertClose(layer.forward(both, null, causal).select(0, n), y);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void decoderComputesItsFormula(boolean normFirst) {
    var options =
        TransformerOptions.of(HIDDEN).withNormFirst(normFirst).withActivation(Tensor::relu);
    try (var layer = decoder(options)) {
      disturb(layer);
      var w = new Weights(layer.state());
      Tensor xs = normal(1, 1, 3, EMBED);
      Tensor memories = normal(2, 1, 5, EMBED);
      double[][] x = rows(xs);
      double[][] memory = rows(memories.slice(1, 0, 4)); // the mask leaves the last one out
      double[][] y;
      if (normFirst) {
        double[][] t = w.norm(x, "norm1");
        y = sum(x, w.attention(t, t, "self_attn", true));
        y = sum(y, w.attention(w.norm(y, "norm2"), memory, "multihead_attn", false));
        y = sum(y, w.network(w.norm(y, "norm3")));
      } else {
        y = w.norm(sum(x, w.attention(x, x, "self_attn", true)), "norm1");
        y = w.norm(sum(y, w.attention(y, memory, "multihead_attn", false)), "norm2");
        y = w.norm(sum(y, w.network(y)), "norm3");
      }
      Tensor mask = Tensors.of(DEVICE, new long[] {1, 1, 1, 1, 0}, 1, 1, 5).to(DType.BOOL);
      assertClose(layer.forward(xs, memories, mask), y);
      Tensor weights = layer.memoryWeights(xs, memories, mask);
      assertThat(weights.shape()).isEqualTo(Shape.of(1, HEADS, 3, 5));
      assertThat(weights.select(-1, 4).toFloatArray()).containsOnly(0);
      for (double s : weights.sum(-1).toDoubleArray()) {
        assertThat(s).isCloseTo(1, within(1e-6));
      }
      assertThatThrownBy(() -> layer.forward(xs))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageStartingWith("transformerDecoderLayer: memory must be given");
    }
  }

  @Test
  void everyParameterLearns() {
    var options = TransformerOptions.of(HIDDEN).withDropout(0.2).withAttentionDropout(0.1);
    try (var encoder = encoder(options);
        var decoder = decoder(options)) {
      Tensor memory = encoder.forward(normal(1, 2, 5, EMBED));
      decoder.forward(normal(2, 2, 3, EMBED), memory, null).square().sum().backward();
      assertThat(encoder.parameters()).hasSize(12).allMatch(p -> p.grad() != null);
      assertThat(decoder.parameters()).hasSize(18).allMatch(p -> p.grad() != null);
    }
  }

  @Test
  void dropsInTrainingOnly() {
    Tensor x = normal(1, 2, 5, EMBED);
    try (var layer = encoder(TransformerOptions.of(HIDDEN).withDropout(0.5))) {
      assertThat(layer.forward(x).toFloatArray()).isNotEqualTo(layer.forward(x).toFloatArray());
      layer.eval();
      try (var plain = encoder(TransformerOptions.of(HIDDEN))) {
        assertThat(layer.forward(x).toFloatArray())
            .containsExactly(plain.forward(x).toFloatArray());
      }
    }
  }

  /** In pieces of any length; attention then sums in another order. */
  @ParameterizedTest
  @ValueSource(strings = {"7", "1 1 1 1 1 1 1", "3 1 3", "1 6", "2 3 2"})
  void aCacheGivesWhatTheWholeSequenceGives(String pieces) {
    Tensor x = normal(1, 2, 7, EMBED);
    Tensor memory = normal(2, 2, 4, EMBED);
    try (var encoder = encoder(TransformerOptions.of(HIDDEN));
        var decoder = decoder(TransformerOptions.of(HIDDEN));
        var first = new KeyValueCache(7);
        var second = new KeyValueCache(9)) {
      Tensor expected = decoder.forward(encoder.forward(x, null, true), memory, null);
      for (int round = 0; round < 2; round++) {
        long at = 0;
        for (String piece : pieces.split(" ")) {
          long next = at + Long.parseLong(piece);
          Tensor part = x.slice(1, at, next);
          Tensor y =
              Autograd.noGrad(
                  () -> decoder.forward(encoder.forward(part, first), memory, null, second));
          assertClose(y, rows(expected.slice(1, at, next)));
          at = next;
        }
        assertThat(first.length()).isEqualTo(7);
        first.clear();
        second.clear();
      }
    }
  }

  @Test
  void aCacheRefusesWhatItCannotHold() {
    Tensor x = normal(1, 2, 3, EMBED);
    try (var layer = new MultiheadAttention(DEVICE, new Generator(3), EMBED, HEADS)) {
      var cache = new KeyValueCache(4);
      assertThatThrownBy(() -> layer.forward(x, cache))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageStartingWith("multiheadAttention: cache must be used without gradients");
      Autograd.noGrad(() -> {
        layer.forward(x, cache);
        assertThatThrownBy(() -> layer.forward(x, cache))
            .hasMessage(
                "keyValueCache: places must fit into the capacity; length=3, new=3, capacity=4");
        assertThatThrownBy(() -> layer.forward(normal(1, 1, 1, EMBED), cache))
            .hasMessageStartingWith("keyValueCache: places must have the number, width");
        assertThat(cache.length()).isEqualTo(3);
        cache.close();
        cache.close();
        assertThatThrownBy(() -> layer.forward(x, cache)).isInstanceOf(ClosedException.class);
      });
    }
    assertThatThrownBy(() -> new KeyValueCache(0))
        .hasMessage("keyValueCache: capacity must be at least 1; capacity=0");
  }

  @Test
  void aCacheOutlivesScopesUntilItIsClosed() {
    try (var layer = new MultiheadAttention(DEVICE, new Generator(3), EMBED, HEADS)) {
      var cache = new KeyValueCache(2);
      for (int i = 0; i < 2; i++) {
        try (Scope step = Scope.open()) {
          Tensor x = normal(i, 1, 1, EMBED);
          Autograd.noGrad(() -> layer.forward(x, cache));
        }
      }
      assertThat(cache.length()).isEqualTo(2);
      assertThat(cache.capacity()).isEqualTo(2);
      assertThat(cache.keys().shape()).isEqualTo(Shape.of(1, 2, EMBED));
      assertThat(cache.values().toFloatArray()).hasSize(2 * EMBED).doesNotContain(Float.NaN);
      cache.close();
      assertThatThrownBy(cache::keys).isInstanceOf(ClosedException.class);
    }
  }

  /** Model, optimizer and generator from files: the same bits as without a stop. */
  @Test
  void trainingResumesFromACheckpoint(@TempDir Path dir) {
    var options = TransformerOptions.of(HIDDEN).withDropout(0.3);
    var g = new Generator(3);
    try (var model = new TransformerEncoderLayer(DEVICE, g, EMBED, HEADS, options);
        var adam = new AdamW(model.parameters(), 1e-2, 0.1)) {
      steps(model, adam, 0, 2);
      Safetensors.write(dir.resolve("model"), model.state());
      Safetensors.write(
          dir.resolve("adam"), adam.exportState(), Map.of("position", Long.toString(g.position())));
      steps(model, adam, 2, 4);
      var other = new Generator(3);
      try (var file = Safetensors.open(dir.resolve("adam"));
          var resumed = new TransformerEncoderLayer(DEVICE, other, EMBED, HEADS, options);
          var algorithm = new AdamW(resumed.parameters(), 1e-2, 0.1)) {
        resumed.load(Safetensors.read(DEVICE, dir.resolve("model")));
        algorithm.importState(Safetensors.read(DEVICE, dir.resolve("adam")));
        other.position(Long.parseLong(file.metadata().get("position")));
        steps(resumed, algorithm, 2, 4);
        assertThat(other.position()).isEqualTo(g.position());
        resumed
            .state()
            .forEach((name, t) ->
                assertThat(t.toFloatArray())
                    .as(name)
                    .containsExactly(model.state().get(name).toFloatArray()));
      }
    }
  }

  private static void steps(TransformerEncoderLayer model, AdamW algorithm, int from, int to) {
    for (int i = from; i < to; i++) {
      try (Scope step = Scope.open()) {
        model.forward(normal(i, 2, 5, EMBED), null, true).square().mean().backward();
        algorithm.step();
        model.zeroGrad();
      }
    }
  }

  @Test
  void optionsAreChecked() {
    assertThatThrownBy(() -> TransformerOptions.of(0))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("transformerOptions: hidden and dropout must be at least 1");
    assertThatThrownBy(() -> TransformerOptions.of(4).withDropout(1))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> TransformerOptions.of(4).withAttentionDropout(Double.NaN))
        .isInstanceOf(InvalidArgumentException.class);
  }
}
