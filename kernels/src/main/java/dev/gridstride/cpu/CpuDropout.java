package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Dropout;
import java.lang.foreign.MemorySegment;

/** Dropout by pieces of words that stay in the first-level cache. */
public final class CpuDropout implements Dropout.Kernel {
  private final Dropout op;
  private final long threshold;
  private final Elements elements;

  /** A kernel for {@code op}. */
  public CpuDropout(Dropout op) {
    this.op = op;
    this.threshold = op.threshold();
    this.elements = Elements.of(op.type());
  }

  @Override
  public void run(Stream stream, long seed, long offset, Buffer x, Buffer y) {
    MemorySegment xs = x.pinnedSegment();
    MemorySegment ys = y.pinnedSegment();
    if (threshold > 0xFFFFFFFFL) {
      ys.asSlice(0, op.type().bytes(op.count())).fill((byte) 0);
    } else if (op.type() == DType.F32) {
      float scale = (float) op.scale();
      RandomWords.forEach(
          seed,
          offset,
          op.count(),
          1,
          (words, skip, i, n) ->
              RandomWords.LOOPS.dropout(
                  words, 4L * skip, (int) threshold, scale, xs, ys, 4 * i, n));
    } else {
      double scale = op.type() == DType.F64 ? op.scale() : (float) op.scale();
      RandomWords.forEach(
          seed,
          offset,
          op.count(),
          1,
          (words, skip, i, n) -> {
            for (int k = 0; k < n; k++) {
              long word = words.getAtIndex(JAVA_INT, skip + k) & 0xFFFFFFFFL;
              double v = word < threshold ? 0 : elements.get(xs, i + k) * scale;
              // the product of two f32 is exact in double: one rounding to f32, one to 16 bits
              elements.set(ys, i + k, op.type() == DType.F64 ? v : (float) v);
            }
          });
    }
  }
}
