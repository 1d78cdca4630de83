package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuGemm;
import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import java.lang.foreign.MemorySegment;

/** One call of a short form: its checks, then the CPU's kernel. */
final class BlasGemm {
  private final String name;
  private final Gemm op;

  BlasGemm(
      String name,
      DType type,
      boolean transA,
      boolean transB,
      long m,
      long n,
      long k,
      long lda,
      long ldb,
      long ldc) {
    this.name = name;
    if (m < 0 || n < 0 || k < 0) {
      throw InvalidArgumentException.of(
          name, "sizes", "must not be negative", "m=%d, n=%d, k=%d", m, n, k);
    }
    checkLeading("lda", lda, transA ? m : k);
    checkLeading("ldb", ldb, transB ? k : n);
    checkLeading("ldc", ldc, n);
    this.op =
        new Gemm(
            m,
            n,
            k,
            type,
            type,
            type,
            transA,
            transB,
            lda,
            ldb,
            ldc,
            1,
            0,
            0,
            0,
            Epilogue.NONE,
            false);
  }

  Gemm op() {
    return op;
  }

  private void checkLeading(String argument, long ld, long columns) {
    if (ld < Math.max(1, columns)) {
      throw InvalidArgumentException.of(
          name,
          argument,
          "must be at least the stored columns, and 1",
          "%s=%d, columns=%d",
          argument,
          ld,
          columns);
    }
  }

  /** The count elements from an offset; fails when the memory does not hold them. */
  MemorySegment part(String argument, MemorySegment memory, long offset, long count) {
    long size = memory.byteSize() / op.cType().bytes();
    if (offset < 0 || offset > size - count) {
      throw InvalidArgumentException.of(
          name,
          argument,
          "must hold the matrix",
          "%s elements=%d, offset=%d, needed=%d",
          argument,
          size,
          offset,
          count);
    }
    return memory.asSlice(op.cType().bytes(offset), op.cType().bytes(count));
  }

  void run(double alpha, MemorySegment a, MemorySegment b, double beta, MemorySegment c) {
    checkApart("a", a, c);
    checkApart("b", b, c);
    if (c.isReadOnly()) {
      throw InvalidArgumentException.of(name, "c", "must be writable", "c=%s", c);
    }
    new CpuGemm(op).run(alpha, a, b, beta, c, null, null);
  }

  private void checkApart(String argument, MemorySegment input, MemorySegment c) {
    if (input.asOverlappingSlice(c).isPresent()) {
      throw InvalidArgumentException.of(
          name, "c", "must not overlap " + argument, "c=%s, %s=%s", c, argument, input);
    }
  }
}
