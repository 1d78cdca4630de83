package dev.gridstride.cpu;

import dev.gridstride.kernels.PoolAxis;
import java.util.List;

/**
 * Where the elements of each window of one image lie, as multiples of a pixel.
 *
 * <p>Fewer than three spatial dimensions are filled up with ones of size 1. Each thread has an
 * instance of its own: {@link #move} overwrites the fields.
 */
final class PoolWindows {
  private static final PoolAxis ONE = PoolAxis.of(1, 1);

  final PoolAxis d;
  final PoolAxis h;
  final PoolAxis w;
  final int outD;
  final int outH;
  final int outW;

  /** Places of the present window's elements, in pixels from the image's first; in window order. */
  final long[] pixels;

  /** Number of elements of the present window that lie inside the input. */
  int inside;

  /** Number of elements of the present window that lie inside the padded input. */
  int insidePadded;

  PoolWindows(List<PoolAxis> axes) {
    int n = axes.size();
    d = n < 3 ? ONE : axes.get(n - 3);
    h = n < 2 ? ONE : axes.get(n - 2);
    w = axes.get(n - 1);
    outD = Math.toIntExact(d.out());
    outH = Math.toIntExact(h.out());
    outW = Math.toIntExact(w.out());
    // a window may be far larger than the input: only what lies inside is listed
    long most = Math.min(d.kernel(), d.size());
    most = Math.multiplyExact(most, Math.min(h.kernel(), h.size()));
    most = Math.multiplyExact(most, Math.min(w.kernel(), w.size()));
    pixels = new long[Math.toIntExact(Math.max(1, most))];
  }

  long windows() {
    return (long) outD * outH * outW;
  }

  long inputPixels() {
    return d.size() * h.size() * w.size();
  }

  /** Whether no two windows share an element. */
  boolean disjoint() {
    return disjoint(d) && disjoint(h) && disjoint(w);
  }

  private static boolean disjoint(PoolAxis a) {
    return a.stride() > (a.kernel() - 1) * a.dilation();
  }

  /** Whether every element of the input is in a window; false where that is not easily told. */
  boolean cover() {
    return cover(d) && cover(h) && cover(w);
  }

  private static boolean cover(PoolAxis a) {
    boolean gapless = a.dilation() == 1 && a.stride() <= a.kernel();
    return gapless && (a.out() - 1) * a.stride() - a.padBegin() + a.kernel() >= a.size();
  }

  /** Makes window {@code index} the present one. */
  void move(long index) {
    long q = index % outW;
    long p = index / outW % outH;
    long o = index / outW / outH;
    insidePadded = (int) (padded(d, d.start(o)) * padded(h, h.start(p)) * padded(w, w.start(q)));
    int count = 0;
    long wFirst = first(w, w.start(q));
    long wLast = Math.min(w.size(), w.start(q) + w.kernel() * w.dilation());
    long hFirst = first(h, h.start(p));
    long hLast = Math.min(h.size(), h.start(p) + h.kernel() * h.dilation());
    long dFirst = first(d, d.start(o));
    long dLast = Math.min(d.size(), d.start(o) + d.kernel() * d.dilation());
    for (long z = dFirst; z < dLast; z += d.dilation()) {
      for (long y = hFirst; y < hLast; y += h.dilation()) {
        long row = (z * h.size() + y) * w.size();
        for (long x = wFirst; x < wLast; x += w.dilation()) {
          pixels[count++] = row + x;
        }
      }
    }
    inside = count;
  }

  /** The first position of a window that is not before the input. */
  private static long first(PoolAxis a, long start) {
    return start >= 0 ? start : start + Math.ceilDiv(-start, a.dilation()) * a.dilation();
  }

  /** Elements of a window along one axis that lie inside the padded input. */
  private static long padded(PoolAxis a, long start) {
    long end = a.size() + a.padEnd();
    return Math.min(a.kernel(), Math.max(0, Math.ceilDiv(end - start, a.dilation())));
  }
}
