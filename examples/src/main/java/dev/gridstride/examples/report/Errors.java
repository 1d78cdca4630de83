package dev.gridstride.examples.report;

/**
 * How far predictions are from the truth.
 *
 * @param rmse root of the mean squared error
 * @param mae mean absolute error
 */
public record Errors(double rmse, double mae) {
  /** Compares pairs; NaN when there are none. */
  public static Errors of(double[] truth, double[] predicted) {
    double squares = 0;
    double absolute = 0;
    for (int i = 0; i < truth.length; i++) {
      double e = predicted[i] - truth[i];
      squares += e * e;
      absolute += Math.abs(e);
    }
    return new Errors(Math.sqrt(squares / truth.length), absolute / truth.length);
  }
}
