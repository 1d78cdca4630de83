package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The running mean and variance of a batch normalization, where they are kept. */
final class NormAverages {
  private final Elements type;
  private final long count;
  private @Nullable MemorySegment means;
  private @Nullable MemorySegment variances;
  private double momentum;

  NormAverages(NormShape shape) {
    this.type = Elements.of(shape.type() == DType.F64 ? DType.F64 : DType.F32);
    this.count = shape.count();
  }

  void open(@Nullable MemorySegment means, @Nullable MemorySegment variances, double momentum) {
    this.means = means;
    this.variances = variances;
    this.momentum = momentum;
  }

  void close() {
    means = null;
    variances = null;
  }

  /** Takes in the mean of a channel and the sum of the squared deviations from it. */
  void add(int channel, double mean, double squares) {
    if (means != null && variances != null && count > 0) {
      move(means, channel, mean);
      move(variances, channel, squares / Math.max(1, count - 1));
    }
  }

  private void move(MemorySegment average, int i, double value) {
    double before = type.get(average, i);
    type.set(average, i, (1 - momentum) * before + momentum * value);
  }
}
