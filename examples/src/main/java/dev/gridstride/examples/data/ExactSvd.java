package dev.gridstride.examples.data;

import dev.gridstride.Tensor;
import dev.gridstride.examples.UsageException;
import java.util.Arrays;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/** All singular values by EJML, in double: what a randomised method is compared with. */
public final class ExactSvd {
  private ExactSvd() {}

  /** The singular values of a matrix [m, n], largest first. */
  public static double[] values(Tensor x) {
    int m = Math.toIntExact(x.size(0));
    int n = Math.toIntExact(x.size(1));
    SingularValueDecomposition_F64<DMatrixRMaj> svd =
        DecompositionFactory_DDRM.svd(m, n, false, false, true);
    if (!svd.decompose(new DMatrixRMaj(m, n, true, x.toDoubleArray()))) {
      throw new UsageException("EJML found no singular value decomposition of " + x.shape());
    }
    return Arrays.stream(svd.getSingularValues(), 0, svd.numberOfSingularValues())
        .map(v -> -v)
        .sorted()
        .map(v -> -v)
        .toArray();
  }
}
