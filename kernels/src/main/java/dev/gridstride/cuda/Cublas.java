package dev.gridstride.cuda;

import org.jspecify.annotations.Nullable;

/**
 * NVIDIA's cuBLAS as a binding offers it: each method is one call and returns its status. Constants
 * are those of NVIDIA's public documentation (cublas_api.h).
 */
public interface Cublas {
  /** cublasMath_t: f32 is f32, and narrow results are summed in f32. */
  int DISALLOW_REDUCED_PRECISION_REDUCTION = 16;

  // cublasComputeType_t
  int COMPUTE_32F = CublasLt.COMPUTE_32F;
  int COMPUTE_64F = CublasLt.COMPUTE_64F;

  // cublasStatus_t
  int ALLOC_FAILED = 3;
  int NOT_SUPPORTED = 15;

  /**
   * What was found.
   *
   * @param library the library; null when there is none that can be used
   * @param reason why there is none
   */
  record Found(@Nullable Cublas library, String reason) {}

  /** A handle, as the binding holds it. */
  interface Handle {}

  /**
   * Column-major matrices, one behind the other.
   *
   * @param type as cudaDataType_t
   * @param transposed whether its transpose is meant
   */
  record Matrices(long address, int type, boolean transposed, int leading, long stride) {}

  /** As {@code cuBLAS by JCuda}. */
  String name();

  /** The name of a status. */
  String statusName(int status);

  /** Writes a new handle on the current device to {@code out[0]}. */
  int create(Handle[] out);

  /** cublasSetMathMode. */
  int setMath(Handle handle, int math);

  /** From now on the handle's calls go to a stream, and its workspace is its own again. */
  int setStream(Handle handle, long stream);

  /** From now on the handle's calls use this memory of the device. */
  int setWorkspace(Handle handle, long address, long bytes);

  /**
   * cublasGemmStridedBatchedEx: queues {@code C = alpha op(A) op(B) + beta C}, m by n with k terms.
   *
   * @param computeType also says whether the factors are f32 or f64
   */
  int gemm(
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
      int computeType);
}
