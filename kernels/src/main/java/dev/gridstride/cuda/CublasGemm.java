package dev.gridstride.cuda;

import dev.gridstride.cuda.Cublas.Handle;
import dev.gridstride.cuda.Cublas.Matrices;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceException;
import dev.gridstride.device.DeviceMemoryException;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.device.UnsupportedException;
import dev.gridstride.kernels.Epilogue;
import dev.gridstride.kernels.Gemm;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products by a binding of cuBLAS, which has no epilogues: operands change places, as in
 * {@link CublasLtGemm}.
 *
 * <p>It has a workspace of its own: with the library's, results may differ while several streams
 * use it.
 */
public final class CublasGemm extends CudaKernel implements Gemm.Kernel {
  /** As NVIDIA recommends for Hopper, where it is largest. */
  private static final long WORKSPACE = 32L << 20;

  private static final VendorHandles<Handle> HANDLES = new VendorHandles<>();

  private final Cublas library;
  private final CudaDevice device;
  private final Gemm op;
  private final VendorHandles.Locked<Handle> handle;

  /** A kernel for {@code op} by a binding of cuBLAS. */
  public CublasGemm(Gemm op, Device device, Cublas.Found found) {
    super(op.name(), device);
    Cublas cublas = found.library();
    if (cublas == null) {
      throw new UnsupportedException("gemm: cuBLAS: " + found.reason());
    }
    this.library = cublas;
    this.device = (CudaDevice) device;
    this.op = op;
    this.handle =
        HANDLES.get(
            cublas,
            this.device,
            () -> {
              var out = new Handle[1];
              check("cublasCreate", cublas.create(out));
              check(
                  "cublasSetMathMode",
                  cublas.setMath(out[0], Cublas.DISALLOW_REDUCED_PRECISION_REDUCTION));
              return out[0];
            });
  }

  /** Whether a binding of cuBLAS computes {@code op} as Gridstride means it, and why not. */
  public static Support accepts(Gemm op, Device device, Cublas.Found found) {
    return VendorSupport.of(
        device, found.reason(), () -> describes(op), () -> new CublasGemm(op, device, found));
  }

  private static Support describes(Gemm op) {
    if (!op.epilogue().equals(Epilogue.NONE)) {
      return Support.no("it has no epilogues");
    }
    boolean small =
        LongStream.of(
                op.m(), op.n(), op.k(), op.leadingA(), op.leadingB(), op.leadingC(), op.batch())
            .allMatch(size -> size <= Integer.MAX_VALUE);
    return small
        ? CublasLtGemm.sizesAndTypes(op)
        : Support.no("a size or leading dimension beyond 2^31 - 1");
  }

  @Override
  public long workspaceBytes() {
    return alignable(WORKSPACE);
  }

  @Override
  public String details() {
    return library.name();
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
      // cuBLAS does not promise to leave A and B alone; a product of no terms does
      device.plan(CublasLtGemm.withoutTerms(op)).run(stream, 0, a, b, beta, c);
      return;
    }
    // row-major B is the first operand, n by k; A the second, k by m
    Matrices left = matrices(b, op.bType(), op.transposedB(), op.leadingB(), op.strideB());
    Matrices right = matrices(a, op.aType(), op.transposedA(), op.leadingA(), op.strideA());
    Matrices result = matrices(c, op.cType(), false, op.leadingC(), op.strideC());
    int type = op.cType() == DType.F64 ? Cublas.COMPUTE_64F : Cublas.COMPUTE_32F;
    long scratch = aligned(work);
    launch(
        stream,
        s -> {
          synchronized (handle) {
            Handle h = handle.handle();
            check("cublasSetStream", library.setStream(h, s));
            check("cublasSetWorkspace", library.setWorkspace(h, scratch, WORKSPACE));
            check(
                "cublasGemmStridedBatchedEx",
                library.gemm(
                    h,
                    (int) op.n(),
                    (int) op.m(),
                    (int) op.k(),
                    alpha,
                    left,
                    right,
                    beta,
                    result,
                    (int) op.batch(),
                    type));
          }
          return Abi.OK;
        });
  }

  private static Matrices matrices(
      Buffer memory, DType type, boolean transposed, long leading, long stride) {
    return new Matrices(pointer(memory), CublasLt.type(type), transposed, (int) leading, stride);
  }

  private void check(String function, int status) {
    if (status == 0) {
      return;
    }
    String message =
        "gemm: " + library.name() + ": " + function + ": " + library.statusName(status);
    switch (status) {
      case Cublas.ALLOC_FAILED -> throw new DeviceMemoryException(message);
      case Cublas.NOT_SUPPORTED -> throw new UnsupportedException(message);
      default -> throw new DeviceException(message);
    }
  }
}
