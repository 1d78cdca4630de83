package dev.gridstride.cpu.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.SoftmaxLoops;
import java.lang.foreign.MemorySegment;

/** Softmax rows in plain Java; sums in double. */
public final class ScalarSoftmaxLoops implements SoftmaxLoops {
  @Override
  public void forward(MemorySegment x, MemorySegment y, int size, boolean log) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < size; i++) {
      max = Math.max(max, x.getAtIndex(JAVA_FLOAT_UNALIGNED, i));
    }
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += Math.exp(x.getAtIndex(JAVA_FLOAT_UNALIGNED, i) - max);
    }
    double logSum = Math.log(sum);
    for (int i = 0; i < size; i++) {
      double d = (double) x.getAtIndex(JAVA_FLOAT_UNALIGNED, i) - max;
      y.setAtIndex(JAVA_FLOAT_UNALIGNED, i, (float) (log ? d - logSum : Math.exp(d) / sum));
    }
  }

  @Override
  public void backward(MemorySegment y, MemorySegment dy, MemorySegment dx, int size, boolean log) {
    double sum = 0;
    for (int i = 0; i < size; i++) {
      double g = dy.getAtIndex(JAVA_FLOAT_UNALIGNED, i);
      sum += log ? g : g * y.getAtIndex(JAVA_FLOAT_UNALIGNED, i);
    }
    for (int i = 0; i < size; i++) {
      double g = dy.getAtIndex(JAVA_FLOAT_UNALIGNED, i);
      double v = y.getAtIndex(JAVA_FLOAT_UNALIGNED, i);
      dx.setAtIndex(JAVA_FLOAT_UNALIGNED, i, (float) (log ? g - Math.exp(v) * sum : v * (g - sum)));
    }
  }
}
