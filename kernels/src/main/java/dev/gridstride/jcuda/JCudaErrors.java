package dev.gridstride.jcuda;

import java.util.function.IntFunction;
import java.util.function.IntSupplier;
import jcuda.CudaException;

/**
 * JCuda's errors as statuses. With its exceptions switched on, as they are here, they carry the
 * status's name only; a program that switches them off again gets them as statuses.
 */
final class JCudaErrors {
  /** Beyond the largest status of cuBLAS 12 and cuDNN 8. */
  private static final int LIMIT = 32;

  private JCudaErrors() {}

  /**
   * The status of a call.
   *
   * @param names the name of each status
   * @param unknown the status for an exception that names none
   */
  static int status(IntSupplier call, IntFunction<String> names, int unknown) {
    try {
      return call.getAsInt();
    } catch (CudaException failed) {
      for (int status = 1; status < LIMIT; status++) {
        if (names.apply(status).equals(failed.getMessage())) {
          return status;
        }
      }
      return unknown;
    }
  }
}
