package dev.gridstride.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.cpu.scalar.ScalarTiles;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The register tiles against double loops and against each other. */
final class TilesTest {
  private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfDouble D = ValueLayout.JAVA_DOUBLE_UNALIGNED;
  private static final float GUARD = -7777;

  /** runs, runLength, aStep and dA in elements, gap after rows of C, init: 0 zeros, 1 bias, 2 C. */
  @ParameterizedTest
  @CsvSource({
    "1, 17, 8, 1, 0, 0",
    "1, 17, 1, 33, 0, 1",
    "3, 6, 1, 5, 3, 2",
    "9, 1, 1, 1, 1, 0",
    "5, 1, 1, 40, 0, 2",
    "1, 0, 1, 1, 0, 1",
    "0, 4, 1, 1, 0, 2",
    "0, 1, 1, 1, 0, 1",
    "2, 2, 3, 2, 7, 1",
  })
  void everyShapeMatchesTheOracle(
      int runs, int runLength, int aStep, int dA, int gap, int initKind) {
    for (int rows = 1; rows <= Tiles.MAX_ROWS; rows++) {
      for (int vectors = 1; vectors <= Tiles.MAX_VECTORS; vectors++) {
        for (int count = 1; count <= 3; count += 2) {
          for (Tiles t : new Tiles[] {Tiles.BEST, new ScalarTiles()}) {
            check(t, false, count, rows, vectors, runs, runLength, aStep, dA, gap, initKind);
            check(t, true, count, rows, vectors, runs, runLength, aStep, dA, gap, initKind);
          }
        }
      }
    }
  }

  private static void check(
      Tiles tiles,
      boolean wide,
      int count,
      int high,
      int vectors,
      int runs,
      int runLength,
      int aStep,
      int dA,
      int gap,
      int initKind) {
    int rows = count * high;
    int e = wide ? 8 : 4;
    int lanes = wide ? tiles.lanesF64() : tiles.lanesF32();
    int n = lanes * vectors;
    int ldc = n + gap;
    var random = new SplittableRandom(rows * 100L + vectors);
    var tab = new int[runs + 2];
    int reach = 0;
    for (int r = 0; r < runs; r++) {
      tab[2 + r] = e * random.nextInt(50);
      reach = Math.max(reach, tab[2 + r] / e);
    }
    int aSize = 3 + reach + runLength * aStep + rows * dA;
    int bSize = 5 + (runs * runLength + 1) * n;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = fill(arena, wide, aSize, random);
      MemorySegment b = fill(arena, wide, bSize, random);
      MemorySegment c = arena.allocate((long) e * (rows * ldc + 4), 64);
      MemorySegment bias = fill(arena, wide, n, random);
      for (int i = 0; i < rows * ldc + 4; i++) {
        set(c, wide, i, GUARD);
      }
      var expected = new double[rows][n];
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < n; j++) {
          if (initKind == 2) {
            set(c, wide, 2 + i * ldc + j, (float) random.nextDouble(-1, 1));
          }
          double s =
              initKind == 0
                  ? 0
                  : initKind == 1 ? get(bias, wide, j) : get(c, wide, 2 + i * ldc + j);
          for (int r = 0; r < runs; r++) {
            for (int k = 0; k < runLength; k++) {
              double x = get(a, wide, 3 + tab[2 + r] / e + k * aStep + i * dA);
              s += x * get(b, wide, 5 + (r * runLength + k) * n + j);
            }
          }
          expected[i][j] = s;
        }
      }
      MemorySegment init = initKind == 0 ? Tiles.ZEROS : initKind == 1 ? bias : c;
      long initOff = initKind == 2 ? 2L * e : 0;
      long ldi = initKind == 2 ? (long) ldc * e : 0;
      long iVs = initKind == 0 ? 0 : (long) lanes * e;
      long vs = (long) lanes * e;
      long bStep = (long) n * e;
      long row = (long) ldc * e;
      if (wide) {
        tiles.f64(
            count,
            high,
            vectors,
            runs,
            runLength,
            a,
            3L * e,
            tab,
            2,
            (long) aStep * e,
            (long) dA * e,
            b,
            5L * e,
            bStep,
            vs,
            c,
            2L * e,
            row,
            vs,
            init,
            initOff,
            ldi,
            iVs);
      } else {
        tiles.f32(
            count,
            high,
            vectors,
            runs,
            runLength,
            a,
            3L * e,
            tab,
            2,
            (long) aStep * e,
            (long) dA * e,
            b,
            5L * e,
            bStep,
            vs,
            c,
            2L * e,
            row,
            vs,
            init,
            initOff,
            ldi,
            iVs);
      }
      // a chain of k fused steps of values in -1..1 loses at most k/2 ulp of its largest partial
      // sum
      int k = runs * runLength + 1;
      double tolerance = k * (double) k * (wide ? 0x1p-53 : 0x1p-24);
      for (int i = 0; i < rows * ldc + 4; i++) {
        int row0 = (i - 2) / ldc;
        int col = (i - 2) % ldc;
        boolean inside = i >= 2 && row0 < rows && col < n;
        if (inside) {
          assertThat(get(c, wide, i))
              .isCloseTo(expected[row0][col], org.assertj.core.data.Offset.offset(tolerance));
        } else {
          assertThat(get(c, wide, i)).isEqualTo(GUARD);
        }
      }
    }
  }

  @Test
  void scalarAndVectorTilesGiveTheSameBits() {
    int lanes = Tiles.BEST.lanesF32();
    int k = 37;
    var random = new SplittableRandom(9);
    var scalar = new ScalarTiles();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = fill(arena, false, 6 * k, random);
      MemorySegment b = fill(arena, false, 32 * k + 64, random);
      MemorySegment x = arena.allocate(4L * 8 * 64, 64);
      MemorySegment y = arena.allocate(4L * 8 * 64, 64);
      Tiles.BEST.f32(
          1,
          6,
          2,
          1,
          k,
          a,
          0,
          Tiles.ONE_RUN,
          0,
          24,
          4,
          b,
          0,
          128,
          4L * lanes,
          x,
          0,
          256,
          4L * lanes,
          Tiles.ZEROS,
          0,
          0,
          0);
      // the scalar twin's vectors have 16 columns, which may be more or fewer than this machine's
      scalar.f32(
          1,
          6,
          2,
          1,
          k,
          a,
          0,
          Tiles.ONE_RUN,
          0,
          24,
          4,
          b,
          0,
          128,
          64,
          y,
          0,
          256,
          64,
          Tiles.ZEROS,
          0,
          0,
          0);
      for (int i = 0; i < 6; i++) {
        for (int j = 0; j < Math.min(2 * lanes, 32); j++) {
          long at = 256L * i + 4L * j;
          assertThat(Float.floatToRawIntBits(x.get(F, at)))
              .isEqualTo(Float.floatToRawIntBits(y.get(F, at)));
        }
      }
    }
  }

  @Test
  void shapesOutsideTheTableAreRefused() {
    for (Tiles tiles : new Tiles[] {Tiles.BEST, new ScalarTiles()}) {
      for (int[] shape : new int[][] {{0, 1}, {7, 1}, {7, 2}, {0, 0}}) {
        assertThatThrownBy(() ->
                tiles.f32(
                    1,
                    shape[0],
                    shape[1],
                    1,
                    1,
                    Tiles.ZEROS,
                    0,
                    Tiles.ONE_RUN,
                    0,
                    4,
                    4,
                    Tiles.ZEROS,
                    0,
                    64,
                    64,
                    Tiles.ZEROS,
                    0,
                    64,
                    64,
                    Tiles.ZEROS,
                    0,
                    0,
                    0))
            .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() ->
                tiles.f64(
                    1,
                    shape[0],
                    shape[1],
                    1,
                    1,
                    Tiles.ZEROS,
                    0,
                    Tiles.ONE_RUN,
                    0,
                    8,
                    8,
                    Tiles.ZEROS,
                    0,
                    64,
                    64,
                    Tiles.ZEROS,
                    0,
                    64,
                    64,
                    Tiles.ZEROS,
                    0,
                    0,
                    0))
            .isInstanceOf(IllegalArgumentException.class);
      }
    }
  }

  @Test
  void accessOutsideASegmentIsCaught() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment small = arena.allocate(64);
      MemorySegment c = arena.allocate(1024, 64);
      for (Tiles tiles : new Tiles[] {Tiles.BEST, new ScalarTiles()}) {
        assertThatThrownBy(() ->
                tiles.f32(
                    1,
                    2,
                    1,
                    1,
                    100,
                    small,
                    0,
                    Tiles.ONE_RUN,
                    0,
                    4,
                    4,
                    c,
                    0,
                    0,
                    64,
                    c,
                    0,
                    64,
                    64,
                    Tiles.ZEROS,
                    0,
                    0,
                    0))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
    }
  }

  private static MemorySegment fill(Arena arena, boolean wide, int n, SplittableRandom random) {
    MemorySegment s = arena.allocate((wide ? 8L : 4L) * n, 64);
    for (int i = 0; i < n; i++) {
      set(s, wide, i, (float) random.nextDouble(-1, 1));
    }
    return s;
  }

  private static double get(MemorySegment s, boolean wide, long i) {
    return wide ? s.get(D, 8 * i) : s.get(F, 4 * i);
  }

  private static void set(MemorySegment s, boolean wide, long i, float value) {
    if (wide) {
      s.set(D, 8 * i, value);
    } else {
      s.set(F, 4 * i, value);
    }
  }
}
