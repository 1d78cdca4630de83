package dev.gridstride.cpu;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.GroupNorm;
import dev.gridstride.kernels.LayerNorm;
import dev.gridstride.kernels.NormKernel;
import dev.gridstride.kernels.RmsNorm;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Layer, root-mean-square and group normalization: by rows, or by channels of images. */
public final class CpuNorm implements NormKernel {
  private final @Nullable NormRows rows;
  private final @Nullable NormChannels channels;
  private final Reuse<NormStatistics> statistics;

  private CpuNorm(NormShape shape) {
    this.rows = shape.isRows() ? new NormRows(shape) : null;
    this.channels = shape.isRows() ? null : new NormChannels(shape);
    this.statistics = new Reuse<>(() -> new NormStatistics(shape));
  }

  /** A kernel for {@code op}. */
  public static CpuNorm of(LayerNorm op) {
    return new CpuNorm(NormShape.of(op));
  }

  /** A kernel for {@code op}. */
  public static CpuNorm of(RmsNorm op) {
    return new CpuNorm(NormShape.of(op));
  }

  /** A kernel for {@code op}. */
  public static CpuNorm of(GroupNorm op) {
    return new CpuNorm(NormShape.of(op));
  }

  @Override
  public String details() {
    return channels == null ? "contiguous rows" : channels.details();
  }

  static @Nullable MemorySegment segment(@Nullable Buffer buffer) {
    return buffer == null ? null : buffer.pinnedSegment();
  }

  @Override
  public void forward(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer beta,
      Buffer y,
      @Nullable Buffer mean,
      @Nullable Buffer rstd) {
    NormStatistics stats = statistics.take();
    stats.open(segment(mean), segment(rstd));
    MemorySegment xs = x.pinnedSegment();
    MemorySegment g = segment(gamma);
    MemorySegment b = segment(beta);
    if (rows != null) {
      rows.forward(xs, g, b, y.pinnedSegment(), stats);
    } else if (channels != null) {
      channels.forward(xs, g, b, y.pinnedSegment(), stats, null);
    }
    stats.close();
    statistics.give(stats);
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
    MemorySegment xs = x.pinnedSegment();
    MemorySegment g = segment(gamma);
    MemorySegment dys = dy.pinnedSegment();
    MemorySegment dxs = segment(dx);
    MemorySegment dg = segment(dgamma);
    MemorySegment db = segment(dbeta);
    if (rows != null) {
      rows.backward(stats, xs, g, dys, dxs, dg, db);
    } else if (channels != null) {
      channels.backward(stats, false, xs, g, dys, dxs, dg, db);
    }
    stats.close();
    statistics.give(stats);
  }
}
