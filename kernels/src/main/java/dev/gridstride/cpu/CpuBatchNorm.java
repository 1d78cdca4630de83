package dev.gridstride.cpu;

import static dev.gridstride.cpu.CpuNorm.segment;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.BatchNorm;
import org.jspecify.annotations.Nullable;

/** Batch normalization by channels. */
public final class CpuBatchNorm implements BatchNorm.Kernel {
  private final NormChannels channels;
  private final Reuse<NormStatistics> statistics;
  private final Reuse<NormAverages> averages;

  /** A kernel for {@code op}. */
  public CpuBatchNorm(BatchNorm op) {
    NormShape shape = NormShape.of(op);
    this.channels = new NormChannels(shape);
    this.statistics = new Reuse<>(() -> new NormStatistics(shape));
    this.averages = new Reuse<>(() -> new NormAverages(shape));
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
    NormStatistics stats = statistics.take();
    NormAverages moved = averages.take();
    stats.open(segment(mean), segment(rstd));
    moved.open(segment(runningMean), segment(runningVar), momentum);
    channels.forward(
        x.pinnedSegment(), segment(gamma), segment(beta), y.pinnedSegment(), stats, moved);
    moved.close();
    averages.give(moved);
    give(stats);
  }

  private void give(NormStatistics stats) {
    stats.close();
    statistics.give(stats);
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
    NormStatistics stats = statistics.take();
    stats.freeze(mean.pinnedSegment(), variance.pinnedSegment());
    channels.apply(x.pinnedSegment(), segment(gamma), segment(beta), y.pinnedSegment(), stats);
    give(stats);
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
    NormStatistics stats = statistics.take();
    stats.read(segment(mean), rstd.pinnedSegment());
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
    NormStatistics stats = statistics.take();
    stats.freeze(mean.pinnedSegment(), variance.pinnedSegment());
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
        x.pinnedSegment(),
        segment(gamma),
        dy.pinnedSegment(),
        segment(dx),
        segment(dgamma),
        segment(dbeta));
    give(stats);
  }
}
