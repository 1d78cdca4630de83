package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.Gemm;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One run of a matrix product: operands, factors, what follows from them, and the bodies of its
 * loops. Its kernel keeps it for the next run.
 */
final class GemmCall {
  /** Any thread but the caller's. */
  private static final Thread ELSEWHERE = Thread.ofPlatform().unstarted(() -> {});

  /** Columns of a task that sums them. */
  private static final int SUM_COLUMNS = 256;

  final Gemm op;
  final GemmLoops loops;
  final GemmBlocking blocking;

  /** Bytes of one element of the compute type. */
  final int e;

  double alpha;
  double beta;

  /** Types of what lies in a and b: the op's, or f32 where they have been widened. */
  DType aType;

  DType bType;
  MemorySegment a = Tiles.ZEROS;
  MemorySegment b = Tiles.ZEROS;
  MemorySegment c = Tiles.ZEROS;

  /** Whether all operands may be used by several threads. */
  private boolean shared;

  @Nullable MemorySegment bias;
  @Nullable MemorySegment aux;

  /** Leading dimensions in elements. */
  final long lda;

  final long ldb;
  final long ldc;

  /** Whether an operand is copied block by block to native memory in the compute type. */
  boolean stageA;

  boolean stageB;
  boolean stageC;

  /** Whether the products are computed at all. */
  boolean multiplies;

  final GemmBlocks blocks;
  final GemmSplit split;
  final GemmPanels panels;
  final GemmRowPanels rowPanels;
  private final Parallel.Range biasGradients;

  GemmCall(Gemm op, GemmLoops loops, GemmBlocking blocking) {
    this.op = op;
    this.loops = loops;
    this.blocking = blocking;
    this.e = loops.bytes();
    this.aType = op.aType();
    this.bType = op.bType();
    this.lda = op.leadingA();
    this.ldb = op.leadingB();
    this.ldc = op.leadingC();
    this.blocks = new GemmBlocks(this);
    this.split = new GemmSplit(this);
    this.panels = new GemmPanels(this);
    this.rowPanels = new GemmRowPanels(this);
    this.biasGradients = (from, to) -> GemmEpilogue.biasGradient(this, from, (int) (to - from));
  }

  /** Begins a run. */
  void open(
      double alpha,
      DType aType,
      MemorySegment a,
      DType bType,
      MemorySegment b,
      double beta,
      MemorySegment c,
      @Nullable MemorySegment bias,
      @Nullable MemorySegment aux) {
    this.alpha = alpha;
    this.beta = beta;
    this.aType = aType;
    this.bType = bType;
    this.a = a;
    this.b = b;
    this.c = c;
    this.bias = bias;
    this.aux = aux;
    this.stageA = staged(aType, a);
    this.stageB = staged(bType, b);
    this.stageC = staged(op.cType(), c);
    this.shared = shared(a) && shared(b) && shared(c);
    this.multiplies = alpha != 0 && op.k() > 0;
  }

  /** Ends a run: keeps nothing of it alive. */
  void close() {
    a = Tiles.ZEROS;
    b = Tiles.ZEROS;
    c = Tiles.ZEROS;
    bias = null;
    aux = null;
    split.close();
    panels.close();
    rowPanels.close();
  }

  /** The sums of C's columns, where the op stores them. */
  void sumColumns() {
    if (op.epilogue().storesBiasGradient()) {
      forRange(op.n(), SUM_COLUMNS, biasGradients);
    }
  }

  /**
   * Heap and mapped memory are staged too: vector loops that meet several kinds of memory lose
   * their speed for good.
   */
  private static boolean staged(DType type, MemorySegment memory) {
    return Narrow.isNarrow(type) || !Narrow.isPlain(memory);
  }

  private static boolean shared(MemorySegment memory) {
    return memory.isAccessibleBy(ELSEWHERE);
  }

  /** {@link Parallel#forRange}, or the same tasks in this thread when operands are confined. */
  void forRange(long total, long grain, Parallel.Range body) {
    if (shared) {
      Parallel.forRange(total, grain, body);
      return;
    }
    for (long i = 0; i < total; i += grain) {
      body.run(i, Math.min(total, i + grain));
    }
  }

  /** Element offset of A's element (i, p) of one product. */
  long atA(long batch, long i, long p) {
    return batch * op.strideA() + (op.transposedA() ? p * lda + i : i * lda + p);
  }

  /** Element offset of B's element (p, j). */
  long atB(long batch, long p, long j) {
    return batch * op.strideB() + (op.transposedB() ? j * ldb + p : p * ldb + j);
  }

  /** Element offset of C's element (i, j). */
  long atC(long batch, long i, long j) {
    return batch * op.strideC() + i * ldc + j;
  }
}
