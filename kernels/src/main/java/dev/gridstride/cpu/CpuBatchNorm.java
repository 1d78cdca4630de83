package dev.gridstride.cpu;

import static dev.gridstride.cpu.CpuNorm.segment;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.BatchNorm;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Batch normalization by channels. */
public final class CpuBatchNorm implements BatchNorm.Kernel {
  private final NormShape shape;
  private final NormChannels channels;
  private final Elements statistics;

  /** A kernel for {@code op}. */
  public CpuBatchNorm(BatchNorm op) {
    this.shape = NormShape.of(op);
    this.channels = new NormChannels(shape);
    this.statistics = Elements.of(op.statType());
  }

  @Override
  public String details() {
    return channels.details();
  }

  @Override
  public void forward(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer beta,
      Buffer y,
      @Nullable Buffer mean,
      @Nullable Buffer rstd,
      @Nullable Buffer runningMean,
      @Nullable Buffer runningVar,
      double momentum) {
    var stats = new NormStatistics(shape, segment(mean), segment(rstd));
    MemorySegment means = segment(runningMean);
    MemorySegment variances = segment(runningVar);
    long count = shape.count();
    channels.measure(
        x.segment(),
        (i, average, squares) -> {
          stats.set(i, average, squares / Math.max(1, count));
          if (means != null && variances != null && count > 0) {
            move(means, i, average, momentum);
            move(variances, i, squares / Math.max(1, count - 1), momentum);
          }
        });
    channels.apply(x.segment(), segment(gamma), segment(beta), y.segment(), stats);
  }

  private void move(MemorySegment average, int i, double value, double momentum) {
    double before = statistics.get(average, i);
    statistics.set(average, i, (1 - momentum) * before + momentum * value);
  }

  @Override
  public void inference(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer beta,
      Buffer mean,
      Buffer variance,
      Buffer y) {
    var stats = NormStatistics.frozen(shape, mean.segment(), variance.segment());
    channels.apply(x.segment(), segment(gamma), segment(beta), y.segment(), stats);
  }

  @Override
  public void backward(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer mean,
      Buffer rstd,
      Buffer dy,
      @Nullable Buffer dx,
      @Nullable Buffer dgamma,
      @Nullable Buffer dbeta) {
    var stats = new NormStatistics(shape, segment(mean), rstd.segment()).read();
    gradients(stats, false, x, gamma, dy, dx, dgamma, dbeta);
  }

  @Override
  public void inferenceBackward(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      Buffer mean,
      Buffer variance,
      Buffer dy,
      @Nullable Buffer dx,
      @Nullable Buffer dgamma,
      @Nullable Buffer dbeta) {
    var stats = NormStatistics.frozen(shape, mean.segment(), variance.segment());
    gradients(stats, true, x, gamma, dy, dx, dgamma, dbeta);
  }

  private void gradients(
      NormStatistics stats,
      boolean frozen,
      Buffer x,
      @Nullable Buffer gamma,
      Buffer dy,
      @Nullable Buffer dx,
      @Nullable Buffer dgamma,
      @Nullable Buffer dbeta) {
    channels.backward(
        stats,
        frozen,
        x.segment(),
        segment(gamma),
        dy.segment(),
        segment(dx),
        segment(dgamma),
        segment(dbeta));
  }
}
