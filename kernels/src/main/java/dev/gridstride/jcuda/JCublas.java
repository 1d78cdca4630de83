package dev.gridstride.jcuda;

import dev.gridstride.cuda.Cublas;
import java.util.function.IntSupplier;
import jcuda.Pointer;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;

/** cuBLAS 12 through JCuda's JCublas2; loading this class loads JCuda's native library. */
final class JCublas implements Cublas {
  private record Wrapped(cublasHandle handle) implements Handle {
    static cublasHandle of(Handle handle) {
      return ((Wrapped) handle).handle();
    }
  }

  JCublas() {
    JCublas2.setExceptionsEnabled(true); // they are off by default, and errors silent
  }

  private static int status(IntSupplier call) {
    return JCudaErrors.status(
        call, cublasStatus::stringFor, cublasStatus.CUBLAS_STATUS_INTERNAL_ERROR);
  }

  @Override
  public String name() {
    return "cuBLAS by JCuda";
  }

  @Override
  public String statusName(int status) {
    return cublasStatus.stringFor(status);
  }

  @Override
  public int create(Handle[] out) {
    var handle = new cublasHandle();
    out[0] = new Wrapped(handle);
    return status(() -> JCublas2.cublasCreate(handle));
  }

  @Override
  public int setMath(Handle handle, int math) {
    return status(() -> JCublas2.cublasSetMathMode(Wrapped.of(handle), math));
  }

  @Override
  public int setStream(Handle handle, long stream) {
    return status(() -> JCublas2.cublasSetStream(Wrapped.of(handle), JCudaInterop.stream(stream)));
  }

  @Override
  public int setWorkspace(Handle handle, long address, long bytes) {
    return status(() ->
        JCublas2.cublasSetWorkspace(Wrapped.of(handle), JCudaInterop.pointer(address), bytes));
  }

  private static int operation(Matrices m) {
    return m.transposed() ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
  }

  private static Pointer factor(double value, int computeType) {
    return computeType == COMPUTE_64F
        ? Pointer.to(new double[] {value})
        : Pointer.to(new float[] {(float) value});
  }

  @Override
  public int gemm(
      Handle handle,
      int m,
      int n,
      int k,
      double alpha,
      Matrices a,
      Matrices b,
      double beta,
      Matrices c,
      int batch,
      int computeType) {
    return status(() ->
        JCublas2.cublasGemmStridedBatchedEx_new(
            Wrapped.of(handle),
            operation(a),
            operation(b),
            m,
            n,
            k,
            factor(alpha, computeType),
            JCudaInterop.pointer(a.address()),
            a.type(),
            a.leading(),
            a.stride(),
            JCudaInterop.pointer(b.address()),
            b.type(),
            b.leading(),
            b.stride(),
            factor(beta, computeType),
            JCudaInterop.pointer(c.address()),
            c.type(),
            c.leading(),
            c.stride(),
            batch,
            computeType,
            cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
  }
}
