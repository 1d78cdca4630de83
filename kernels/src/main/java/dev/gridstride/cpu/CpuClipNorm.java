package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.ClipNorm;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The norm by chunks of 16K elements with four sums each, added in order; then one scaling. */
public final class CpuClipNorm implements ClipNorm.Kernel {
  private static final long CHUNK = 1 << 14;

  private final ClipNorm op;

  /** A kernel for {@code op}. */
  public CpuClipNorm(ClipNorm op) {
    this.op = op;
  }

  @Override
  public double clip(Stream stream, List<Buffer> grads) {
    double norm = norm(grads);
    double factor = factor(norm);
    if (factor != 1) {
      boolean f32 = op.type() == DType.F32;
      MemorySegment[] memory = segments(grads);
      chunks(memory).forEach((c, i, from, to) -> scale(memory[i], from, to, factor, f32));
    }
    return norm;
  }

  @Override
  public void clip(Stream stream, List<Buffer> grads, Buffer norm) {
    norm.pinnedSegment().set(JAVA_DOUBLE_UNALIGNED, 0, clip(stream, grads));
  }

  /** The norm of all gradients together. */
  double norm(List<Buffer> grads) {
    boolean f32 = op.type() == DType.F32;
    MemorySegment[] memory = segments(grads);
    Chunks chunks = chunks(memory);
    var parts = new double[chunks.count()];
    chunks.forEach((c, i, from, to) -> parts[c] = squares(memory[i], from, to, f32));
    double sum = 0;
    for (double p : parts) {
      sum += p;
    }
    return Math.sqrt(sum);
  }

  /** What clips a norm; 1 when there is no limit, whatever the norm. */
  double factor(double norm) {
    return op.maxNorm() == Double.POSITIVE_INFINITY ? 1 : Math.min(1, op.maxNorm() / (norm + 1e-6));
  }

  private static MemorySegment[] segments(List<Buffer> grads) {
    return grads.stream().map(Buffer::segment).toArray(MemorySegment[]::new);
  }

  private Chunks chunks(MemorySegment[] memory) {
    var chunks = new Chunks(CHUNK, memory.length);
    for (MemorySegment m : memory) {
      chunks.add(m.byteSize() / op.type().bytes());
    }
    return chunks;
  }

  private static double squares(MemorySegment g, long from, long to, boolean f32) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    long i = from;
    for (; i <= to - 4; i += 4) {
      double p = get(g, i, f32);
      double q = get(g, i + 1, f32);
      double r = get(g, i + 2, f32);
      double s = get(g, i + 3, f32);
      a += p * p;
      b += q * q;
      c += r * r;
      d += s * s;
    }
    for (; i < to; i++) {
      double p = get(g, i, f32);
      a += p * p;
    }
    return (a + b) + (c + d);
  }

  private static double get(MemorySegment g, long i, boolean f32) {
    return f32 ? g.get(JAVA_FLOAT_UNALIGNED, 4 * i) : g.get(JAVA_DOUBLE_UNALIGNED, 8 * i);
  }

  private static void scale(MemorySegment g, long from, long to, double factor, boolean f32) {
    for (long i = from; i < to; i++) {
      if (f32) {
        g.set(JAVA_FLOAT_UNALIGNED, 4 * i, (float) (g.get(JAVA_FLOAT_UNALIGNED, 4 * i) * factor));
      } else {
        g.set(JAVA_DOUBLE_UNALIGNED, 8 * i, g.get(JAVA_DOUBLE_UNALIGNED, 8 * i) * factor);
      }
    }
  }
}
