package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuGemm;
import dev.gridstride.cuda.CublasLtGemm;
import dev.gridstride.cuda.CudaGemm;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.jcuda.JCudaVendors;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The general matrix product {@code C = epilogue(alpha op(A) op(B) + beta C)}, row-major, with
 * {@code op(X)} X or its transpose; a batch of them at constant distances.
 *
 * <p>op(A) is m by k, op(B) k by n, C m by n. A is stored as {@code [m, k]}, or {@code [k, m]} with
 * transA, rows {@code lda} elements apart; B as {@code [k, n]}, or {@code [n, k]} with transB, rows
 * {@code ldb} apart; C as {@code [m, n]}, rows {@code ldc} apart. What lies between the rows is
 * neither read nor written.
 *
 * <p>Types: f64 throughout; or f32, bf16 or f16 for each of A, B and C, multiplied and accumulated
 * in f32 and rounded once, to nearest even, when stored. On the CPU the sum over k is a chain of
 * fused multiply-adds over at most 512 terms; the chains' results are added in order. (For m = 1 or
 * n = 1 and contiguous vectors, lanes hold partial sums instead.) On a GPU it is one chain, or one
 * for each of a few parts of k, added in order, where C is small; bf16 and f16 go through tensor
 * cores, which add 16 products at once. Same bits from run to run and for any number of threads;
 * not the same on CPU and GPU.
 *
 * <p>NaN and infinities follow IEEE 754 with the rules of BLAS: beta = 0 never reads C (it may hold
 * NaN), and alpha = 0 or k = 0 reads neither A nor B: the result is then epilogue(beta C). m or n
 * or batch 0 does nothing.
 *
 * <p>Leading dimensions of 0 stand for tight rows. Source of the definition: BLAS Level 3 (Dongarra
 * et al., 1990), here in row-major order.
 *
 * @param m rows of op(A) and C
 * @param n columns of op(B) and C
 * @param k columns of op(A), rows of op(B)
 * @param aType element type of A
 * @param bType element type of B
 * @param cType element type of C, bias and aux
 * @param transposedA whether A is stored transposed
 * @param transposedB whether B is stored transposed
 * @param lda elements from one stored row of A to the next, or 0 for tight rows
 * @param ldb the same of B
 * @param ldc the same of C and aux
 * @param batch number of products
 * @param strideA elements from one product's A to the next; 0 uses the same A for all
 * @param strideB the same of B
 * @param strideC the same of C and aux; products must not overlap in C
 * @param epilogue what is done to the result before it is stored
 * @param tf32 whether f32 elements of A and B may be rounded to TF32, see {@link #allowTf32}
 */
public record Gemm(
    long m,
    long n,
    long k,
    DType aType,
    DType bType,
    DType cType,
    boolean transposedA,
    boolean transposedB,
    long lda,
    long ldb,
    long ldc,
    long batch,
    long strideA,
    long strideB,
    long strideC,
    Epilogue epilogue,
    boolean tf32)
    implements Op<Gemm.Plan> {
  private static final Implementations<Gemm, Kernel> IMPLEMENTATIONS =
      Implementations.of(
              Implementation.cpu("blocked", CpuGemm::new),
              Implementation.cuda("wgmma", CudaGemm::wgmma, CudaGemm::withWgmma),
              Implementation.cuda("mma", CudaGemm::mma, CudaGemm::withMma),
              Implementation.cuda("simt", CudaGemm::simt, CudaGemm::withSimt))
          .withVendors(
              Implementation.cuda("cublaslt", CublasLtGemm::accepts, CublasLtGemm::new),
              Implementation.cuda("jcublas", JCudaVendors::acceptsGemm, JCudaVendors::gemm));

  /** Checks sizes, types, leading dimensions and strides. */
  public Gemm {
    Objects.requireNonNull(epilogue, "epilogue");
    if (m < 0 || n < 0 || k < 0) {
      throw bad("sizes", "must not be negative", "m=%d, n=%d, k=%d", m, n, k);
    }
    if (!aType.isFloating() || !bType.isFloating() || !cType.isFloating()) {
      throw bad("types", "must be f64, f32, bf16 or f16", "a=%s, b=%s, c=%s", aType, bType, cType);
    }
    boolean wide = aType == DType.F64;
    if (wide != (bType == DType.F64) || wide != (cType == DType.F64)) {
      throw bad("types", "must all be f64 or none", "a=%s, b=%s, c=%s", aType, bType, cType);
    }
    checkLeading("lda", lda, transposedA ? m : k);
    checkLeading("ldb", ldb, transposedB ? k : n);
    checkLeading("ldc", ldc, n);
    if (batch < 0) {
      throw bad("batch", "must not be negative", "batch=%d", batch);
    }
    if (strideA < 0 || strideB < 0) {
      throw bad("strides", "must not be negative", "strideA=%d, strideB=%d", strideA, strideB);
    }
    long spanC = span(m, n, ldc == 0 ? n : ldc);
    if (batch > 1 && strideC < spanC) {
      throw bad(
          "strideC",
          "must be at least one product's extent",
          "strideC=%d, extent=%d",
          strideC,
          spanC);
    }
    // overflow of any extent
    extent(batch, strideA, span(transposedA ? k : m, transposedA ? m : k, lda));
    extent(batch, strideB, span(transposedB ? n : k, transposedB ? k : n, ldb));
    extent(batch, strideC, spanC);
  }

  private static InvalidArgumentException bad(
      String argument, String rule, String given, Object... values) {
    return InvalidArgumentException.of("gemm", argument, rule, given, values);
  }

  private static void checkLeading(String name, long ld, long columns) {
    if (ld < 0 || (ld > 0 && ld < columns)) {
      throw bad(
          name,
          "must be at least the stored columns, or 0 for tight rows",
          "%s=%d, columns=%d",
          name,
          ld,
          columns);
    }
  }

  private static long span(long rows, long columns, long ld) {
    if (rows == 0 || columns == 0) {
      return 0;
    }
    return elements(rows - 1, ld == 0 ? columns : ld, columns);
  }

  private static long extent(long batch, long stride, long span) {
    return batch == 0 ? 0 : elements(batch - 1, stride, span);
  }

  /** {@code count * distance + last}. */
  private static long elements(long count, long distance, long last) {
    try {
      return Math.addExact(Math.multiplyExact(count, distance), last);
    } catch (ArithmeticException overflow) {
      throw bad(
          "sizes",
          "must give operands of fewer than 2^63 elements",
          "%d * %d + %d",
          count,
          distance,
          last);
    }
  }

  /** An f32 product of tight matrices. */
  public static Gemm of(long m, long n, long k) {
    return new Gemm(
        m,
        n,
        k,
        DType.F32,
        DType.F32,
        DType.F32,
        false,
        false,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        Epilogue.NONE,
        false);
  }

  /** The same with these element types. */
  public Gemm types(DType a, DType b, DType c) {
    return new Gemm(
        m,
        n,
        k,
        a,
        b,
        c,
        transposedA,
        transposedB,
        lda,
        ldb,
        ldc,
        batch,
        strideA,
        strideB,
        strideC,
        epilogue,
        tf32);
  }

  /** The same with one element type for all operands. */
  public Gemm type(DType all) {
    return types(all, all, all);
  }

  /** The same with A stored as {@code [k, m]}. */
  public Gemm transA() {
    return trans(true, transposedB);
  }

  /** The same with B stored as {@code [n, k]}. */
  public Gemm transB() {
    return trans(transposedA, true);
  }

  /** The same with these transpositions. */
  public Gemm trans(boolean a, boolean b) {
    return new Gemm(
        m, n, k, aType, bType, cType, a, b, lda, ldb, ldc, batch, strideA, strideB, strideC,
        epilogue, tf32);
  }

  /** The same with these leading dimensions, 0 for tight rows. */
  public Gemm leading(long a, long b, long c) {
    return new Gemm(
        m,
        n,
        k,
        aType,
        bType,
        cType,
        transposedA,
        transposedB,
        a,
        b,
        c,
        batch,
        strideA,
        strideB,
        strideC,
        epilogue,
        tf32);
  }

  /** {@code count} products, one after the other in memory without gaps. */
  public Gemm batched(long count) {
    return batched(
        count,
        elements(transposedA ? k : m, leadingA(), 0),
        elements(transposedB ? n : k, leadingB(), 0),
        elements(m, leadingC(), 0));
  }

  /** {@code count} products at these distances in elements; 0 for A or B uses it for all. */
  public Gemm batched(long count, long a, long b, long c) {
    return new Gemm(
        m,
        n,
        k,
        aType,
        bType,
        cType,
        transposedA,
        transposedB,
        lda,
        ldb,
        ldc,
        count,
        a,
        b,
        c,
        epilogue,
        tf32);
  }

  /** The same with this epilogue. */
  public Gemm with(Epilogue after) {
    return new Gemm(
        m,
        n,
        k,
        aType,
        bType,
        cType,
        transposedA,
        transposedB,
        lda,
        ldb,
        ldc,
        batch,
        strideA,
        strideB,
        strideC,
        after,
        tf32);
  }

  /**
   * The same with f32 operands of A and B that may be rounded to TF32, which keeps 10 bits of the
   * mantissa, where that lets a device use its tensor cores; never without this call.
   */
  public Gemm allowTf32() {
    return new Gemm(
        m,
        n,
        k,
        aType,
        bType,
        cType,
        transposedA,
        transposedB,
        lda,
        ldb,
        ldc,
        batch,
        strideA,
        strideB,
        strideC,
        epilogue,
        true);
  }

  // ---- short forms

  /**
   * {@code C = alpha op(A) op(B) + beta C} on float arrays, in the argument order of BLAS but
   * row-major; on the CPU, with the rules of this class.
   *
   * @param transA whether A is stored transposed
   * @param transB whether B is stored transposed
   * @param m rows of op(A) and C
   * @param n columns of op(B) and C
   * @param k columns of op(A), rows of op(B)
   * @param alpha factor of the product; 0 reads neither a nor b
   * @param a A, stored as {@code [m, k]}, or {@code [k, m]} when transposed
   * @param lda elements from one stored row to the next
   * @param b B, stored as {@code [k, n]}, or {@code [n, k]} when transposed
   * @param ldb elements from one stored row to the next
   * @param beta factor of C's old value; 0 does not read it
   * @param c C, {@code [m, n]}; must not be a or b
   * @param ldc elements from one row to the next
   * @throws InvalidArgumentException when a size is negative, a leading dimension smaller than a
   *     row, an array too short, or c is also an input
   */
  public static void sgemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      float alpha,
      float[] a,
      int lda,
      float[] b,
      int ldb,
      float beta,
      float[] c,
      int ldc) {
    sgemm(transA, transB, m, n, k, alpha, a, 0, lda, b, 0, ldb, beta, c, 0, ldc);
  }

  /**
   * The same, each matrix beginning at an index of its array; c may be the array of an input when
   * the two do not overlap.
   */
  public static void sgemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      float alpha,
      float[] a,
      int aOffset,
      int lda,
      float[] b,
      int bOffset,
      int ldb,
      float beta,
      float[] c,
      int cOffset,
      int ldc) {
    var call = new BlasGemm("sgemm", DType.F32, transA, transB, m, n, k, lda, ldb, ldc);
    call.run(
        alpha,
        call.part("a", MemorySegment.ofArray(a), aOffset, call.op().countA()),
        call.part("b", MemorySegment.ofArray(b), bOffset, call.op().countB()),
        beta,
        call.part("c", MemorySegment.ofArray(c), cOffset, call.op().countC()));
  }

  /** The same on memory segments of any kind, each matrix beginning where its segment does. */
  public static void sgemm(
      boolean transA,
      boolean transB,
      long m,
      long n,
      long k,
      float alpha,
      MemorySegment a,
      long lda,
      MemorySegment b,
      long ldb,
      float beta,
      MemorySegment c,
      long ldc) {
    var call = new BlasGemm("sgemm", DType.F32, transA, transB, m, n, k, lda, ldb, ldc);
    call.run(
        alpha,
        call.part("a", a, 0, call.op().countA()),
        call.part("b", b, 0, call.op().countB()),
        beta,
        call.part("c", c, 0, call.op().countC()));
  }

  /**
   * {@link #sgemm(boolean, boolean, int, int, int, float, float[], int, float[], int, float,
   * float[], int)} in f64.
   */
  public static void dgemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      double alpha,
      double[] a,
      int lda,
      double[] b,
      int ldb,
      double beta,
      double[] c,
      int ldc) {
    dgemm(transA, transB, m, n, k, alpha, a, 0, lda, b, 0, ldb, beta, c, 0, ldc);
  }

  /** The same with offsets into the arrays. */
  public static void dgemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      double alpha,
      double[] a,
      int aOffset,
      int lda,
      double[] b,
      int bOffset,
      int ldb,
      double beta,
      double[] c,
      int cOffset,
      int ldc) {
    var call = new BlasGemm("dgemm", DType.F64, transA, transB, m, n, k, lda, ldb, ldc);
    call.run(
        alpha,
        call.part("a", MemorySegment.ofArray(a), aOffset, call.op().countA()),
        call.part("b", MemorySegment.ofArray(b), bOffset, call.op().countB()),
        beta,
        call.part("c", MemorySegment.ofArray(c), cOffset, call.op().countC()));
  }

  /** The same on memory segments of any kind. */
  public static void dgemm(
      boolean transA,
      boolean transB,
      long m,
      long n,
      long k,
      double alpha,
      MemorySegment a,
      long lda,
      MemorySegment b,
      long ldb,
      double beta,
      MemorySegment c,
      long ldc) {
    var call = new BlasGemm("dgemm", DType.F64, transA, transB, m, n, k, lda, ldb, ldc);
    call.run(
        alpha,
        call.part("a", a, 0, call.op().countA()),
        call.part("b", b, 0, call.op().countB()),
        beta,
        call.part("c", c, 0, call.op().countC()));
  }

  // ---- what it is

  @Override
  public String name() {
    return "gemm";
  }

  /** lda, or the stored columns of A when the rows are tight. */
  public long leadingA() {
    return lda != 0 ? lda : transposedA ? m : k;
  }

  /** ldb, or the stored columns of B when the rows are tight. */
  public long leadingB() {
    return ldb != 0 ? ldb : transposedB ? k : n;
  }

  /** ldc, or n when the rows are tight. */
  public long leadingC() {
    return ldc != 0 ? ldc : n;
  }

  /** Elements that A must hold. */
  public long countA() {
    return extent(batch, strideA, span(transposedA ? k : m, transposedA ? m : k, lda));
  }

  /** Elements that B must hold. */
  public long countB() {
    return extent(batch, strideB, span(transposedB ? n : k, transposedB ? k : n, ldb));
  }

  /** Elements that C, and aux if used, must hold. */
  public long countC() {
    return extent(batch, strideC, span(m, n, ldc));
  }

  /** Floating-point operations of the products: {@code 2 m n k batch}. */
  public double flops() {
    return 2.0 * m * n * k * batch;
  }

  @Override
  public Support supports(Device device) {
    return IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  public Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** What a backend implements; operands are checked and pinned. */
  public interface Kernel extends DeviceKernel {
    /** Computes the products; bias, aux and workspace are there when the epilogue uses them. */
    void run(
        Stream stream,
        double alpha,
        Buffer a,
        Buffer b,
        double beta,
        Buffer c,
        @Nullable Buffer bias,
        @Nullable Buffer aux,
        @Nullable Buffer workspace);
  }

  /** A product that can be run. */
  public static final class Plan extends OpPlan<Gemm, Kernel> {
    private Plan(Gemm op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /** {@code C = alpha op(A) op(B) + beta C}, for an op without epilogue and workspace. */
    public void run(Stream stream, double alpha, Buffer a, Buffer b, double beta, Buffer c) {
      run(stream, alpha, a, b, beta, c, null, null, null);
    }

    /**
     * {@code C = epilogue(alpha op(A) op(B) + beta C)}.
     *
     * @param alpha factor of the product; 0 reads neither A nor B
     * @param a matrix A; may share memory with b
     * @param b matrix B
     * @param beta factor of C's old value; 0 does not read it
     * @param c matrix C, must not overlap any other operand
     * @param bias n elements of C's type: the bias that is added, or with {@link
     *     Epilogue#biasGradient} where its gradient, summed over rows and batch, is stored; null
     *     when the epilogue uses none
     * @param aux as C in type and layout: where the pre-activation is stored, or for a backward
     *     epilogue what was stored; null when the epilogue uses none
     * @param workspace {@link #workspaceBytes} bytes, null when that is 0
     */
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
      checkStream(stream);
      check("a", a, op.aType(), op.countA());
      check("b", b, op.bType(), op.countB());
      check("c", c, op.cType(), op.countC());
      checkPresence("bias", bias, op.epilogue().usesBias());
      checkPresence("aux", aux, op.epilogue().usesAux());
      checkOptional("bias", bias, op.cType(), op.n());
      checkOptional("aux", aux, op.cType(), op.countC());
      checkWorkspace(workspace);
      checkDisjoint("c", c, "a", a);
      checkDisjoint("c", c, "b", b);
      checkDisjoint("c", c, "bias", bias);
      checkDisjoint("c", c, "aux", aux);
      if (op.epilogue().savesAux()) {
        checkDisjoint("aux", aux, "a", a);
        checkDisjoint("aux", aux, "b", b);
        checkDisjoint("aux", aux, "bias", bias);
      }
      if (op.epilogue().storesBiasGradient()) {
        checkDisjoint("bias", bias, "a", a);
        checkDisjoint("bias", bias, "b", b);
        checkDisjoint("bias", bias, "aux", aux);
      }
      Pins.pinAll(op.name(), a, b, c, bias, aux, workspace);
      try {
        kernel.run(stream, alpha, a, b, beta, c, bias, aux, workspace);
      } finally {
        Pins.unpinAll(a, b, c, bias, aux, workspace);
      }
    }

    private static void checkPresence(String name, @Nullable Buffer buffer, boolean used) {
      if (used != (buffer != null)) {
        throw bad(
            name,
            used ? "must be given for this epilogue" : "must be null without such an epilogue",
            "%s=%s",
            name,
            buffer);
      }
    }
  }
}
