package dev.gridstride.examples.report;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import dev.gridstride.metrics.Metrics;

/**
 * How far predictions are from the truth.
 *
 * @param rmse root of the mean squared error
 * @param mae mean absolute error
 */
public record Errors(double rmse, double mae) {
  /** Compares pairs; NaN when there are none. */
  public static Errors of(double[] truth, double[] predicted) {
    try (Scope scope = Scope.open()) {
      Tensor t = Tensors.of(Device.cpu(), truth, truth.length);
      Tensor p = Tensors.of(Device.cpu(), predicted, predicted.length);
      return new Errors(Metrics.rmse(p, t), Metrics.mae(p, t));
    }
  }
}
