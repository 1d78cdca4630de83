package dev.gridstride.cpu;

import org.jspecify.annotations.Nullable;

/**
 * A run of destination pixels at stride 1, as vectors of pixels over padded planes of their source.
 *
 * <p>A plane holds the rows that the pixels read, one after the other, those of several images too;
 * neighbouring rows share their padding, and so do images. So a tap reads each pixel's source at
 * one distance from the pixel, and the lanes of a vector of pixels, whichever tap it is for, are
 * picked from two windows as long as a vector: {@link ConvLoops#columns}.
 */
final class ConvPlanes {
  /** Longest plane. */
  private static final long MOST_BYTES = 32 << 10;

  /** What all runs of a pass have in common: f32 elements from pixel to pixel. */
  private static final class Grid {
    final ConvImages src;
    final ConvImages dst;
    final ConvPhase h;
    final ConvPhase w;
    final int pitch;
    final int imageRows;

    Grid(ConvImages src, ConvImages dst, ConvPhase h, ConvPhase w) {
      this.src = src;
      this.dst = dst;
      this.h = h;
      this.w = w;
      pitch = src.w + padding(w, src.w, dst.w);
      imageRows = src.h + padding(h, src.h, dst.h);
    }

    private static int padding(ConvPhase p, int from, int to) {
      int before = Math.max(0, -p.offset[0]);
      return Math.max(before, Math.max(0, to - 1 + p.offset[p.taps() - 1] - (from - 1)));
    }

    int y(int pixel) {
      return pixel / dst.w % dst.h;
    }

    int image(int pixel) {
      return pixel / dst.w / dst.h;
    }

    long at(int pixel) {
      return ((long) image(pixel) * imageRows + y(pixel)) * pitch + pixel % dst.w;
    }
  }

  private final Grid grid;
  private final long origin;

  /** The first pixel, and the one after the last. */
  final int from;

  final int to;

  /** Vectors of pixels; lanes without a pixel are those of the window's first. */
  final int vectors;

  /** Where the windows of each vector begin for a tap without a shift, in bytes. */
  final int[] first;

  final int[] second;

  /** Lanes of the first window. */
  final int[] cut;

  final int[] picks;

  /** Bytes of a plane. */
  final long bytes;

  private ConvPlanes(Grid grid, int from, int to, int lanes) {
    this.grid = grid;
    this.from = from;
    this.to = to;
    vectors = Math.ceilDiv(to - from, lanes);
    first = new int[vectors];
    second = new int[vectors];
    cut = new int[vectors];
    picks = new int[vectors * lanes];
    // the shift of the first tap may reach before the first row
    int lead = Math.max(0, -grid.h.offset[0]) * grid.pitch + Math.max(0, -grid.w.offset[0]);
    origin = grid.at(from) - from % grid.dst.w - lead;
    long last = grid.at(to - 1) - origin;
    long below = (long) Math.max(0, grid.h.offset[grid.h.taps() - 1]) * grid.pitch;
    long read = last + below + Math.max(0, grid.w.offset[grid.w.taps() - 1]);
    long rows = last - (to - 1) % grid.dst.w + below + grid.src.w;
    long size = (4 * (Math.max(read, rows) + 2L * lanes) + 63) / 64 * 64;
    // planes a multiple of a page apart would share one set of the first-level cache
    bytes = size % 1024 == 0 ? size + 64 : size;
  }

  /**
   * Pixels {@code from} to {@code to} (excluded) of all images, or null if some vector's lanes lie
   * in more than two windows, or most of a plane is padding.
   */
  private static @Nullable ConvPlanes of(Grid grid, int from, int to, int lanes) {
    var p = new ConvPlanes(grid, from, to, lanes);
    return p.bytes <= MOST_BYTES && p.windows(lanes) ? p : null;
  }

  private boolean windows(int lanes) {
    for (int v = 0; v < vectors; v++) {
      int pixel = from + v * lanes;
      int count = Math.min(lanes, to - pixel);
      long a = grid.at(pixel);
      int n = 0;
      while (n < count && grid.at(pixel + n) - a < lanes) {
        picks[v * lanes + n] = (int) (grid.at(pixel + n) - a);
        n++;
      }
      long b = n < count ? grid.at(pixel + n) : a;
      for (int l = n; l < count; l++) {
        if (grid.at(pixel + l) - b >= lanes) {
          return false;
        }
        picks[v * lanes + l] = (int) (grid.at(pixel + l) - b);
      }
      cut[v] = n < count ? n : lanes;
      first[v] = (int) (4 * (a - origin));
      second[v] = (int) (4 * (b - origin));
    }
    return true;
  }

  /**
   * All pixels of a pass of stride 1, cut into runs of about {@code most} of them, or null if they
   * can't be had so.
   */
  static ConvPlanes @Nullable [] cut(
      ConvImages src, ConvImages dst, ConvPhase[][] phases, int most, int lanes) {
    var grid = new Grid(src, dst, phases[1][0], phases[2][0]);
    if (dst.w > grid.pitch || dst.h > grid.imageRows) {
      return null; // so much padding that a row would begin before the last one ends
    }
    int pixels = Math.multiplyExact(dst.n, Math.multiplyExact(dst.h, dst.w));
    int runs = Math.ceilDiv(pixels, most);
    int vectors = Math.ceilDiv(pixels, 2 * lanes);
    var all = new ConvPlanes[runs];
    for (int i = 0; i < runs; i++) {
      int from = (int) ((long) vectors * i / runs) * 2 * lanes;
      int to = Math.min(pixels, (int) ((long) vectors * (i + 1) / runs) * 2 * lanes);
      var p = of(grid, from, to, lanes);
      if (p == null) {
        return null;
      }
      all[i] = p;
    }
    return all;
  }

  /** The shift of each tap of a filter plane, in the order in which its weights lie, in bytes. */
  int[] shifts() {
    ConvPhase h = grid.h;
    ConvPhase w = grid.w;
    var shifts = new int[h.taps() * w.taps()];
    for (int r = 0; r < h.taps(); r++) {
      for (int s = 0; s < w.taps(); s++) {
        shifts[h.tap[r] * w.taps() + w.tap[s]] = 4 * (h.offset[r] * grid.pitch + w.offset[s]);
      }
    }
    return shifts;
  }

  /** Images that have pixels here. */
  int images() {
    return grid.image(to - 1) - grid.image(from) + 1;
  }

  /** Number of the i-th image. */
  int image(int i) {
    return grid.image(from) + i;
  }

  /** The first row of the i-th image's source that is read. */
  int firstRow(int i) {
    int y = i == 0 ? grid.y(from) : 0;
    return Math.clamp((long) y + grid.h.offset[0], 0, grid.src.h);
  }

  /** The row after the last one that is read. */
  int endRow(int i) {
    int y = i == images() - 1 ? grid.y(to - 1) : grid.dst.h - 1;
    return Math.clamp((long) y + grid.h.offset[grid.h.taps() - 1] + 1, firstRow(i), grid.src.h);
  }

  /** Where a row of the i-th image's source lies in a plane, in bytes. */
  long row(int i, int y) {
    return 4 * (((long) image(i) * grid.imageRows + y) * grid.pitch - origin);
  }
}
