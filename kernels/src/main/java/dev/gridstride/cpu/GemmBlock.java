package dev.gridstride.cpu;

import dev.gridstride.kernels.Epilogue;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One task of a matrix product: a block of C, from packing to epilogue. Each thread has one object
 * for all of its blocks.
 */
final class GemmBlock {
  private static final ThreadLocal<@Nullable GemmBlock> OF_THREAD = new ThreadLocal<>();
  private static final Scratch PACKED_B = new Scratch();
  private static final Scratch RESULT = new Scratch();
  private static final Scratch TILE = new Scratch();

  /** Up to so many columns, or rows, for each element of A, or B, packing does not pay. */
  private static final int DIRECT_COLUMNS = 128;

  private static final int DIRECT_ROWS = 64;

  /** Panels of A whose rows of tiles are done together. */
  private static final int PANELS = Tiles.BEST.pairs() ? 2 : 1;

  /** Rows from which on columns of a B in memory are packed: tiles would read it by 128 bytes. */
  private static final int PACKED_ROWS_FAR = 4;

  /** The same where rows of B are pages apart, so that no hardware foresees the next. */
  private static final int PACKED_ROWS_APART = 24;

  /** Bytes from one row of B to the next that are called apart. */
  private static final int APART = 8 << 10;

  private GemmCall g;
  private GemmLoops loops;
  private int e;
  private int lanes;

  /** Columns of a panel of B. */
  private int wideB;

  private long batch;
  private long i0;
  private int rows;
  private long j0;
  private int columns;

  /** B's columns, packed for all blocks; null where each block packs for itself. */
  private @Nullable GemmPanels panels;

  /** A's rows, packed for all blocks; null where each block packs for itself. */
  private @Nullable GemmRowPanels rowPanels;

  // where the block of C is computed: C itself or scratch memory
  private MemorySegment c;
  private long cOff;
  private long ldc;
  private boolean padded;
  private boolean inScratch;

  private GemmBlock(GemmCall g) {
    this.g = g;
    this.loops = g.loops;
    this.c = g.c;
  }

  /** The calling thread's block, until it asks for the next. */
  static GemmBlock of(
      GemmCall g,
      long batch,
      long i0,
      int rows,
      long j0,
      int columns,
      @Nullable GemmPanels panels,
      @Nullable GemmRowPanels rowPanels) {
    GemmBlock block = OF_THREAD.get();
    if (block == null) {
      block = new GemmBlock(g);
      OF_THREAD.set(block);
    }
    block.g = g;
    block.panels = panels;
    block.rowPanels = rowPanels;
    block.loops = g.loops;
    block.e = g.e;
    block.lanes = g.loops.lanes();
    block.wideB = GemmPacking.width(g);
    block.batch = batch;
    block.i0 = i0;
    block.rows = rows;
    block.j0 = j0;
    block.columns = columns;
    return block;
  }

  /** The whole block: product, old value, epilogue, store. */
  void run() {
    if (g.stageC || vectorForm()) {
      placeInScratch();
    } else {
      placeInC();
    }
    boolean fresh = g.beta == 0;
    if (!fresh) {
      loadOld();
    }
    if (!g.multiplies) {
      if (fresh) {
        clear();
      }
    } else if (vectorForm()) {
      if (fresh) {
        clear();
      }
      GemmVector.product(g, batch, i0, rows, j0, columns, c, cOff);
    } else {
      for (long p = 0; p < g.op.k(); p += g.blocking.depth()) {
        step(p, (int) Math.min(g.blocking.depth(), g.op.k() - p), fresh && p == 0);
      }
    }
    finish();
  }

  /** Offset of this block in a C whose rows are {@code ld} bytes apart. */
  long offset(long ld) {
    return i0 * ld + e * j0;
  }

  /** One step of k, stored at {@code off} of {@code partial}, whose rows are {@code ld} apart. */
  void runStep(long p, int depth, MemorySegment partial, long off, long ld) {
    c = partial;
    cOff = off;
    ldc = ld;
    padded = false;
    step(p, depth, true);
    c = Tiles.ZEROS; // keeps nothing alive
  }

  /** The steps of a split product, added in the order of k, then as {@link #run}. */
  void runSum(MemorySegment partials, long off, long ld, long distance, long steps) {
    if (g.stageC) {
      placeInScratch();
    } else {
      placeInC();
    }
    boolean fresh = g.beta == 0;
    if (!fresh) {
      loadOld();
    }
    for (int i = 0; i < rows; i++) {
      long to = cOff + i * ldc;
      long from = off + i * ld;
      for (long s = 0; s < steps; s++) {
        if (s == 0 && fresh) {
          MemorySegment.copy(partials, from, c, to, (long) e * columns);
        } else {
          loops.add(c, to, partials, from + s * distance, columns);
        }
      }
    }
    finish();
  }

  private void placeInC() {
    c = g.c;
    cOff = e * g.atC(batch, i0, j0);
    ldc = e * g.ldc;
    padded = false;
    inScratch = false;
  }

  private void placeInScratch() {
    inScratch = true;
    if (columns == 1) {
      ldc = e; // a column vector lies dense
      padded = false;
    } else {
      ldc = (long) e * ((columns + wideB - 1) / wideB * wideB);
      padded = true;
    }
    c = RESULT.get(rows * ldc + (long) e * wideB);
    cOff = 0;
  }

  private void clear() {
    for (int i = 0; i < rows; i++) {
      c.asSlice(cOff + i * ldc, (long) e * columns).fill((byte) 0);
    }
  }

  private void loadOld() {
    for (int i = 0; i < rows; i++) {
      long at = cOff + i * ldc;
      if (inScratch) {
        Narrow.load(g.op.cType(), g.c, g.atC(batch, i0 + i, j0), c, at, columns);
      }
      if (g.beta != 1) {
        loops.scale(c, at, columns, g.beta);
      }
    }
  }

  /** One row of A or one column of B: no tile fits. */
  private boolean vectorForm() {
    return g.op.m() == 1 || g.op.n() == 1;
  }

  // ---- tiles

  private void step(long p, int depth, boolean fresh) {
    int direct = panels == null ? directColumns() : 0;
    boolean directA = rowPanels == null && !g.stageA && g.alpha == 1 && readsRows(direct);
    boolean inRows = directA && (!g.op.transposedA() || depth == 1);
    MemorySegment a = directA ? g.a : packedA(p, depth);
    long packedA = rowPanels == null ? 0 : rowPanels.offset(i0, p);
    MemorySegment packed = panels == null ? packB(p, depth, direct) : panels.memory();
    long packedOff = panels == null ? 0 : panels.offset(j0, p, depth);
    int whole = directA || direct > 0 ? 0 : columns / wideB;
    MemorySegment tile = TILE.get((long) e * Math.max(rows, PANELS * Tiles.MAX_ROWS) * wideB);
    int done = whole == 0 ? 0 : alongRows(whole, depth, a, packedA, packed, packedOff, fresh, tile);
    for (int j = 0; j < columns; j += wideB) {
      int n = Math.min(wideB, columns - j);
      boolean asIs = j < direct;
      MemorySegment b = asIs ? g.b : packed;
      long bOff = asIs ? e * g.atB(batch, p, j0 + j) : packedOff + (long) e * (j - direct) * depth;
      long bStep = asIs ? e * g.ldb : (long) e * wideB;
      int first = j / wideB < whole ? done : 0;
      if (inRows) {
        first = column(p, depth, b, bOff, bStep, j, n, fresh, tile);
      }
      for (int i = first; i < rows; i += Tiles.MAX_ROWS) {
        int m = Math.min(Tiles.MAX_ROWS, rows - i);
        long aOff;
        long aStep;
        long dA;
        if (directA) {
          aOff = e * g.atA(batch, i0 + i, p);
          aStep = g.op.transposedA() ? e * g.lda : e;
          dA = g.op.transposedA() ? e : e * g.lda;
        } else {
          aOff = packedA + (long) e * i * depth;
          aStep = (long) e * Tiles.MAX_ROWS;
          dA = e;
        }
        tile(m, n, depth, a, aOff, aStep, dA, b, bOff, bStep, i, j, fresh, tile);
      }
    }
  }

  /** Whether few enough tiles read each row of A that it is not packed. */
  private boolean readsRows(int direct) {
    if (g.op.transposedA()) { // no tiles in pairs over it: panels pay sooner
      return columns <= (rows > DIRECT_ROWS ? DIRECT_COLUMNS / 2 : DIRECT_COLUMNS);
    }
    return columns <= DIRECT_COLUMNS || direct == columns;
  }

  /**
   * All whole tiles below each other of two vectors of columns or one, rows of A read where they
   * lie. The number of rows that are done.
   */
  private int column(
      long p,
      int depth,
      MemorySegment b,
      long bOff,
      long bStep,
      int j,
      int n,
      boolean fresh,
      MemorySegment tile) {
    int tiles = rows / Tiles.MAX_ROWS;
    if (tiles == 0) {
      return 0;
    }
    long dA = g.op.transposedA() ? e : e * g.lda;
    long aOff = e * g.atA(batch, i0, p);
    int vectors = n > lanes ? 2 : 1;
    long at = cOff + (long) e * j;
    if (inPlace(n, fresh)) {
      loops.column(vectors, tiles, depth, g.a, aOff, dA, b, bOff, bStep, c, at, ldc);
      return tiles * Tiles.MAX_ROWS;
    }
    long ldt = (long) e * wideB;
    loops.column(vectors, tiles, depth, g.a, aOff, dA, b, bOff, bStep, tile, 0, ldt);
    if (fresh) {
      loops.copyBlock(tiles * Tiles.MAX_ROWS, n, tile, 0, ldt, c, at, ldc);
    } else {
      loops.addBlock(tiles * Tiles.MAX_ROWS, n, tile, 0, ldt, c, at, ldc);
    }
    return tiles * Tiles.MAX_ROWS;
  }

  /**
   * Tiles of packed panels, all whole ones of the rows of one or two of A's panels before the next:
   * the hardware foresees C's lines, and A's panels stay in a cache. The number of rows that are
   * done.
   */
  private int alongRows(
      int whole,
      int depth,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      boolean fresh,
      MemorySegment tile) {
    long ldt = (long) e * wideB;
    int done = rows / Tiles.MAX_ROWS * Tiles.MAX_ROWS;
    int high;
    for (int i = 0; i < done; i += high * Tiles.MAX_ROWS) {
      high = Math.min(PANELS, (done - i) / Tiles.MAX_ROWS);
      long panel = aOff + (long) e * i * depth;
      long at = cOff + i * ldc;
      if (fresh) {
        loops.row(high, whole, depth, a, panel, b, bOff, c, at, ldc);
        continue;
      }
      for (int t = 0; t < whole; t++) {
        loops.row(high, 1, depth, a, panel, b, bOff + t * ldt * depth, tile, 0, ldt);
        loops.addBlock(high * Tiles.MAX_ROWS, wideB, tile, 0, ldt, c, at + t * ldt, ldc);
      }
    }
    return done;
  }

  /** Whether tiles of {@code n} columns are stored where they belong. */
  private boolean inPlace(int n, boolean fresh) {
    return fresh && (padded || n % lanes == 0);
  }

  private MemorySegment packedA(long p, int depth) {
    return rowPanels == null ? GemmPacking.packA(g, batch, i0, rows, p, depth) : rowPanels.memory();
  }

  /** How many columns of B tiles read where they lie; the last panel must be whole vectors. */
  private int directColumns() {
    boolean far = Segments.areFar(g.e * g.ldb * g.op.k());
    boolean apart = g.e * g.ldb >= APART;
    int most = far ? PACKED_ROWS_FAR - 1 : apart ? PACKED_ROWS_APART - 1 : DIRECT_ROWS;
    boolean worth = !g.stageB && !g.op.transposedB() && rows <= most;
    return !worth ? 0 : columns % lanes == 0 ? columns : columns / wideB * wideB;
  }

  /** Packs this block's columns of B from {@code first}. */
  private MemorySegment packB(long p, int depth, int first) {
    int n = columns - first;
    if (n == 0) {
      return g.b;
    }
    MemorySegment to = PACKED_B.get(GemmPacking.bytesOfB(g, n, depth));
    GemmPacking.packB(g, batch, p, depth, j0 + first, n, to, 0);
    return to;
  }

  private void tile(
      int m,
      int n,
      int depth,
      MemorySegment a,
      long aOff,
      long aStep,
      long dA,
      MemorySegment b,
      long bOff,
      long bStep,
      int i,
      int j,
      boolean fresh,
      MemorySegment tile) {
    int vectors = n > lanes ? 2 : 1;
    long at = cOff + i * ldc + (long) e * j;
    if (inPlace(n, fresh)) {
      loops.tile(
          m, vectors, depth, a, aOff, aStep, dA, b, bOff, bStep, c, at, ldc, Tiles.ZEROS, 0, 0, 0);
      return;
    }
    long ldt = (long) e * wideB;
    loops.tile(
        m, vectors, depth, a, aOff, aStep, dA, b, bOff, bStep, tile, 0, ldt, Tiles.ZEROS, 0, 0, 0);
    if (fresh) {
      loops.copyBlock(m, n, tile, 0, ldt, c, at, ldc);
    } else {
      loops.addBlock(m, n, tile, 0, ldt, c, at, ldc);
    }
  }

  // ---- after the product

  private void finish() {
    if (!g.op.epilogue().equals(Epilogue.NONE)) {
      GemmEpilogue.apply(g, batch, i0, rows, j0, columns, c, cOff, ldc);
    }
    if (inScratch && g.ldc == columns && ldc == (long) e * columns) {
      Narrow.store(g.op.cType(), c, cOff, g.c, g.atC(batch, i0, j0), (long) rows * columns);
    } else if (inScratch) {
      for (int i = 0; i < rows; i++) {
        Narrow.store(g.op.cType(), c, cOff + i * ldc, g.c, g.atC(batch, i0 + i, j0), columns);
      }
    }
    c = Tiles.ZEROS; // keeps nothing alive
  }
}
