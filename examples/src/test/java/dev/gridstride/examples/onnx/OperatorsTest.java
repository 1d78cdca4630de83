package dev.gridstride.examples.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.UnsupportedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Forms of operators that the bundled cases do not show, above all those of older operator sets;
 * expected values are worked out by hand from the definitions.
 */
class OperatorsTest {
  private static final Device CPU = Device.cpu();
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  /** Attributes by name and value in turns; inputs may be null. */
  private static List<Tensor> run(
      String op, long opset, int outputs, Object[] attributes, Tensor... in) {
    var map = new HashMap<String, Object>();
    for (int i = 0; i < attributes.length; i += 2) {
      map.put((String) attributes[i], attribute(attributes[i + 1]));
    }
    List<String> names = new ArrayList<>();
    for (int i = 0; i < outputs; i++) {
      names.add("y" + i);
    }
    return Operators.run(new Node(op, "", opset, CPU, Arrays.asList(in), names, map));
  }

  private static Object attribute(Object value) {
    return switch (value) {
      case Number n -> n.doubleValue();
      case long[] list -> Arrays.stream(list).asDoubleStream().boxed().toList();
      default -> value;
    };
  }

  private static Tensor one(String op, long opset, Object[] attributes, Tensor... in) {
    return run(op, opset, 1, attributes, in).getFirst();
  }

  private static Object[] with(Object... attributes) {
    return attributes;
  }

  private static long[] list(long... values) {
    return values;
  }

  private static Tensor f(double[] values, long... dims) {
    return Tensors.of(CPU, values, dims).to(DType.F32);
  }

  private static Tensor v(double... values) {
    return Tensors.of(CPU, values, values.length).to(DType.F32);
  }

  private static Tensor i(long... values) {
    return Tensors.of(CPU, values, values.length);
  }

  private static Tensor arange(long... dims) {
    return Tensors.arange(CPU, DType.F32, Shape.of(dims).count()).reshape(dims);
  }

  private static void assertIs(Tensor actual, long[] dims, double... expected) {
    assertThat(actual.shape()).isEqualTo(Shape.of(dims));
    double[] values = actual.toDoubleArray();
    assertThat(values).hasSize(expected.length);
    for (int k = 0; k < values.length; k++) {
      if (Double.isNaN(expected[k])) {
        assertThat(values[k]).isNaN();
      } else {
        // f32 results near 1
        assertThat(values[k]).as("element %d", k).isCloseTo(expected[k], within(1e-6));
      }
    }
  }

  @Test
  void softmaxOfAMatrixBeforeSet13() {
    Tensor x = v(0, 0, 0, 0, Math.log(2), 0).reshape(1, 2, 3);
    assertIs(
        one("Softmax", 11, with(), x),
        list(1, 2, 3),
        1 / 7.,
        1 / 7.,
        1 / 7.,
        1 / 7.,
        2 / 7.,
        1 / 7.);
    assertIs(one("Softmax", 13, with(), x), list(1, 2, 3), 1 / 3., 1 / 3., 1 / 3., .25, .5, .25);
    assertIs(one("Hardmax", 11, with(), x), list(1, 2, 3), 0, 0, 0, 0, 1, 0);
    assertIs(one("Hardmax", 13, with("axis", 1), x), list(1, 2, 3), 1, 0, 1, 0, 1, 0);
    Tensor flat = one("LogSoftmax", 11, with("axis", 0), x);
    assertIs(flat.exp(), list(1, 2, 3), 1 / 7., 1 / 7., 1 / 7., 1 / 7., 2 / 7., 1 / 7.);
  }

  @Test
  void boundsAsAttributes() {
    assertIs(one("Clip", 6, with("min", -1, "max", 1.5), v(-2, 0, 2)), list(3), -1, 0, 1.5);
    assertIs(one("Clip", 6, with("max", 1), v(-2, 2)), list(2), -2, 1);
    assertIs(
        one("Clip", 13, with(), v(-2, 0, 3), v(2).reshape(), v(1).reshape()), list(3), 1, 1, 1);
    assertIs(one("Clip", 13, with(), v(-2, 3), null, v(1).reshape()), list(2), -2, 1);
    Tensor far = one("Clip", 13, with(), i(Long.MIN_VALUE, 5), i(Long.MIN_VALUE + 1).reshape());
    assertThat(far.toLongArray()).containsExactly(Long.MIN_VALUE + 1, 5);
  }

  @Test
  void slicesOfEverySet() {
    Tensor x = arange(4, 3);
    Object[] old = with("starts", list(1, 0), "ends", list(1000, -1), "axes", list(0, 1));
    assertIs(one("Slice", 1, old, x), list(3, 2), 3, 4, 6, 7, 9, 10);
    assertIs(
        one("Slice", 13, with(), x, i(-1), i(Long.MIN_VALUE), i(0), i(-2)),
        list(2, 3),
        9,
        10,
        11,
        3,
        4,
        5);
    assertIs(one("Slice", 13, with(), x, i(0, 2), i(0, 2)), list(0, 0));
    assertIs(one("Slice", 13, with(), x, i(1), i(3), i(-1), i(5)), list(4, 1), 1, 4, 7, 10);
    assertIs(one("Slice", 13, with(), v(0, 1, 2), i(5), i(-9), i(0), i(-1)), list(3), 2, 1, 0);
    assertIs(one("Slice", 13, with(), v(0, 1, 2), i(0), i(3), i(0), i(Long.MAX_VALUE)), list(1), 0);
    assertIs(
        one("Slice", 13, with(), v(0, 1, 2), i(-1), i(-9), i(0), i(Long.MIN_VALUE)), list(1), 2);
  }

  @Test
  void bordersOfEverySet() {
    Object[] old = with("pads", list(1, 0), "value", 9, "mode", "constant");
    assertIs(one("Pad", 2, old, v(1, 2)), list(3), 9, 1, 2);
    assertIs(one("Pad", 13, with(), v(1, 2), i(0, 1), v(7).reshape()), list(3), 1, 2, 7);
    assertIs(one("Pad", 13, with(), v(1, 2, 3), i(-1, 0)), list(2), 2, 3);
    Tensor x = arange(2, 3);
    assertIs(
        one("Pad", 18, with(), x, i(0, 1), null, i(-2)), list(3, 3), 0, 1, 2, 3, 4, 5, 0, 0, 0);
    assertIs(
        one("Pad", 13, with("mode", "reflect"), v(1, 2, 3), i(2, 1)), list(6), 3, 2, 1, 2, 3, 2);
    assertIs(one("Pad", 13, with("mode", "edge"), v(1, 2), i(2, 1)), list(5), 1, 1, 1, 2, 2);
    assertIs(one("Pad", 19, with("mode", "wrap"), v(1, 2, 3), i(1, 2)), list(6), 3, 1, 2, 3, 1, 2);
    // wider than the tensor
    assertIs(one("Pad", 19, with("mode", "wrap"), v(1, 2), i(3, 2)), list(7), 2, 1, 2, 1, 2, 1, 2);
    assertIs(
        one("Pad", 19, with("mode", "reflect"), v(1, 2, 3), i(4, 0)), list(7), 1, 2, 3, 2, 1, 2, 3);
    assertThatThrownBy(() -> one("Pad", 13, with("mode", "odd"), v(1), i(0, 0)))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage("Pad: mode must be constant, reflect, edge or wrap");
  }

  @Test
  void shapesOfEverySet() {
    Tensor x = arange(1, 2, 1, 3);
    assertThat(one("Squeeze", 11, with("axes", list(0, -2)), x).shape()).isEqualTo(Shape.of(2, 3));
    assertThat(one("Squeeze", 13, with(), x).shape()).isEqualTo(Shape.of(2, 3));
    assertThat(one("Squeeze", 13, with(), x, i(2)).shape()).isEqualTo(Shape.of(1, 2, 3));
    assertThat(one("Unsqueeze", 11, with("axes", list(2, 0)), arange(2)).shape())
        .isEqualTo(Shape.of(1, 2, 1));
    assertThat(one("Unsqueeze", 13, with(), arange(2), i(-1, -3)).shape())
        .isEqualTo(Shape.of(1, 2, 1));
    assertThat(one("Reshape", 1, with("shape", list(3, -1)), x).shape()).isEqualTo(Shape.of(3, 2));
    assertThat(one("Reshape", 14, with(), x, i(0, -1)).shape()).isEqualTo(Shape.of(1, 6));
    assertThat(one("Reshape", 14, with("allowzero", 1), arange(0, 3), i(3, 0)).shape())
        .isEqualTo(Shape.of(3, 0));
    assertThat(one("Flatten", 13, with("axis", -1), x).shape()).isEqualTo(Shape.of(2, 3));
    assertThat(one("Flatten", 13, with("axis", 4), x).shape()).isEqualTo(Shape.of(6, 1));
    assertThat(one("Flatten", 13, with("axis", 0), arange()).shape()).isEqualTo(Shape.of(1, 1));
    assertIs(one("Tile", 1, with(), v(1, 2), i(2), i(0)), list(4), 1, 2, 1, 2);
    assertIs(one("Transpose", 13, with(), arange(2, 3)), list(3, 2), 0, 3, 1, 4, 2, 5);
    assertIs(one("Expand", 13, with(), v(1, 2).reshape(2, 1), i(1, 2)), list(2, 2), 1, 1, 2, 2);
    assertIs(one("Concat", 1, with(), arange(1, 2), arange(1, 1)), list(1, 3), 0, 1, 0);
    assertThat(one("Shape", 15, with("start", -3, "end", -1), x).toLongArray())
        .containsExactly(2, 1);
    assertThat(one("Size", 13, with(), x).toLongArray()).containsExactly(6);
  }

  @Test
  void splitsOfEverySet() {
    List<Tensor> old = run("Split", 2, 2, with("split", list(1, 2)), v(1, 2, 3));
    assertIs(old.get(1), list(2), 2, 3);
    assertIs(run("Split", 11, 3, with(), v(1, 2, 3)).get(2), list(1), 3);
    List<Tensor> uneven = run("Split", 18, 3, with("num_outputs", 3), v(1, 2, 3, 4, 5, 6, 7));
    assertIs(uneven.get(0), list(3), 1, 2, 3);
    assertIs(uneven.get(2), list(1), 7);
  }

  @Test
  void reductionsOfEverySet() {
    Tensor x = arange(2, 3);
    assertIs(one("ReduceSum", 11, with("axes", list(-1), "keepdims", 0), x), list(2), 3, 12);
    assertIs(one("ReduceSum", 13, with(), x, i(0)), list(1, 3), 3, 5, 7);
    assertIs(one("ReduceMax", 18, with("keepdims", 0), x, i(1)), list(2), 2, 5);
    assertIs(one("ReduceMean", 18, with("keepdims", 0), x), list(), 2.5);
    Object[] none = with("noop_with_empty_axes", 1);
    assertIs(one("ReduceSumSquare", 18, none, v(-2, 3)), list(2), 4, 9);
    assertIs(one("ReduceL1", 18, none, v(-2, 3), i()), list(2), 2, 3);
    assertIs(one("ReduceL2", 18, none, v(-2, 3)), list(2), 2, 3);
    assertIs(one("ReduceLogSum", 18, none, v(1, Math.E)), list(2), 0, 1);
    assertIs(one("ReduceLogSumExp", 18, none, v(-2, 3)), list(2), -2, 3);
    assertIs(one("ReduceProd", 18, with(), v(3).reshape()), list(), 3);
    assertThat(one("ReduceMean", 18, with(), i(1, 2, 6)).toLongArray()).containsExactly(3);
    assertThat(one("ReduceSumSquare", 18, with(), i(1, 2, 6)).toLongArray()).containsExactly(41);
    assertThat(one("ReduceL1", 18, with(), i(1, -2, 6)).toLongArray()).containsExactly(9);
    assertThat(one("ReduceL2", 18, with(), i(3, 4)).toLongArray()).containsExactly(5);
    Tensor truth = Tensors.of(CPU, new long[] {0, 1}).to(DType.BOOL);
    assertThat(one("ReduceMin", 20, with(), truth).dtype()).isEqualTo(DType.BOOL);
    assertThat(one("ReduceMin", 20, with(), truth).toLongArray()).containsExactly(0);
    assertThat(one("ReduceMax", 20, with(), truth.slice(0, 0, 0)).toLongArray()).containsExactly(0);
    assertThat(one("ReduceMin", 20, with(), truth.slice(0, 0, 0)).toLongArray()).containsExactly(1);
  }

  @Test
  void searchesOfEverySet() {
    assertIs(run("TopK", 1, 2, with("k", 2), v(1, 3, 2)).get(0), list(2), 3, 2);
    List<Tensor> least = run("TopK", 11, 2, with("largest", 0), v(1, 3, 2), i(2));
    assertIs(least.get(0), list(2), 1, 2);
    assertThat(least.get(1).toLongArray()).containsExactly(0, 2);
    Object[] last = with("select_last_index", 1, "keepdims", 0);
    assertThat(one("ArgMax", 13, last, v(5, 7, 7, 1)).toLongArray()).containsExactly(2);
    assertThat(one("ArgMin", 13, last, v(5, 1, 7, 1)).toLongArray()).containsExactly(3);
    assertIs(
        one("CumSum", 14, with("exclusive", 1, "reverse", 1), v(1, 2, 4), i(0)), list(3), 6, 4, 0);
    assertIs(one("CumProd", 26, with("exclusive", 1), v(2, 3, 4), i(-1)), list(3), 1, 2, 6);
  }

  @Test
  void broadcastingBeforeSet7() {
    Tensor x = arange(2, 3, 2);
    Tensor y = one("Add", 6, with("broadcast", 1, "axis", 1), x, v(10, 20, 30));
    assertIs(y, list(2, 3, 2), 10, 11, 22, 23, 34, 35, 16, 17, 28, 29, 40, 41);
    assertIs(one("Mul", 6, with("broadcast", 1), v(1, 2), v(3).reshape()), list(2), 3, 6);
    Tensor slope = one("PRelu", 6, with(), x.neg(), v(0, 1, 2)).slice(0, 1, 2);
    assertIs(slope, list(1, 3, 2), 0, 0, -8, -9, -20, -22);
  }

  @Test
  void remainders() {
    assertThat(one("Mod", 13, with(), i(-4, 7, 5, 4, -7, 8), i(2, -3, 8, -2, 3, 5)).toLongArray())
        .containsExactly(0, -2, 5, 0, 2, 3);
    assertThat(
            one("Mod", 13, with("fmod", 1), i(-4, 7, 5, 4, -7, 8), i(2, -3, 8, -2, 3, 5))
                .toLongArray())
        .containsExactly(0, 1, 5, 0, -1, 3);
    assertIs(
        one("Mod", 13, with("fmod", 1), v(-4.3, 7.2, 0.6), v(2.1, -3.4, 0.2f)),
        list(3),
        -0.1,
        0.4,
        0.6f % 0.2f);
    assertThatThrownBy(() -> one("Mod", 13, with(), v(1), v(1)))
        .isInstanceOf(UnsupportedException.class);
  }

  @Test
  void dropoutOfEverySet() {
    List<Tensor> old = run("Dropout", 7, 2, with("ratio", 0.9), v(1, 2));
    assertIs(old.get(0), list(2), 1, 2);
    assertThat(old.get(1).dtype()).isEqualTo(DType.F32);
    assertThat(run("Dropout", 10, 2, with(), v(1, 2)).get(1).dtype()).isEqualTo(DType.BOOL);
    Tensor ones = Tensors.ones(CPU, DType.F32, 4000);
    Tensor yes = Tensors.ones(CPU, DType.BOOL);
    Tensor drawn = one("Dropout", 22, with("seed", 3), ones, v(0.25).reshape(), yes);
    // 5 standard deviations of the share: sqrt(0.25 0.75 / 4000) = 0.0068
    assertThat(drawn.mean().item()).isCloseTo(1, within(0.046));
    assertThat(drawn.toDoubleArray()).containsOnly(0, (float) (1 / 0.75));
    Tensor again = one("Dropout", 22, with("seed", 3), ones, v(0.25).reshape(), yes);
    assertThat(again.toFloatArray()).isEqualTo(drawn.toFloatArray());
  }

  @Test
  void batchNormalizationOfEverySet() {
    Tensor x = f(new double[] {1, 3, 10, 30}, 1, 2, 2);
    Tensor[] in = {x, v(1, 2), v(0, 5), v(2, 20), v(4, 100)};
    Object[] exact = with("epsilon", 0, "momentum", 0.75);
    assertIs(one("BatchNormalization", 15, exact, in), list(1, 2, 2), -.5, .5, 3, 7);
    assertIs(one("BatchNormalization", 9, exact, in), list(1, 2, 2), -.5, .5, 3, 7);
    List<Tensor> old = run("BatchNormalization", 9, 5, exact, in);
    assertIs(old.get(0), list(1, 2, 2), -1, 1, 3, 7);
    assertIs(old.get(1), list(2), 2, 20);
    assertIs(old.get(2), list(2), 3.25, 100);
    assertIs(old.get(4), list(2), 1, 100);
    Object[] training = with("epsilon", 0, "momentum", 0.75, "training_mode", 1);
    assertIs(run("BatchNormalization", 15, 3, training, in).get(2), list(2), 3.25, 100);
    assertThatThrownBy(() -> one("BatchNormalization", 7, with("spatial", 0), in))
        .isInstanceOf(UnsupportedException.class);
  }

  @Test
  void groupParametersBeforeSet21() {
    Tensor x = arange(1, 4, 1);
    Object[] two = with("num_groups", 2, "epsilon", 0);
    assertIs(one("GroupNormalization", 18, two, x, v(1, 2), v(0, 1)), list(1, 4, 1), -1, 1, -1, 3);
    assertIs(
        one("GroupNormalization", 21, two, x, v(1, 2, 3, 4), v(0, 0, 0, 1)),
        list(1, 4, 1),
        -1,
        2,
        -3,
        5);
  }

  @Test
  void layerNormalizationWithBroadcastScale() {
    Tensor x = v(1, 3, 2, 6).reshape(1, 2, 2);
    Object[] exact = with("epsilon", 0);
    List<Tensor> all = run("LayerNormalization", 17, 3, exact, x, v(2, 4), v(1).reshape());
    assertIs(all.get(0), list(1, 2, 2), -1, 5, -1, 5);
    assertIs(all.get(1), list(1, 2, 1), 2, 4);
    assertIs(all.get(2), list(1, 2, 1), 1, .5);
    Tensor whole =
        one("LayerNormalization", 17, with("epsilon", 0, "axis", 1), x, v(2).reshape(1, 1));
    double deviation = Math.sqrt(3.5);
    assertIs(whole, list(1, 2, 2), -4 / deviation, 0, -2 / deviation, 6 / deviation);
  }

  @Test
  void windowsWithAutomaticPadding() {
    Tensor x = v(1, 2, 3, 4).reshape(1, 1, 4);
    Tensor w = v(1, 10).reshape(1, 1, 2);
    assertIs(one("Conv", 11, with("auto_pad", "SAME_UPPER"), x, w), list(1, 1, 4), 21, 32, 43, 4);
    assertIs(one("Conv", 11, with("auto_pad", "SAME_LOWER"), x, w), list(1, 1, 4), 10, 21, 32, 43);
    Object[] valid = with("auto_pad", "VALID", "strides", list(2));
    assertIs(one("Conv", 11, valid, x, w, v(100)), list(1, 1, 2), 121, 143);
    assertIs(one("Conv", 11, with("pads", list(0, 1)), x, w), list(1, 1, 4), 21, 32, 43, 4);
    Object[] pool = with("kernel_shape", list(3), "auto_pad", "SAME_UPPER", "strides", list(2));
    assertIs(one("MaxPool", 12, pool, x), list(1, 1, 2), 3, 4);
    assertIs(one("AveragePool", 19, pool, x), list(1, 1, 2), 2, 3.5);
    assertIs(
        one("LpPool", 18, with("kernel_shape", list(2), "p", 1, "pads", list(1, 0)), x.neg()),
        list(1, 1, 4),
        1,
        3,
        5,
        7);
    Object[] dilated = with("kernel_shape", list(2), "dilations", list(2), "ceil_mode", 1);
    assertIs(one("LpPool", 18, dilated, x), list(1, 1, 2), Math.sqrt(10), Math.sqrt(20));
    assertIs(one("GlobalLpPool", 2, with(), x), list(1, 1, 1), Math.sqrt(30));
  }

  @Test
  void placesOfMaximaInTheWholeTensor() {
    Tensor x = arange(1, 2, 2, 3);
    Object[] window = with("kernel_shape", list(2, 2));
    List<Tensor> rows = run("MaxPool", 12, 2, window, x);
    assertIs(rows.get(0), list(1, 2, 1, 2), 4, 5, 10, 11);
    assertThat(rows.get(1).toLongArray()).containsExactly(4, 5, 10, 11);
    Object[] columns = with("kernel_shape", list(2, 2), "storage_order", 1);
    assertThat(run("MaxPool", 12, 2, columns, x).get(1).toLongArray()).containsExactly(3, 5, 9, 11);
    Tensor bytes = x.to(DType.U8);
    assertThat(one("MaxPool", 12, window, bytes).dtype()).isEqualTo(DType.U8);
  }

  @Test
  void transposedConvolutionOfEveryOutputSize() {
    Tensor x = v(1, 2).reshape(1, 1, 2);
    Tensor w = v(1, 10, 100).reshape(1, 1, 3);
    Object[] strided = with("strides", list(2));
    assertIs(one("ConvTranspose", 11, strided, x, w, v(5)), list(1, 1, 5), 6, 15, 107, 25, 205);
    Object[] cut = with("strides", list(2), "pads", list(1, 0), "output_padding", list(1));
    assertIs(one("ConvTranspose", 11, cut, x, w, v(5)), list(1, 1, 5), 15, 107, 25, 205, 5);
    Object[] upper = with("strides", list(2), "auto_pad", "SAME_UPPER");
    assertIs(one("ConvTranspose", 11, upper, x, w), list(1, 1, 4), 1, 10, 102, 20);
    Object[] lower = with("strides", list(2), "auto_pad", "SAME_LOWER");
    assertIs(one("ConvTranspose", 11, lower, x, w), list(1, 1, 4), 10, 102, 20, 200);
    Object[] shaped = with("strides", list(2), "output_shape", list(7));
    assertIs(one("ConvTranspose", 11, shaped, x, w), list(1, 1, 7), 1, 10, 102, 20, 200, 0, 0);
  }

  @Test
  void oneHotOfAnyIndex() {
    Tensor y = one("OneHot", 11, with(), i(0, -1, 3, -4), i(3), v(-1, 2));
    assertIs(y, list(4, 3), 2, -1, -1, -1, -1, 2, -1, -1, -1, -1, -1, -1);
    Tensor first = one("OneHot", 11, with("axis", 0), v(1, 0), v(2).reshape(), i(0, 1));
    assertThat(first.toLongArray()).containsExactly(0, 1, 1, 0);
    assertThat(first.dtype()).isEqualTo(DType.I64);
  }

  @Test
  void productsOfIntegersAndScaledOnes() {
    Tensor a = i(1, 2, 3, 4).reshape(2, 2);
    assertThat(one("MatMul", 13, with(), a, a).toLongArray()).containsExactly(7, 10, 15, 22);
    assertThat(
            one("Gemm", 13, with("transA", 1, "transB", 1, "alpha", 2.0), a, a, i(1)).toLongArray())
        .containsExactly(15, 31, 21, 45);
    Tensor nan = v(Double.NaN).reshape(1, 1);
    assertIs(
        one("Gemm", 13, with("beta", 0), v(2).reshape(1, 1), v(3).reshape(1, 1), nan),
        list(1, 1),
        6);
  }

  @Test
  void powersOfMixedTypes() {
    Tensor squared = one("Pow", 15, with(), i(3, -2), v(2, 3));
    assertThat(squared.dtype()).isEqualTo(DType.I64);
    assertThat(squared.toLongArray()).containsExactly(9, -8);
    assertIs(
        one("Pow", 15, with(), v(4, 9), Tensors.of(CPU, new double[] {0.5, 0.5})), list(2), 2, 3);
  }

  @Test
  void classesOfLosses() {
    Tensor x = v(-1, -2, -3, -4, -5, -6).reshape(2, 3);
    Tensor t = i(1, 7);
    Object[] ignoring = with("ignore_index", 7, "reduction", "mean");
    assertIs(one("NegativeLogLikelihoodLoss", 13, ignoring, x, t), list(), 2);
    Tensor weights = v(1, 3, 1);
    Object[] sum = with("ignore_index", 7, "reduction", "sum");
    assertIs(one("NegativeLogLikelihoodLoss", 13, sum, x, t, weights), list(), 6);
    assertThatThrownBy(() -> one("NegativeLogLikelihoodLoss", 13, with(), x, t))
        .hasMessageContaining("must be");
    List<Tensor> both =
        run("SoftmaxCrossEntropyLoss", 13, 2, with("reduction", "none"), x.mul(0), i(0, 2));
    assertIs(both.get(0), list(2), Math.log(3), Math.log(3));
    assertIs(both.get(1).exp(), list(2, 3), 1 / 3., 1 / 3., 1 / 3., 1 / 3., 1 / 3., 1 / 3.);
  }

  @Test
  void attentionByPlaces() {
    Tensor q = Tensors.zeros(CPU, DType.F32, 1, 1, 2, 1); // equal scores: means of the values seen
    Tensor k = Tensors.zeros(CPU, DType.F32, 1, 1, 4, 1);
    Tensor values = v(1, 2, 4, 8).reshape(1, 1, 4, 1);
    assertIs(one("Attention", 24, with("is_causal", 1), q, k, values), list(1, 1, 2, 1), 1, 1.5);
    Tensor filled = i(3);
    Tensor[] cached = {q, k, values, null, null, null, filled};
    assertIs(one("Attention", 24, with(), cached), list(1, 1, 2, 1), 7 / 3., 7 / 3.);
    assertIs(one("Attention", 24, with("is_causal", 1), cached), list(1, 1, 2, 1), 1.5, 7 / 3.);
    Tensor[] past = {
      q, k.slice(2, 0, 2), values.slice(2, 2, 4), null, k.slice(2, 0, 2), values.slice(2, 0, 2)
    };
    List<Tensor> all =
        run("Attention", 24, 4, with("is_causal", 1, "qk_matmul_output_mode", 3), past);
    assertIs(all.get(0), list(1, 1, 2, 1), 7 / 3., 15 / 4.);
    assertIs(all.get(2), list(1, 1, 4, 1), 1, 2, 4, 8);
    assertIs(all.get(3), list(1, 1, 2, 4), 1 / 3., 1 / 3., 1 / 3., 0, .25, .25, .25, .25);
    Object[] window = with("left_window_size", 1, "right_window_size", 0);
    assertIs(one("Attention", 25, window, past), list(1, 1, 2, 1), 3, 6);
    Tensor nobody = Tensors.zeros(CPU, DType.BOOL, 2, 4);
    assertIs(one("Attention", 23, with(), q, k, values, nobody), list(1, 1, 2, 1), 0, 0);
    Tensor shorter = v(0, 0).reshape(1, 2);
    assertIs(one("Attention", 23, with(), q, k, values, shorter), list(1, 1, 2, 1), 1.5, 1.5);
    assertThatThrownBy(() -> one("Attention", 23, with("qk_matmul_output_mode", 4), q, k, values))
        .isInstanceOf(UnsupportedException.class);
  }

  @Test
  void rotatesAPartOfEachHead() {
    Tensor x = v(1, 2, 3, 4, 5, 6, 7, 8).reshape(1, 1, 8); // two heads of 4
    Tensor cos = v(0).reshape(1, 1);
    Tensor sin = v(1).reshape(1, 1);
    Object[] half = with("num_heads", 2, "rotary_embedding_dim", 2);
    Tensor y = one("RotaryEmbedding", 23, half, x, cos, sin, i(0).reshape(1, 1));
    assertIs(y, list(1, 1, 8), -2, 1, 3, 4, -6, 5, 7, 8);
  }

  @Test
  void optimizersOfSeveralTensors() {
    Tensor rate = v(0.1).reshape();
    Tensor first = Tensors.of(CPU, new long[] {0}).reshape();
    Object[] attributes = with("alpha", 0.5, "beta", 7, "norm_coefficient", 0, "mode", "standard");
    List<Tensor> out =
        run("Momentum", 1, 4, attributes, rate, first, v(1), v(2), v(10), v(20), v(4), v(8));
    assertIs(out.get(0), list(1), 1 - 1.2);
    assertIs(out.get(1), list(1), 2 - 2.4);
    assertIs(out.get(2), list(1), 12);
    assertIs(out.get(3), list(1), 24);
  }

  @Test
  void namesWhatIsNotOffered() {
    assertThat(Operators.names()).contains("Gemm", "Attention", "Adam").hasSizeGreaterThan(100);
    assertThatThrownBy(() -> one("Nothing", 1, with(), v(1)))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage("there is no operator Nothing of domain ''");
    var foreign = new Node("Relu", "com.other", 1, CPU, List.of(v(1)), List.of("y"), Map.of());
    assertThatThrownBy(() -> Operators.run(foreign)).hasMessageContaining("domain 'com.other'");
    assertThatThrownBy(() -> one("Gemm", 13, with(), v(1)))
        .hasMessage("Gemm: input 1 must be there");
    assertThatThrownBy(() -> one("Cast", 13, with("to", 3), v(1)))
        .hasMessageContaining("no element type with the number 3");
  }
}
