package dev.gridstride.bench;

import java.util.List;

/** A family of benchmarks: its operations, shapes and contenders. */
public interface Family {
  /** As the command line names it. */
  String name();

  /** One line for people. */
  String description();

  /** The operations that are measured, in order. */
  List<String> ops();

  /** The element types that are offered; the first is the default. */
  List<String> dtypes();

  /** The shapes that are measured when none is given. */
  List<String> shapes();

  /** How a shape is written, as {@code MxNxK}. */
  String shapeForm();

  /** The peers that can be compared with, without ourselves. */
  List<String> peers();

  /**
   * Prepares a contender.
   *
   * @param impl {@code gridstride} or one of {@link #peers}
   */
  Contender prepare(String impl, Case c);

  /** Floating-point operations of one run; 0 when bytes are what counts. */
  double flops(Case c);

  /** Bytes that one run must at least read and write; 0 when operations are what counts. */
  double bytes(Case c);

  /** All families, in the order of the help text. */
  static List<Family> all() {
    return List.of(
        new GemmFamily(),
        new ConvFamily(),
        new SoftmaxFamily(),
        new CrossEntropyFamily(),
        new LayerNormFamily(),
        new BatchNormFamily(),
        new AdamFamily());
  }

  /** The family of this name. */
  static Family named(String name) {
    for (Family f : all()) {
      if (f.name().equals(name)) {
        return f;
      }
    }
    throw new BadUsage(
        "unknown family '"
            + name
            + "'; choose one of "
            + String.join(", ", all().stream().map(Family::name).toList())
            + ", all");
  }
}
