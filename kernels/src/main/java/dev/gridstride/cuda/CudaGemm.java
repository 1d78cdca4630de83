package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Epilogue;
import dev.gridstride.kernels.Gemm;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** Matrix products in f32 and f64 by {@code gs_gemm_f32} and {@code gs_gemm_f64}. */
public final class CudaGemm extends CudaKernel implements Gemm.Kernel {
  private static final MethodHandle GEMM_F32 =
      status("gs_gemm_f32", HOST, F32, DEVICE, DEVICE, F32, DEVICE, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle GEMM_F64 =
      status("gs_gemm_f64", HOST, F64, DEVICE, DEVICE, F64, DEVICE, DEVICE, DEVICE, DEVICE);

  private final MemorySegment function;
  private final MemorySegment gemm;
  private final boolean wide;

  /** A kernel for {@code op}. */
  public CudaGemm(Gemm op, Device device) {
    super(op.name(), device);
    Epilogue e = op.epilogue();
    this.wide = op.cType() == DType.F64;
    this.function = symbol(wide ? "gs_gemm_f64" : "gs_gemm_f32");
    this.gemm =
        Struct.of(Abi.GEMM)
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
            .set("activation", Abi.number(e.activation()))
            .set("backward", e.isBackward())
            .set("add_bias", e.addsBias())
            .set("save_aux", e.savesAux())
            .memory();
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(Gemm op) {
    if (op.epilogue().storesBiasGradient()) {
      return Support.no("no epilogue with the bias gradient");
    }
    if (op.aType() != op.cType()
        || op.bType() != op.cType()
        || (op.cType() != DType.F32 && op.cType() != DType.F64)) {
      return Support.no(
          "f32 or f64 throughout; given " + op.aType() + ", " + op.bType() + ", " + op.cType());
    }
    return Support.YES;
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
    long pa = pointer(a);
    long pb = pointer(b);
    long pc = pointer(c);
    long pBias = pointer(bias);
    long pAux = pointer(aux);
    float alpha32 = (float) alpha;
    float beta32 = (float) beta;
    launch(
        stream,
        s ->
            wide
                ? (int)
                    GEMM_F64.invokeExact(function, gemm, alpha, pa, pb, beta, pc, pBias, pAux, s)
                : (int)
                    GEMM_F32.invokeExact(
                        function, gemm, alpha32, pa, pb, beta32, pc, pBias, pAux, s));
  }
}
