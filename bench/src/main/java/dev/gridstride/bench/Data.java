package dev.gridstride.bench;

import java.util.SplittableRandom;

/** Numbers for operands: normally distributed, the same for every contender of a case. */
public final class Data {
  private Data() {}

  static float[] floats(int n, long seed) {
    var random = new SplittableRandom(seed);
    var x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** As doubles. */
  public static double[] widened(float[] x) {
    var d = new double[x.length];
    for (int i = 0; i < d.length; i++) {
      d[i] = x[i];
    }
    return d;
  }

  /** bf16 as doubles. */
  public static double[] widened(short[] x) {
    var d = new double[x.length];
    for (int i = 0; i < d.length; i++) {
      d[i] = Float.intBitsToFloat(x[i] << 16);
    }
    return d;
  }

  /** The upper halves of floats: exact for floats that {@link #roundToBf16} has rounded. */
  public static short[] bf16(float[] x) {
    var s = new short[x.length];
    for (int i = 0; i < s.length; i++) {
      s[i] = (short) (Float.floatToRawIntBits(x[i]) >>> 16);
    }
    return s;
  }

  /** Cuts the numbers to bf16, in place: all contenders then start from the same ones. */
  static float[] roundToBf16(float[] x) {
    for (int i = 0; i < x.length; i++) {
      x[i] = Float.intBitsToFloat(Float.floatToRawIntBits(x[i]) & 0xffff0000);
    }
    return x;
  }

  /** The largest difference, relative to the largest expected value; NaN when any is NaN. */
  static double error(double[] actual, double[] expected) {
    double scale = 0;
    double worst = actual.length == expected.length ? 0 : Double.NaN;
    for (int i = 0; i < expected.length && !Double.isNaN(worst); i++) {
      double difference = Math.abs(actual[i] - expected[i]);
      worst = difference > worst || Double.isNaN(difference) ? difference : worst;
      scale = Math.max(scale, Math.abs(expected[i]));
    }
    return scale == 0 ? worst : worst / scale;
  }
}
