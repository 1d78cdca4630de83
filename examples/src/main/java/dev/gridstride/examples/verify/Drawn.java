package dev.gridstride.examples.verify;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import java.util.Map;

/** Checks what can be checked of random outputs: that of dropout. */
final class Drawn {
  /** Standard deviations that a share may lie away from its probability. */
  private static final double SPREAD = 5;

  private Drawn() {}

  /** Compares the kind of the values and the share of those that were left out. */
  static void check(Case c, Map<String, Tensor> values, Comparison comparison) {
    Case.Step node = c.nodes().getFirst();
    if (!node.op().equals("Dropout")) {
      return;
    }
    Tensor input = value(values, node.inputs().getFirst());
    Tensor output = value(values, node.outputs().getFirst());
    double ratio = ratio(node, values);
    boolean trains =
        c.opset("") < 12
            ? c.opset("") < 7
            : node.inputs().size() > 2 && value(values, node.inputs().get(2)).item() != 0;
    if (!trains) {
      comparison.compare(node.outputs().getFirst(), output, input, input.dtype());
      return;
    }
    double[] x = input.toDoubleArray();
    double[] y = output.toDoubleArray();
    double[] mask =
        node.outputs().size() > 1 && values.containsKey(node.outputs().get(1))
            ? value(values, node.outputs().get(1)).toDoubleArray()
            : null;
    long dropped = 0;
    for (int i = 0; i < x.length; i++) {
      boolean kept = mask == null ? y[i] != 0 || x[i] == 0 : mask[i] != 0;
      dropped += kept ? 0 : 1;
      double expected = kept ? x[i] / (1 - ratio) : 0;
      // one rounding of the factor, one of the product
      double tolerance = 4 * epsilon(input.dtype()) * Math.abs(expected);
      if (!(Math.abs(y[i] - expected) <= tolerance)) {
        comparison.mistake("element %d is %s, expected %s", i, y[i], expected);
      }
    }
    double spread = Math.sqrt(x.length * ratio * (1 - ratio));
    if (Math.abs(dropped - ratio * x.length) > SPREAD * spread) {
      comparison.mistake("%d of %d elements were set to 0 with ratio %s", dropped, x.length, ratio);
    }
  }

  private static double ratio(Case.Step node, Map<String, Tensor> values) {
    if (node.inputs().size() > 1 && !node.inputs().get(1).isEmpty()) {
      return value(values, node.inputs().get(1)).item();
    }
    return node.attributes().get("ratio") instanceof Double d ? d : 0.5;
  }

  private static double epsilon(DType type) {
    return switch (type) {
      case F64 -> 0x1p-52;
      case F32 -> 0x1p-23;
      case F16 -> 0x1p-10;
      default -> 0x1p-7;
    };
  }

  private static Tensor value(Map<String, Tensor> values, String name) {
    Tensor x = values.get(name);
    if (x == null) {
      throw new IllegalStateException("no value " + name);
    }
    return x;
  }
}
