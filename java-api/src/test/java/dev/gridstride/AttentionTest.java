package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.nn.MultiheadAttention;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Attention against plain loops, masks, refusals; the module against the op. */
@ExtendWith(TestDevice.class)
class AttentionTest {
  private static final Device DEVICE = TestDevice.get();
  private static final AttentionOptions D = AttentionOptions.DEFAULT;
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Tensor normal(DType dtype, long seed, long... dims) {
    return new Generator(seed).normal(DEVICE, dtype, 0, 1, dims);
  }

  /** One matrix of queries, keys and values; zeros for a query without keys. */
  private static double[] attention(
      double[] q,
      double[] k,
      double[] v,
      int l,
      int s,
      int e,
      int d,
      double scale,
      BiPredicate<Integer, Integer> allowed) {
    var y = new double[l * d];
    for (int i = 0; i < l; i++) {
      var p = new double[s];
      double sum = 0;
      for (int j = 0; j < s; j++) {
        double dot = 0;
        for (int c = 0; c < e; c++) {
          dot += q[i * e + c] * k[j * e + c];
        }
        p[j] = allowed.test(i, j) ? Math.exp(scale * dot) : 0;
        sum += p[j];
      }
      for (int c = 0; c < d && sum > 0; c++) {
        for (int j = 0; j < s; j++) {
          y[i * d + c] += p[j] / sum * v[j * d + c];
        }
      }
    }
    return y;
  }

  private static void assertClose(Tensor actual, double[] expected, double tolerance) {
    double[] a = actual.toDoubleArray();
    assertThat(a).hasSameSizeAs(expected);
    for (int i = 0; i < a.length; i++) {
      assertThat(a[i]).as("element %d", i).isCloseTo(expected[i], within(tolerance));
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1,1,1", "3,4,5,2", "7,3,8,8", "17,31,16,5", "4,4,1,3", "2,0,3,2", "0,3,2,2"})
  void matchesLoops(int l, int s, int e, int d) {
    Tensor q = normal(DType.F64, 1, l, e);
    Tensor k = normal(DType.F64, 2, s, e);
    Tensor v = normal(DType.F64, 3, s, d);
    double[] qs = q.toDoubleArray();
    double[] ks = k.toDoubleArray();
    double[] vs = v.toDoubleArray();
    double scale = 1 / Math.sqrt(e);
    assertClose(
        q.scaledDotProductAttention(k, v),
        attention(qs, ks, vs, l, s, e, d, scale, (i, j) -> true),
        1e-13);
    assertClose(
        q.scaledDotProductAttention(k, v, D.withCausal(true).withScale(0.3)),
        attention(qs, ks, vs, l, s, e, d, 0.3, (i, j) -> j <= i),
        1e-13);
    var bits = new long[l * s];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = i * 7 % 3 == 0 || i / s % 4 == 2 ? 0 : 1; // some queries see nothing
    }
    Tensor mask = Tensors.of(DEVICE, bits, l, s).to(DType.BOOL);
    double[] expected =
        attention(qs, ks, vs, l, s, e, d, scale, (i, j) -> j <= i && bits[i * s + j] != 0);
    assertClose(
        q.scaledDotProductAttention(k, v, D.withMask(mask).withCausal(true)), expected, 1e-13);
    Tensor added =
        mask.where(Tensors.zeros(DEVICE, DType.F64), Tensors.full(DEVICE, DType.F64, -1.0 / 0));
    assertClose(
        q.scaledDotProductAttention(k, v, D.withMask(added).withCausal(true)), expected, 1e-13);
    // f32: sums of up to 31 terms of size 1, each rounded
    assertClose(
        q.to(DType.F32)
            .scaledDotProductAttention(
                k.to(DType.F32), v.to(DType.F32), D.withMask(mask).withCausal(true)),
        expected,
        31 * 0x1p-23);
  }

  @Test
  void aQueryWithoutKeysGivesZerosAndPassesNoGradients() {
    Tensor q = normal(DType.F32, 1, 2, 3).requiresGrad(true);
    Tensor k = normal(DType.F32, 2, 2, 3).requiresGrad(true);
    Tensor v = normal(DType.F32, 3, 2, 3).requiresGrad(true);
    Tensor none = Tensors.zeros(DEVICE, DType.BOOL, 2, 2);
    Tensor y = q.scaledDotProductAttention(k, v, D.withMask(none));
    assertThat(y.toFloatArray()).containsOnly(0);
    y.sum().backward();
    for (Tensor t : new Tensor[] {q, k, v}) {
      assertThat(t.grad()).isNotNull();
      assertThat(t.grad().toFloatArray()).containsOnly(0);
    }
  }

  @Test
  void maskedScoresDoNotMatterWhateverTheyAre() {
    Tensor q = Tensors.of(DEVICE, new float[] {1, 1}, 1, 2);
    Tensor k = Tensors.of(DEVICE, new float[] {1, 0, Float.NaN, 3e38f}, 2, 2);
    Tensor v = Tensors.of(DEVICE, new float[] {5, 7}, 2, 1);
    Tensor mask = Tensors.of(DEVICE, new long[] {1, 0}, 1, 2).to(DType.BOOL);
    assertThat(q.scaledDotProductAttention(k, v, D.withMask(mask)).toFloatArray())
        .containsExactly(5);
    assertThat(q.scaledDotProductAttention(k, v).toFloatArray()[0]).isNaN();
    // scores of 1e8: the softmax subtracts the largest
    Tensor big = Tensors.of(DEVICE, new float[] {1e4f, 0, 0, 1e4f}, 2, 2);
    assertThat(big.scaledDotProductAttention(big, v).toFloatArray()).containsExactly(5, 7);
  }

  @Test
  void refuses() {
    Tensor q = normal(DType.F32, 1, 2, 3);
    assertThatThrownBy(() -> q.scaledDotProductAttention(normal(DType.F32, 1, 2, 4), q))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "scaledDotProductAttention: q, k and v must be [..., l, e], [..., s, e] and [..., s,"
                + " d]; q=[2, 3], k=[2, 4], v=[2, 3]");
    assertThatThrownBy(() -> q.scaledDotProductAttention(q, q.to(DType.F64)))
        .hasMessageStartingWith(
            "scaledDotProductAttention: q, k and v must have one floating dtype");
    assertThatThrownBy(() -> q.scaledDotProductAttention(q, q, D.withMask(q)))
        .hasMessageStartingWith("scaledDotProductAttention: mask must live with q and be");
    assertThatThrownBy(() ->
            q.scaledDotProductAttention(q, q, D.withMask(Tensors.ones(DEVICE, DType.I64, 2, 2))))
        .hasMessageStartingWith("scaledDotProductAttention: mask must be bool or of the dtype");
    assertThatThrownBy(() -> D.withDropout(new Generator(1), 1))
        .hasMessageStartingWith("scaledDotProductAttention: dropout must be in 0..1");
    assertThatThrownBy(() -> new AttentionOptions(null, false, 0.5, null, 1))
        .hasMessageContaining("generator=null");
  }

  private static double[] project(double[] x, int rows, int e, float[] w, float[] b, int part) {
    var y = new double[rows * e];
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < e; o++) {
        y[r * e + o] = b[part * e + o];
        for (int i = 0; i < e; i++) {
          y[r * e + o] += x[r * e + i] * w[(part * e + o) * e + i];
        }
      }
    }
    return y;
  }

  private static double[] columns(double[] x, int rows, int e, int from, int n) {
    var y = new double[rows * n];
    for (int i = 0; i < y.length; i++) {
      y[i] = x[i / n * e + from + i % n];
    }
    return y;
  }

  @Test
  void theModuleAttendsByHeads() {
    int n = 2;
    int l = 3;
    int s = 4;
    int e = 6;
    try (var module = new MultiheadAttention(DEVICE, new Generator(4), e, 2)) {
      Map<String, Tensor> state = module.state();
      assertThat(state.keySet())
          .containsExactly("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias");
      assertThat(state.get("in_proj_weight").shape()).isEqualTo(Shape.of(18, 6));
      assertThat(state.get("in_proj_bias").toFloatArray()).containsOnly(0);
      assertThat(state.get("out_proj.bias").toFloatArray()).containsOnly(0);
      state
          .get("in_proj_bias")
          .copyFrom(
              java.lang.foreign.MemorySegment.ofArray(normal(DType.F32, 8, 18).toFloatArray()));
      float[] w = state.get("in_proj_weight").toFloatArray();
      float[] b = state.get("in_proj_bias").toFloatArray();
      float[] wo = state.get("out_proj.weight").toFloatArray();
      Tensor q = normal(DType.F32, 1, n, l, e);
      Tensor k = normal(DType.F32, 2, n, s, e);
      Tensor v = normal(DType.F32, 3, n, s, e);
      Tensor keys = Tensors.of(DEVICE, new long[] {1, 1, 0, 1, 1, 1, 1, 0}, n, 1, s).to(DType.BOOL);
      Tensor y = module.forward(q, k, v, keys, false);
      assertThat(y.shape()).isEqualTo(Shape.of(n, l, e));
      var expected = new double[n * l * e];
      for (int image = 0; image < n; image++) {
        double[] qp = project(q.select(0, image).toDoubleArray(), l, e, w, b, 0);
        double[] kp = project(k.select(0, image).toDoubleArray(), s, e, w, b, 1);
        double[] vp = project(v.select(0, image).toDoubleArray(), s, e, w, b, 2);
        int masked = image == 0 ? 2 : 3;
        var joined = new double[l * e];
        for (int h = 0; h < 2; h++) {
          double[] part =
              attention(
                  columns(qp, l, e, 3 * h, 3),
                  columns(kp, s, e, 3 * h, 3),
                  columns(vp, s, e, 3 * h, 3),
                  l,
                  s,
                  3,
                  3,
                  1 / Math.sqrt(3),
                  (i, j) -> j != masked);
          for (int i = 0; i < part.length; i++) {
            joined[i / 3 * e + 3 * h + i % 3] = part[i];
          }
        }
        double[] image0 = project(joined, l, e, wo, new float[e], 0);
        System.arraycopy(image0, 0, expected, image * l * e, l * e);
      }
      assertClose(y, expected, 1e-5); // four products of at most 6 terms below 4, in f32
      assertSelf(module, q);
    }
  }

  private static void assertSelf(MultiheadAttention module, Tensor x) {
    // one product for the three projections has other roundings than three
    assertClose(module.forward(x), module.forward(x, x, x, null, false).toDoubleArray(), 1e-6);
    Tensor mask = Tensors.ones(DEVICE, DType.BOOL, 3, 3);
    assertClose(
        module.forward(x, mask, true), module.forward(x, x, x, null, true).toDoubleArray(), 1e-6);
    Tensor first = module.forward(x, null, true).slice(1, 0, 1);
    assertClose(first, module.forward(x.slice(1, 0, 1)).toDoubleArray(), 1e-6);
  }

  @Test
  void theModuleDropsInTrainingOnly() {
    try (var module = new MultiheadAttention(DEVICE, new Generator(4), 4, 2, 0.5)) {
      Tensor x = normal(DType.F32, 1, 1, 5, 4);
      assertThat(module.forward(x).toFloatArray()).isNotEqualTo(module.forward(x).toFloatArray());
      module.eval();
      assertThat(module.forward(x).toFloatArray())
          .containsExactly(module.forward(x).toFloatArray());
      module.train();
      module.forward(x).sum().backward();
      assertThat(module.parameters()).allMatch(p -> p.grad() != null);
      assertThatThrownBy(() -> module.forward(normal(DType.F32, 1, 5, 4)))
          .hasMessage("multiheadAttention: x must be [n, length, embed]; x=[5, 4], embed=4");
    }
    assertThatThrownBy(() -> new MultiheadAttention(DEVICE, new Generator(1), 4, 3))
        .hasMessageStartingWith("multiheadAttention: heads and dropout must be a divisor");
  }

  @Test
  void weightsTimesValuesIsAttention() {
    Tensor q = normal(DType.F64, 1, 2, 3, 5);
    Tensor k = normal(DType.F64, 2, 2, 4, 5);
    Tensor v = normal(DType.F64, 3, 2, 4, 6);
    Tensor mask =
        Tensors.of(DEVICE, new long[] {1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0}, 3, 4).to(DType.BOOL);
    for (var options : List.of(D, D.withCausal(true), D.withScale(0.3), D.withMask(mask))) {
      Tensor weights = q.attentionWeights(k, options);
      assertThat(weights.shape()).isEqualTo(Shape.of(2, 3, 4));
      assertClose(
          weights.matmul(v),
          q.scaledDotProductAttention(k, v, options).toDoubleArray(),
          1e-14); // sums of 4 terms below 4
      double[] sums = weights.sum(-1).toDoubleArray();
      for (int i = 0; i < sums.length; i++) {
        boolean empty = options.mask() != null && i % 3 == 1;
        assertThat(sums[i]).isCloseTo(empty ? 0 : 1, within(1e-15));
      }
    }
    assertThat(q.attentionWeights(k, D.withCausal(true)).select(1, 0).toDoubleArray())
        .containsExactly(1, 0, 0, 0, 1, 0, 0, 0);
  }

  @Test
  void weightsRefuseWhatDoesNotFit() {
    Tensor q = normal(DType.F32, 1, 3, 5);
    assertThatThrownBy(() -> q.attentionWeights(normal(DType.F32, 2, 4, 4), D))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "attentionWeights: q and k must be [..., l, e] and [..., s, e]; q=[3, 5], k=[4, 4]");
    assertThatThrownBy(() -> q.attentionWeights(normal(DType.F64, 2, 4, 5), D))
        .hasMessageStartingWith("attentionWeights: q and k must have one floating dtype");
    Tensor mask = Tensors.ones(DEVICE, DType.BOOL, 3, 3);
    assertThatThrownBy(() -> q.attentionWeights(normal(DType.F32, 2, 4, 5), D.withMask(mask)))
        .hasMessageStartingWith("attentionWeights: mask must live with q and be broadcastable");
  }
}
