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
  private final NormShape shape;
  private final @Nullable NormRows rows;
  private final @Nullable NormChannels channels;

  private CpuNorm(NormShape shape) {
    this.shape = shape;
    this.rows = shape.isRows() ? new NormRows(shape) : null;
    this.channels = shape.isRows() ? null : new NormChannels(shape);
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
    return buffer == null ? null : buffer.segment();
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
    MemorySegment xs = x.segment();
    MemorySegment g = segment(gamma);
    MemorySegment b = segment(beta);
    MemorySegment ys = y.segment();
    var stats = new NormStatistics(shape, segment(mean), segment(rstd));
    if (rows != null) {
      rows.forward(xs, g, b, ys, stats);
    } else if (channels != null) {
      long count = Math.max(1, shape.count());
      channels.measure(xs, (i, average, squares) -> stats.set(i, average, squares / count));
      channels.apply(xs, g, b, ys, stats);
    }
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
    MemorySegment xs = x.segment();
    MemorySegment g = segment(gamma);
    MemorySegment dys = dy.segment();
    MemorySegment dxs = segment(dx);
    MemorySegment dg = segment(dgamma);
    MemorySegment db = segment(dbeta);
    if (rows != null) {
      rows.backward(stats, xs, g, dys, dxs, dg, db);
    } else if (channels != null) {
      channels.backward(stats, false, xs, g, dys, dxs, dg, db);
    }
  }
}
