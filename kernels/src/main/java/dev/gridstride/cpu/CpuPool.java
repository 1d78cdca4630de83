package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.gridstride.cpu.scalar.ScalarPoolLoops;
import dev.gridstride.cpu.vector.VectorPoolLoops;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.Pool;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Pooling window by window. NCHW is treated as n*c images of one channel.
 *
 * <p>Windows may overlap, so a task of the backward pass owns all windows of a stretch of channels
 * of one image; the sums at an element are then in the order of the windows on any number of
 * threads.
 */
public final class CpuPool implements Pool.Kernel {
  private static final PoolLoops LOOPS =
      Simd.ENABLED ? new VectorPoolLoops() : new ScalarPoolLoops();

  /** Channels of a backward task: a cache line or more each, so that tasks don't share lines. */
  private static final int CHANNELS = 64;

  private final Pool op;
  private final boolean f32;
  private final boolean max;
  private final Elements elements;
  private final int bytes;
  private final long images;
  private final int channels;
  private final ThreadLocal<PoolWindows> windows;
  private final long windowCount;
  private final long inputPixels;

  /** Whether each element of dx is written once, by the window it is in. */
  private final boolean setsAlone;

  /** Whether elements of dx stay that no window writes or that windows add to. */
  private final boolean clears;

  /** A kernel for {@code op}. */
  public CpuPool(Pool op) {
    this.op = op;
    this.f32 = op.type() == DType.F32;
    this.max = op.kind() == Pool.Kind.MAX;
    this.elements = Elements.of(op.type());
    this.bytes = op.type().bytes();
    boolean last = op.layout() == ImageLayout.NHWC;
    this.images = last ? op.n() : op.n() * op.c();
    this.channels = last ? Math.toIntExact(op.c()) : 1;
    this.windows = ThreadLocal.withInitial(() -> new PoolWindows(op.axes()));
    var one = new PoolWindows(op.axes());
    this.windowCount = one.windows();
    this.inputPixels = one.inputPixels();
    this.setsAlone = f32 && max && one.disjoint();
    this.clears = !setsAlone || !one.cover();
  }

  @Override
  public String details() {
    return f32 && channels > 1 ? "vectors of channels" : "one channel at a time";
  }

  private float divisor(PoolWindows w) {
    int n = op.countIncludePad() ? w.insidePadded : w.inside;
    return n == 0 ? 1 : n;
  }

  /** Byte offsets of the present window's elements in an image that begins at {@code image}. */
  private void toBytes(PoolWindows w, long image) {
    for (int i = 0; i < w.inside; i++) {
      w.pixels[i] = image + w.pixels[i] * channels * bytes;
    }
  }

  @Override
  public void forward(Stream stream, Buffer x, Buffer y, @Nullable Buffer indices) {
    MemorySegment xs = x.pinnedSegment();
    MemorySegment ys = y.pinnedSegment();
    MemorySegment found = indices == null ? null : indices.pinnedSegment();
    long grain = Math.max(1, 16384 / Math.max(1, channels));
    Parallel.forRange(
        images * windowCount,
        grain,
        (from, to) -> {
          PoolWindows w = windows.get();
          for (long i = from; i < to; i++) {
            w.move(i % windowCount);
            toBytes(w, i / windowCount * inputPixels * channels * bytes);
            long yAt = i * channels * bytes;
            if (f32 && max) {
              LOOPS.max(xs, w.pixels, w.inside, ys, yAt, channels);
            } else if (f32) {
              LOOPS.average(xs, w.pixels, w.inside, ys, yAt, channels, 1 / divisor(w));
            } else {
              forwardGeneral(w, xs, ys, yAt);
            }
            if (found != null) {
              findMaxima(w, xs, ys, yAt, i, found);
            }
          }
        });
  }

  private void forwardGeneral(PoolWindows w, MemorySegment x, MemorySegment y, long yAt) {
    for (int c = 0; c < channels; c++) {
      double result = max ? Double.NEGATIVE_INFINITY : 0;
      for (int i = 0; i < w.inside; i++) {
        double v = elements.get(x, w.pixels[i] / bytes + c);
        if (!max) {
          result += v;
        } else if (v > result || Double.isNaN(v)) {
          result = v;
        }
      }
      elements.set(y, yAt / bytes + c, max ? result : result / divisor(w));
    }
  }

  private void findMaxima(
      PoolWindows w, MemorySegment x, MemorySegment y, long yAt, long window, MemorySegment found) {
    long image = window / windowCount * inputPixels * channels * bytes;
    for (int c = 0; c < channels; c++) {
      int i = firstMaximum(w, x, elements.get(y, yAt / bytes + c), c);
      long place = i < 0 ? -1 : (w.pixels[i] - image) / bytes / channels;
      found.setAtIndex(JAVA_LONG_UNALIGNED, yAt / bytes + c, place);
    }
  }

  /** Which element of the window the gradient goes to; -1 for none. */
  private int firstMaximum(PoolWindows w, MemorySegment x, double m, int c) {
    for (int i = 0; i < w.inside; i++) {
      double v = elements.get(x, w.pixels[i] / bytes + c);
      if (v == m || (Double.isNaN(v) && Double.isNaN(m))) {
        return i;
      }
    }
    return -1;
  }

  @Override
  public void backward(
      Stream stream, @Nullable Buffer x, @Nullable Buffer y, Buffer dy, Buffer dx) {
    MemorySegment dys = dy.pinnedSegment();
    MemorySegment dxs = dx.pinnedSegment();
    // an average needs neither: any segment of the right type stands in
    MemorySegment xs = x == null ? dxs : x.pinnedSegment();
    MemorySegment ys = y == null ? dys : y.pinnedSegment();
    int stretches = Math.max(1, (channels + CHANNELS - 1) / CHANNELS);
    Parallel.forEach(
        Math.toIntExact(images * stretches),
        task -> {
          int c0 = task % stretches * CHANNELS;
          int n = Math.min(CHANNELS, channels - c0);
          image(task / stretches, c0, n, xs, ys, dys, dxs);
        });
  }

  private void image(
      long image,
      int c0,
      int n,
      MemorySegment x,
      MemorySegment y,
      MemorySegment dy,
      MemorySegment dx) {
    long start = (image * inputPixels * channels + c0) * bytes;
    if (clears && n == channels) {
      dx.asSlice(start, inputPixels * n * bytes).fill((byte) 0);
    } else if (clears) {
      for (long p = 0; p < inputPixels; p++) {
        dx.asSlice(start + p * channels * bytes, (long) n * bytes).fill((byte) 0);
      }
    }
    PoolWindows w = windows.get();
    for (long i = 0; i < windowCount; i++) {
      w.move(i);
      toBytes(w, start);
      long yAt = ((image * windowCount + i) * channels + c0) * bytes;
      if (setsAlone) {
        LOOPS.maxBackwardAlone(x, w.pixels, w.inside, y, dy, yAt, dx, n);
      } else if (f32 && max) {
        LOOPS.maxBackward(x, w.pixels, w.inside, y, dy, yAt, dx, n);
      } else if (f32) {
        LOOPS.averageBackward(dy, yAt, dx, w.pixels, w.inside, n, 1 / divisor(w));
      } else {
        backwardGeneral(w, x, y, dy, yAt, dx, n);
      }
    }
  }

  private void backwardGeneral(
      PoolWindows w,
      MemorySegment x,
      MemorySegment y,
      MemorySegment dy,
      long yAt,
      MemorySegment dx,
      int n) {
    for (int c = 0; c < n; c++) {
      double g = elements.get(dy, yAt / bytes + c);
      if (max) {
        int i = firstMaximum(w, x, elements.get(y, yAt / bytes + c), c);
        if (i >= 0) {
          add(dx, w.pixels[i] / bytes + c, g);
        }
      } else {
        for (int i = 0; i < w.inside; i++) {
          add(dx, w.pixels[i] / bytes + c, g / divisor(w));
        }
      }
    }
  }

  private void add(MemorySegment m, long index, double v) {
    elements.set(m, index, elements.get(m, index) + v);
  }
}
