package dev.gridstride.cpu.vector;

import java.util.Map;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;

/** The functions of {@link VectorMath} on arrays, by name; linked only when it is used. */
final class VectorFunctions {
  static final float TRIGONOMETRIC_LIMIT = VectorMath.TRIGONOMETRIC_LIMIT;

  private static final FloatVector ONE = FloatVector.broadcast(VectorMath.F, 1);

  private static final Map<String, UnaryOperator<FloatVector>> FUNCTIONS =
      Map.ofEntries(
          Map.entry("exp", VectorMath::exp),
          Map.entry("expFlushed", VectorMath::expFlushed),
          Map.entry("expm1", VectorMath::expm1),
          Map.entry("log", VectorMath::log),
          Map.entry("log1p", VectorMath::log1p),
          Map.entry("tanh", VectorMath::tanh),
          Map.entry("sigmoid", VectorMath::sigmoid),
          Map.entry("softplus", VectorMath::softplus),
          Map.entry("erf", VectorMath::erf),
          Map.entry("normalCdf", VectorMath::normalCdf),
          Map.entry("sin", VectorMath::sin),
          Map.entry("cos", VectorMath::cos),
          Map.entry("max1", x -> VectorMath.max(ONE, x)),
          Map.entry("min1", x -> VectorMath.min(ONE, x)));

  private VectorFunctions() {}

  static float[] apply(String name, float[] x) {
    UnaryOperator<FloatVector> f = FUNCTIONS.get(name);
    int lanes = VectorMath.F.length();
    var y = new float[x.length];
    for (int i = 0; i < x.length; i += lanes) {
      var m = VectorMath.F.indexInRange(i, x.length);
      f.apply(FloatVector.fromArray(VectorMath.F, x, i, m)).intoArray(y, i, m);
    }
    return y;
  }
}
