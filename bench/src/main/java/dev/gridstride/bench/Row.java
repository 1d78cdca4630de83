package dev.gridstride.bench;

import com.fasterxml.jackson.annotation.JsonInclude;

/**
 * One measured figure.
 *
 * @param family family of the case
 * @param op operation
 * @param dtype element type
 * @param shape shape in the family's form
 * @param device where it ran, as {@code cpu}
 * @param threads threads of the contender
 * @param impl the contender
 * @param medianSeconds median time of one run over all iterations
 * @param p20 20th percentile of the time
 * @param p80 80th percentile of the time
 * @param gflops 1e9 floating-point operations a second at the median; null where bytes count
 * @param gbps 1e9 bytes a second at the median; null where operations count
 * @param maxError error against double precision, relative to the largest value
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Row(
    String family,
    String op,
    String dtype,
    String shape,
    String device,
    int threads,
    String impl,
    double medianSeconds,
    double p20,
    double p80,
    Double gflops,
    Double gbps,
    double maxError) {
  /** The case that this row belongs to. */
  Case toCase() {
    return new Case(family, op, dtype, shape, threads);
  }
}
