package dev.gridstride.cuda;

import dev.gridstride.cuda.CublasLt.Description;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.device.UnsupportedException;
import dev.gridstride.kernels.Epilogue;
import dev.gridstride.kernels.Epilogue.Activation;
import dev.gridstride.kernels.Gemm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products by cuBLASLt, with its heuristic's first choice.
 *
 * <p>cuBLASLt's matrices are column-major. A row-major matrix is the transpose of the column-major
 * one in the same memory, so the product is computed as {@code C^T = op(B)^T op(A)^T}: the operands
 * change places, everything else stays.
 *
 * <p>Only epilogues with Gridstride's meaning are taken: cuBLASLt's GELU is the tanh approximation,
 * its ReLU makes no promise for NaN and saves bits instead of values.
 */
public final class CublasLtGemm extends CudaKernel implements Gemm.Kernel {
  private static final Cleaner CLEANER = Cleaner.create();

  /** As NVIDIA recommends for Hopper; also what a workspace may at most take here. */
  private static final long MOST_WORKSPACE = 32L << 20;

  private static final long ALIGNMENT = 256;

  /** What vector accesses want; an operand that has less gets an algorithm of its own. */
  private static final int VECTOR = 16;

  private final CublasLt library;
  private final CudaDevice device;
  private final Gemm op;
  private final long handle;
  private final List<Description> owned = new ArrayList<>();
  private final Cleaner.Cleanable cleanable;
  private final Description product;
  private final Description left;
  private final Description right;
  private final Description result;
  private final MemorySegment aligned;
  private final @Nullable MemorySegment unaligned;
  private final long workspace;

  /** Guarded by the description's lock: no call may use one that has been freed. */
  private boolean closed;

  /** A kernel for {@code op}. */
  public CublasLtGemm(Gemm op, Device device) {
    this(op, device, CublasLt.installed());
  }

  CublasLtGemm(Gemm op, Device device, CublasLt.Found found) {
    super(op.name(), device);
    CublasLt lt = found.library();
    if (lt == null) {
      throw new UnsupportedException("gemm: cuBLASLt: " + found.reason());
    }
    this.library = lt;
    this.device = (CudaDevice) device;
    this.op = op;
    this.handle = lt.handle(this.device);
    List<Description> toFree = owned;
    this.cleanable = CLEANER.register(this, () -> toFree.forEach(Description::close));
    this.product = own(describe(lt, op));
    // row-major B is the first operand, n by k; A the second, k by m
    this.left =
        own(
            layout(
                op.bType(),
                op.transposedB() ? op.k() : op.n(),
                op.transposedB() ? op.n() : op.k(),
                op.leadingB(),
                op.strideB()));
    this.right =
        own(
            layout(
                op.aType(),
                op.transposedA() ? op.m() : op.k(),
                op.transposedA() ? op.k() : op.m(),
                op.leadingA(),
                op.strideA()));
    this.result = own(layout(op.cType(), op.n(), op.m(), op.leadingC(), op.strideC()));
    MemorySegment best = algorithm(VECTOR);
    if (best == null) {
      close();
      throw new UnsupportedException("gemm: cuBLASLt has no algorithm for " + op);
    }
    this.aligned = best;
    this.unaligned = algorithm(op.aType().bytes());
    long bytes = bytes(aligned);
    this.workspace = Math.max(bytes, unaligned == null ? 0 : bytes(unaligned));
  }

  private Description own(Description description) {
    owned.add(description);
    return description;
  }

  private static Description describe(CublasLt lt, Gemm op) {
    boolean wide = op.cType() == DType.F64;
    Description d =
        lt.product(wide ? CublasLt.COMPUTE_64F : CublasLt.COMPUTE_32F, wide ? DType.F64 : DType.F32)
            .set(CublasLt.DESC_TRANSA, op.transposedB() ? 1 : 0)
            .set(CublasLt.DESC_TRANSB, op.transposedA() ? 1 : 0)
            .set(CublasLt.DESC_EPILOGUE, epilogue(op.epilogue()));
    if (op.epilogue().usesAux()) {
      d.set(CublasLt.DESC_AUX_LD, op.leadingC());
      d.set(CublasLt.DESC_AUX_BATCH_STRIDE, op.batch() > 1 ? op.strideC() : 0L);
    }
    return d;
  }

  private static int epilogue(Epilogue e) {
    if (e.isBackward()) {
      return CublasLt.EPILOGUE_DGELU;
    }
    int chosen =
        (e.activation() == Activation.GELU_TANH ? CublasLt.EPILOGUE_GELU : 0)
            | (e.addsBias() ? CublasLt.EPILOGUE_BIAS : 0)
            | (e.savesAux() ? CublasLt.EPILOGUE_AUX : 0);
    return chosen == 0 ? CublasLt.EPILOGUE_DEFAULT : chosen;
  }

  private Description layout(DType type, long rows, long columns, long leading, long stride) {
    Description d = library.layout(type, rows, columns, leading);
    if (op.batch() > 1) {
      d.set(CublasLt.LAYOUT_BATCH_COUNT, (int) op.batch());
      d.set(CublasLt.LAYOUT_BATCH_STRIDE, stride);
    }
    return d;
  }

  /** The first choice for operands of this alignment; null when there is none. */
  private @Nullable MemorySegment algorithm(int alignment) {
    MemorySegment found = Arena.ofAuto().allocate(CublasLt.RESULT_BYTES, 8);
    try (Description preference = library.preference()) {
      preference.set(CublasLt.PREFERENCE_WORKSPACE, MOST_WORKSPACE);
      // the same bits from run to run: no sums in the order in which blocks happen to finish
      preference.set(CublasLt.PREFERENCE_REDUCTIONS, CublasLt.REDUCTION_COMPUTE_TYPE);
      for (int operand = 0; operand < 4; operand++) {
        preference.set(CublasLt.PREFERENCE_ALIGNMENT_A + operand, alignment);
      }
      // of these addresses only the alignment counts here; run sets the operands'
      if (op.epilogue().usesBias()) {
        product.set(CublasLt.DESC_BIAS_POINTER, (long) alignment);
      }
      if (op.epilogue().usesAux()) {
        product.set(CublasLt.DESC_AUX_POINTER, (long) alignment);
      }
      device.enter();
      return library.heuristic(handle, product, left, right, result, preference, found)
          ? found
          : null;
    }
  }

  private static long bytes(MemorySegment algorithm) {
    return algorithm.get(ValueLayout.JAVA_LONG, CublasLt.RESULT_WORKSPACE);
  }

  /** Whether cuBLASLt computes {@code op} as Gridstride means it, and why not. */
  public static Support accepts(Gemm op, Device device) {
    return accepts(op, device, CublasLt.installed());
  }

  static Support accepts(Gemm op, Device device, CublasLt.Found found) {
    return VendorSupport.of(
        device, found.reason(), () -> describes(op), () -> new CublasLtGemm(op, device, found));
  }

  /** Whether cuBLAS has products of these sizes and types. */
  static Support sizesAndTypes(Gemm op) {
    if (op.m() == 0 || op.n() == 0 || op.k() == 0 || op.batch() == 0) {
      return Support.no("an empty product");
    }
    if (op.batch() > Integer.MAX_VALUE) {
      return Support.no("more than 2^31 - 1 products");
    }
    boolean sameIn = op.aType() == op.bType();
    boolean out = op.cType() == op.aType() || op.cType() == DType.F32;
    return sameIn && out
        ? Support.YES
        : Support.no(
            "types: A and B alike, C like them or f32; given "
                + op.aType()
                + ", "
                + op.bType()
                + ", "
                + op.cType());
  }

  private static Support describes(Gemm op) {
    Epilogue e = op.epilogue();
    if (sizesAndTypes(op) instanceof Support.Unsupported no) {
      return no;
    }
    if (e.storesBiasGradient()) {
      return Support.no("its bias gradient is not documented to be that of the result");
    }
    return switch (e.activation()) {
      case RELU -> Support.no("its ReLU makes no promise for NaN");
      case GELU -> Support.no("its GELU is the tanh approximation");
      case IDENTITY -> Support.YES;
      case GELU_TANH ->
          e.usesAux() && (op.leadingC() % 8 != 0 || (op.batch() > 1 && op.strideC() % 8 != 0))
              ? Support.no("aux: ldc and strideC must be multiples of 8")
              : Support.YES;
    };
  }

  @Override
  public long workspaceBytes() {
    return workspace == 0 ? 0 : workspace + ALIGNMENT;
  }

  @Override
  public String details() {
    return "cuBLASLt " + library.version() + (unaligned == null ? ", aligned operands only" : "");
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
      @Nullable Buffer work) {
    if (alpha == 0) {
      // cuBLASLt does not promise to leave A and B alone; a product of no terms does
      device.plan(withoutTerms(op)).run(stream, 0, a, b, beta, c, bias, aux, null);
      return;
    }
    long pa = pointer(a);
    long pb = pointer(b);
    long pc = pointer(c);
    long pBias = pointer(bias);
    long pAux = pointer(aux);
    boolean vectors = (pa | pb | pc | pBias | pAux) % VECTOR == 0;
    MemorySegment algorithm = vectors ? aligned : unaligned;
    if (algorithm == null) {
      throw new UnsupportedException(
          "gemm: cuBLASLt needs operands that are aligned to "
              + VECTOR
              + " bytes for this product");
    }
    long scratch = work == null ? 0 : (pointer(work) + ALIGNMENT - 1) & -ALIGNMENT;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment factors = factors(arena, alpha, beta);
      launch(
          stream,
          s -> {
            // the operands' addresses are part of the description, which threads share
            synchronized (product) {
              if (closed) {
                throw new ClosedException("gemm: the plan has been closed");
              }
              if (pBias != 0) {
                product.set(CublasLt.DESC_BIAS_POINTER, pBias);
              }
              if (pAux != 0) {
                product.set(CublasLt.DESC_AUX_POINTER, pAux);
              }
              library.matmul(
                  handle,
                  product,
                  factors,
                  pb,
                  left,
                  pa,
                  right,
                  factors.asSlice(8),
                  pc,
                  result,
                  algorithm,
                  scratch,
                  workspace,
                  s);
            }
            return Abi.OK;
          });
    }
  }

  /** alpha, and 8 bytes behind it beta, in the scale type. */
  private MemorySegment factors(Arena arena, double alpha, double beta) {
    MemorySegment both = arena.allocate(16, 8);
    if (op.cType() == DType.F64) {
      both.set(ValueLayout.JAVA_DOUBLE, 0, alpha);
      both.set(ValueLayout.JAVA_DOUBLE, 8, beta);
    } else {
      both.set(ValueLayout.JAVA_FLOAT, 0, (float) alpha);
      both.set(ValueLayout.JAVA_FLOAT, 8, (float) beta);
    }
    return both;
  }

  /** A product of no terms: what {@code op} is with {@code alpha = 0}. */
  static Gemm withoutTerms(Gemm op) {
    return Gemm.of(op.m(), op.n(), 0)
        .types(op.aType(), op.bType(), op.cType())
        .trans(op.transposedA(), op.transposedB())
        .leading(op.leadingA(), op.leadingB(), op.leadingC())
        .batched(op.batch(), op.strideA(), op.strideB(), op.strideC())
        .with(op.epilogue());
  }

  @Override
  public void close() {
    synchronized (product) {
      closed = true;
      cleanable.clean();
    }
  }
}
