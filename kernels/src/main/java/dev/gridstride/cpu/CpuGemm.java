package dev.gridstride.cpu;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Gemm;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The matrix product on the CPU: blocks of C as tasks, panels of A and B packed into scratch memory
 * where that pays, register tiles inside.
 *
 * <p>The structure is that of Goto and van de Geijn, Anatomy of High-Performance Matrix
 * Multiplication (2008), with tasks that pack for themselves instead of sharing panels.
 */
public final class CpuGemm implements Gemm.Kernel {
  private static final Scratch WIDE_A = new Scratch();
  private static final Scratch WIDE_B = new Scratch();

  /** Elements of a bf16 or f16 operand that are widened at once where blocks share them. */
  private static final long MOST_WIDENED = 1 << 20;

  private final Gemm op;
  private final GemmLoops loops;
  private final GemmBlocking blocking;
  private final @Nullable GemmSmall small;
  private final Reuse<GemmCall> calls;

  /** A kernel for {@code op}. */
  public CpuGemm(Gemm op) {
    this(op, GemmBlocking.of(op, loops(op).lanes()));
  }

  /** A kernel that is cut in another way. */
  CpuGemm(Gemm op, GemmBlocking blocking) {
    this.op = op;
    this.loops = loops(op);
    this.blocking = blocking;
    this.small = GemmSmall.suits(op, loops) ? new GemmSmall(op, loops) : null;
    this.calls = new Reuse<>(() -> new GemmCall(op, loops, blocking));
  }

  private static GemmLoops loops(Gemm op) {
    return op.cType() == DType.F64 ? GemmLoops.F64 : GemmLoops.F32;
  }

  @Override
  public String details() {
    return "tile "
        + Tiles.MAX_ROWS
        + "x"
        + 2 * loops.lanes()
        + ", block "
        + blocking.rows()
        + "x"
        + blocking.columns()
        + "x"
        + blocking.depth()
        + (blocking.splitK() ? ", split k" : "");
  }

  @Override
  public void run(
      Stream stream,
      double alpha,
      Buffer a,
      Buffer b,
      double beta,
      Buffer c,
      @Nullable Buffer bias,
      @Nullable Buffer aux,
      @Nullable Buffer workspace) {
    if (small != null && alpha == 1 && beta == 0) {
      small.run(a.pinnedSegment(), b.pinnedSegment(), c.pinnedSegment());
      return;
    }
    run(
        alpha,
        a.pinnedSegment(),
        b.pinnedSegment(),
        beta,
        c.pinnedSegment(),
        bias == null ? null : bias.pinnedSegment(),
        aux == null ? null : aux.pinnedSegment());
  }

  /**
   * The product on memory that may be heap memory and may be confined to the calling thread; sizes
   * are checked by the caller.
   */
  public void run(
      double alpha,
      MemorySegment a,
      MemorySegment b,
      double beta,
      MemorySegment c,
      @Nullable MemorySegment bias,
      @Nullable MemorySegment aux) {
    if (op.m() == 0 || op.n() == 0 || op.batch() == 0) {
      clearEmptyGradient(bias);
      return;
    }
    boolean widensA = alpha != 0 && repeatsA() && Narrow.isNarrow(op.aType());
    boolean widensB = alpha != 0 && repeatsB() && Narrow.isNarrow(op.bType());
    GemmCall g = calls.take();
    g.open(
        alpha,
        widensA ? DType.F32 : op.aType(),
        widensA ? widened(WIDE_A, op.aType(), a, sizeA()) : a,
        widensB ? DType.F32 : op.bType(),
        widensB ? widened(WIDE_B, op.bType(), b, sizeB()) : b,
        beta,
        c,
        bias,
        aux);
    // one thread needs no tasks of steps: whole blocks have the same bits
    if (blocking.splitK() && g.multiplies && Parallel.threads() > 1) {
      g.split.run();
    } else {
      g.blocks.run();
    }
    g.sumColumns();
    g.close();
    calls.give(g);
  }

  /** Whether several blocks read the same rows of A, each for itself. */
  private boolean repeatsA() {
    return blocking.slab() == 0 && op.n() > blocking.columns() && worthWidening(sizeA());
  }

  private boolean repeatsB() {
    return blocking.slab() == 0 && op.m() > blocking.rows() && worthWidening(sizeB());
  }

  private boolean worthWidening(long size) {
    boolean matrix = op.batch() == 1 && op.m() > 1 && op.n() > 1 && op.k() > 0;
    return matrix && size <= MOST_WIDENED;
  }

  /** Elements from the first to the last of A. */
  private long sizeA() {
    long rows = op.transposedA() ? op.k() : op.m();
    return (rows - 1) * op.leadingA() + (op.transposedA() ? op.m() : op.k());
  }

  private long sizeB() {
    long rows = op.transposedB() ? op.n() : op.k();
    return (rows - 1) * op.leadingB() + (op.transposedB() ? op.k() : op.n());
  }

  private static MemorySegment widened(
      Scratch memory, DType type, MemorySegment from, long elements) {
    MemorySegment to = memory.get(4 * elements);
    Narrow.load(type, from, 0, to, 0, elements);
    return to;
  }

  /** The sum over no rows is zero. */
  private void clearEmptyGradient(@Nullable MemorySegment bias) {
    if (bias != null && op.epilogue().storesBiasGradient()) {
      bias.asSlice(0, op.cType().bytes(op.n())).fill((byte) 0);
    }
  }
}
