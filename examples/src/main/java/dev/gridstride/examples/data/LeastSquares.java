package dev.gridstride.examples.data;

import dev.gridstride.examples.UsageException;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.LinearSolverFactory_DDRM;

/**
 * The linear function with the least squared error, computed by EJML without learning, in double.
 */
public final class LeastSquares {
  private final DMatrixRMaj weights;

  private LeastSquares(DMatrixRMaj weights) {
    this.weights = weights;
  }

  /** Fits {@code table}; where several functions are equally good, that of the least weights. */
  public static LeastSquares fit(Table table) {
    var solver = LinearSolverFactory_DDRM.pseudoInverse(true);
    if (!solver.setA(matrix(table))) {
      throw new UsageException("EJML found no least squares for " + table.size() + " samples");
    }
    var weights = new DMatrixRMaj(table.columns() + 1, 1);
    solver.solve(DMatrixRMaj.wrap(table.size(), 1, table.targets().clone()), weights);
    return new LeastSquares(weights);
  }

  /** The prediction for each sample. */
  public double[] predict(Table table) {
    var y = new DMatrixRMaj(table.size(), 1);
    CommonOps_DDRM.mult(matrix(table), weights, y);
    return y.getData();
  }

  /** The features, and a column of ones for the constant. */
  private static DMatrixRMaj matrix(Table table) {
    var x = new DMatrixRMaj(table.size(), table.columns() + 1);
    for (int i = 0; i < table.size(); i++) {
      System.arraycopy(table.features()[i], 0, x.data, i * x.numCols, table.columns());
      x.set(i, table.columns(), 1);
    }
    return x;
  }
}
