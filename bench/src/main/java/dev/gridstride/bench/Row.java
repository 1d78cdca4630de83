package dev.gridstride.bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

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
 * @param medianSeconds median time of one run over all blocks
 * @param p20 20th percentile of the time
 * @param p80 80th percentile of the time
 * @param gflops 1e9 floating-point operations a second at the median; null where bytes count
 * @param gbps 1e9 bytes a second at the median; null where operations count
 * @param intensity operations for each byte that must be moved; null where bytes count
 * @param maxError error against double precision, relative to the largest value
 * @param ratio median of the peer's time over ours in neighbouring blocks: above 1 ours is faster;
 *     null for ours
 * @param ratioP20 20th percentile of that ratio
 * @param ratioP80 80th percentile of that ratio
 * @param allocatedBytes bytes on the Java heap that one run allocated, the least of all blocks
 * @param note what the contender chose for itself, as a memory format
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
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
    @Nullable Double gflops,
    @Nullable Double gbps,
    @Nullable Double intensity,
    double maxError,
    @Nullable Double ratio,
    @Nullable Double ratioP20,
    @Nullable Double ratioP80,
    @Nullable Double allocatedBytes,
    @Nullable String note) {
  /** The case that this row belongs to. */
  Case toCase() {
    return new Case(family, op, dtype, shape, threads);
  }

  /** Whether it is one of ours. */
  boolean isOurs() {
    return impl.equals(Gridstride.NAME);
  }
}
