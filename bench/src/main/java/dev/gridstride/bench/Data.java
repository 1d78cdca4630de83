package dev.gridstride.bench;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Operands for contenders: normally distributed, the same for every contender of a case. */
final class Data {
  private Data() {}

  static float[] floats(int n, long seed) {
    var random = new SplittableRandom(seed);
    var x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  static double[] doubles(int n, long seed) {
    float[] x = floats(n, seed);
    var d = new double[n];
    for (int i = 0; i < n; i++) {
      d[i] = x[i];
    }
    return d;
  }

  /** A buffer on the CPU with these values. */
  static Buffer buffer(float[] values) {
    Buffer b = Device.cpu().allocate(4L * values.length);
    b.copyFrom(MemorySegment.ofArray(values));
    return b;
  }

  /** A buffer on the CPU with these values. */
  static Buffer buffer(double[] values) {
    Buffer b = Device.cpu().allocate(8L * values.length);
    b.copyFrom(MemorySegment.ofArray(values));
    return b;
  }

  static float[] floats(Buffer b) {
    return b.segment().toArray(ValueLayout.JAVA_FLOAT);
  }

  static double[] doubles(Buffer b) {
    return b.segment().toArray(ValueLayout.JAVA_DOUBLE);
  }

  /** The largest difference, relative to the largest expected value. */
  static double error(float[] actual, double[] expected) {
    var d = new double[actual.length];
    for (int i = 0; i < d.length; i++) {
      d[i] = actual[i];
    }
    return error(d, expected);
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
