package dev.gridstride.examples.readme;

import dev.gridstride.kernels.Gemm;
import java.util.Arrays;

/** Raw level: arrays in, array out, in the order of BLAS. */
public final class RawLevel {
  private RawLevel() {}

  /** Multiplies two small matrices. */
  public static void main(String[] args) {
    float[] a = {1, 2, 3, 4, 5, 6}; // 2 x 3, row-major
    float[] b = {1, 0, 0, 1, 1, 1}; // 3 x 2
    float[] c = new float[4]; // 2 x 2
    Gemm.sgemm(false, false, 2, 2, 3, 1f, a, 3, b, 2, 0f, c, 2);
    System.out.println(Arrays.toString(c)); // [4.0, 5.0, 10.0, 11.0]
  }
}
