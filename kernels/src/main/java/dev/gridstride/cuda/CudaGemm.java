package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Epilogue;
import dev.gridstride.kernels.Gemm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products by {@code gs_gemm_run}, with one of its methods.
 *
 * <p>What a method can't do is the library's to say. The workspace is of the call, from the
 * stream-ordered pool: plans are shared by threads.
 */
public final class CudaGemm extends CudaKernel implements Gemm.Kernel {
  private static final MethodHandle WORKSPACE = status("gs_gemm_workspace", HOST, HOST);
  private static final MethodHandle RUN =
      status("gs_gemm_run", HOST, F64, DEVICE, DEVICE, F64, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);

  private final MemorySegment run = symbol("gs_gemm_run");
  private final MemorySegment gemm;
  private final long workspace;

  private CudaGemm(Gemm op, Device device, int method) {
    super(op.name(), device);
    this.gemm = describe(op, method);
    MemorySegment query = symbol("gs_gemm_workspace");
    this.workspace = sizes(1, s -> (int) WORKSPACE.invokeExact(query, gemm, s))[0];
  }

  /** Whether tensor cores can be used by wgmma. */
  public static Support wgmma(Gemm op, Device device) {
    return accepts(op, device, Abi.GEMM_WGMMA);
  }

  /** A kernel for Hopper's tensor cores; without it where operands are not 16-byte aligned. */
  public static CudaGemm withWgmma(Gemm op, Device device) {
    return new CudaGemm(op, device, Abi.GEMM_WGMMA);
  }

  /** Whether tensor cores can be used by mma.sync. */
  public static Support mma(Gemm op, Device device) {
    return accepts(op, device, Abi.GEMM_MMA);
  }

  /** A kernel for tensor cores, by mma.sync. */
  public static CudaGemm withMma(Gemm op, Device device) {
    return new CudaGemm(op, device, Abi.GEMM_MMA);
  }

  /** Whether it can be computed without tensor cores. */
  public static Support simt(Gemm op, Device device) {
    return accepts(op, device, Abi.GEMM_SIMT);
  }

  /** A kernel without tensor cores. */
  public static CudaGemm withSimt(Gemm op, Device device) {
    return new CudaGemm(op, device, Abi.GEMM_SIMT);
  }

  private static Support accepts(Gemm op, Device device, int method) {
    return new Query(op, device).accepts(describe(op, method));
  }

  /** Asks the library without preparing a kernel. */
  private static final class Query extends CudaKernel {
    Query(Gemm op, Device device) {
      super(op.name(), device);
    }

    Support accepts(MemorySegment gemm) {
      MemorySegment query = symbol("gs_gemm_workspace");
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment bytes = arena.allocate(ValueLayout.JAVA_LONG);
        return support(() -> (int) WORKSPACE.invokeExact(query, gemm, bytes));
      }
    }
  }

  private static MemorySegment describe(Gemm op, int method) {
    Epilogue e = op.epilogue();
    return Struct.of(Abi.GEMM)
        .set("m", op.m())
        .set("n", op.n())
        .set("k", op.k())
        .set("lda", op.leadingA())
        .set("ldb", op.leadingB())
        .set("ldc", op.leadingC())
        .set("batch", op.batch())
        .set("stride_a", op.strideA())
        .set("stride_b", op.strideB())
        .set("stride_c", op.strideC())
        .set("trans_a", op.transposedA())
        .set("trans_b", op.transposedB())
        .set("a_type", Abi.type(op.aType()))
        .set("b_type", Abi.type(op.bType()))
        .set("c_type", Abi.type(op.cType()))
        .set("tf32", op.tf32())
        .set("activation", Abi.number(e.activation()))
        .set("backward", e.isBackward())
        .set("add_bias", e.addsBias())
        .set("save_aux", e.savesAux())
        .set("bias_gradient", e.storesBiasGradient())
        .set("method", method)
        .memory();
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
      @Nullable Buffer unused) {
    long pa = pointer(a);
    long pb = pointer(b);
    long pc = pointer(c);
    long pBias = pointer(bias);
    long pAux = pointer(aux);
    launch(
        stream,
        workspace,
        (work, s) ->
            (int) RUN.invokeExact(run, gemm, alpha, pa, pb, beta, pc, pBias, pAux, work, s));
  }
}
