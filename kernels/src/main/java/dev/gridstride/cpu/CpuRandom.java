package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Random;
import dev.gridstride.kernels.Random.Distribution;
import java.lang.foreign.MemorySegment;

/** Random numbers: words first, then what is made of them, in place; then stored in the type. */
public final class CpuRandom implements Random.Kernel {
  private static final Scratch VALUES = new Scratch();

  private final Random op;
  private final DType type;

  /** A kernel for {@code op}. */
  public CpuRandom(Random op) {
    this.op = op;
    this.type = op.type();
  }

  @Override
  public void run(Stream stream, long seed, long offset, Buffer y) {
    MemorySegment ys = y.pinnedSegment();
    RandomWords.Body body =
        switch (op.distribution()) {
          case Distribution.Uniform d -> type == DType.F64 ? uniform64(d, ys) : uniform32(d, ys);
          case Distribution.Normal d -> type == DType.F64 ? normal64(d, ys) : normal32(d, ys);
          case Distribution.Bernoulli d -> bernoulli(d, ys);
          case Distribution.Integers d -> integers(d, ys);
        };
    RandomWords.forEach(seed, offset, op.count(), op.wordsPerElement(), body);
  }

  private void store(DType from, MemorySegment values, int skip, MemorySegment y, long i, int n) {
    if (from == type) {
      Moves.move(type.bytes(), values, skip, 1, y, i, 1, n);
    } else {
      Casts.contiguous(from, values, (long) skip * from.bytes(), type, y, i * type.bytes(), n);
    }
  }

  private RandomWords.Body uniform32(Distribution.Uniform d, MemorySegment y) {
    int bits = type == DType.F32 ? 24 : type == DType.BF16 ? 8 : 11;
    int mask = -1 << (32 - bits);
    float low = (float) d.low();
    float high = (float) d.high();
    float span = (high - low) * 0x1p-24f;
    float last = low < high ? Math.nextDown(high) : high;
    return (words, skip, i, n) -> {
      if (bits != 24) {
        for (int k = 0; k < skip + n; k++) {
          words.setAtIndex(JAVA_INT, k, words.getAtIndex(JAVA_INT, k) & mask);
        }
      }
      RandomWords.LOOPS.uniform(words, skip + n, low, span, last);
      store(DType.F32, words, skip, y, i, n);
    };
  }

  private RandomWords.Body uniform64(Distribution.Uniform d, MemorySegment y) {
    double span = d.high() - d.low();
    double last = d.low() < d.high() ? Math.nextDown(d.high()) : d.high();
    return (words, skip, i, n) -> {
      for (int k = 0; k < n; k++) {
        double v = Math.fma(fraction(words, skip / 2 + k), span, d.low());
        y.setAtIndex(JAVA_DOUBLE_UNALIGNED, i + k, Math.min(v, last));
      }
    };
  }

  /** The top 53 of 64 bits as a fraction of 1. */
  private static double fraction(MemorySegment words, int pair) {
    return (words.getAtIndex(JAVA_LONG, pair) >>> 11) * 0x1p-53;
  }

  private RandomWords.Body normal32(Distribution.Normal d, MemorySegment y) {
    return (words, skip, i, n) -> {
      RandomWords.LOOPS.normal(words, (skip + n + 3) & ~3, (float) d.mean(), (float) d.std());
      store(DType.F32, words, skip, y, i, n);
    };
  }

  private RandomWords.Body normal64(Distribution.Normal d, MemorySegment y) {
    return (words, skip, i, n) -> {
      int end = (skip + 2 * n + 3) / 4;
      for (int k = 0; k < end; k++) {
        double u1 = fraction(words, 2 * k) + 0x1p-53;
        double angle = 2 * Math.PI * fraction(words, 2 * k + 1);
        double r = Math.sqrt(-2 * StrictMath.log(u1));
        double z0 = r * StrictMath.cos(angle);
        double z1 = r * StrictMath.sin(angle);
        words.setAtIndex(JAVA_DOUBLE, 2 * k, Math.fma(z0, d.std(), d.mean()));
        words.setAtIndex(JAVA_DOUBLE, 2 * k + 1, Math.fma(z1, d.std(), d.mean()));
      }
      store(DType.F64, words, skip / 2, y, i, n);
    };
  }

  private RandomWords.Body bernoulli(Distribution.Bernoulli d, MemorySegment y) {
    long threshold = Math.round(d.p() * 0x1p32);
    return (words, skip, i, n) -> {
      for (int k = 0; k < n; k++) {
        long word = words.getAtIndex(JAVA_INT, skip + k) & 0xFFFFFFFFL;
        words.setAtIndex(JAVA_FLOAT, skip + k, word < threshold ? 1 : 0);
      }
      store(DType.F32, words, skip, y, i, n);
    };
  }

  private RandomWords.Body integers(Distribution.Integers d, MemorySegment y) {
    long range = d.high() - d.low();
    return (words, skip, i, n) -> {
      MemorySegment values = VALUES.get(8L * n);
      for (int k = 0; k < n; k++) {
        long part =
            type == DType.I64
                ? Math.unsignedMultiplyHigh(words.getAtIndex(JAVA_LONG, skip / 2 + k), range)
                : ((words.getAtIndex(JAVA_INT, skip + k) & 0xFFFFFFFFL) * range) >>> 32;
        values.setAtIndex(JAVA_LONG, k, d.low() + part);
      }
      store(DType.I64, values, 0, y, i, n);
    };
  }
}
