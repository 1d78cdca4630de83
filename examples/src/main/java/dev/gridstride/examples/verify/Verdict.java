package dev.gridstride.examples.verify;

import dev.gridstride.examples.report.Json;
import java.util.Locale;

/**
 * What came of a case.
 *
 * @param name the case
 * @param op the operator that it tests
 * @param device where it ran
 * @param status how it ended
 * @param maxAbsError largest absolute error of all outputs; NaN where one is not finite
 * @param maxRelError largest relative error of all outputs
 * @param reason why it did not pass; empty if it did
 */
public record Verdict(
    String name,
    String op,
    String device,
    Status status,
    double maxAbsError,
    double maxRelError,
    String reason) {
  /** How a case ended. */
  public enum Status {
    /** All outputs are as expected. */
    PASS,
    /** An output is not, or the run broke off. */
    FAIL,
    /** The library refuses this operator, or this form of it. */
    UNSUPPORTED;

    /** In lower case, as it is printed. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** One line of JSON. */
  public String json() {
    return Json.line(
        Json.object(
            "case",
            name,
            "op",
            op,
            "device",
            device,
            "status",
            status.toString(),
            "maxAbsError",
            maxAbsError,
            "maxRelError",
            maxRelError,
            "reason",
            reason));
  }
}
