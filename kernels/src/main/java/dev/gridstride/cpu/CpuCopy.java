package dev.gridstride.cpu;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Copy;
import dev.gridstride.kernels.Layout;

/** Copies by {@link StridedCopy}. */
public final class CpuCopy implements Copy.Kernel {
  private final StridedCopy copy;

  /** A kernel for {@code op}. */
  public CpuCopy(Copy op) {
    Layout from = op.from();
    long[] steps = from.strides();
    long first = 0;
    for (int i = 0; i < steps.length && from.count() > 0; i++) {
      if ((op.reversed() >>> i & 1) != 0) {
        first += (from.dim(i) - 1) * steps[i];
        steps[i] = -steps[i];
      }
    }
    this.copy =
        new StridedCopy(
            op.fromType(), first, steps, op.toType(), op.to().strides(), op.from().dims());
  }

  @Override
  public String details() {
    return copy.toString();
  }

  @Override
  public void run(Stream stream, Buffer x, Buffer y) {
    copy.run(x.pinnedSegment(), y.pinnedSegment());
  }
}
