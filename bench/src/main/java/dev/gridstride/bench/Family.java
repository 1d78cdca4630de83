package dev.gridstride.bench;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A family of benchmarks: its operations, shapes, operands, and how we and a plain loop do it. */
interface Family {
  /** As the command line names it. */
  String name();

  /** One line for people. */
  String description();

  /** The operations, in order. */
  List<String> ops();

  /** The element types that are offered; the first is the default. */
  List<String> dtypes();

  /** What is measured with {@code --quick}; its first work is small enough for a test. */
  List<Work> quick();

  /** What is measured without it. */
  List<Work> full();

  /** How a shape is written, as {@code MxNxK}. */
  String shapeForm();

  /** Operands and expected results. */
  Problem problem(Case c);

  /** Our kernels. */
  Contender ours(Case c, Problem p);

  /** A plain Java loop; null where it would take too long or is not offered. */
  @Nullable Contender plain(Case c, Problem p);

  /** Floating-point operations of one run; 0 when bytes are what counts. */
  double flops(Case c);

  /** Bytes that one run must at least read and write. */
  double bytes(Case c);

  /** Whether the time is bound by operations, not by memory: what the rate of a row states. */
  default boolean countsFlops() {
    return false;
  }

  /**
   * Runs before a time counts, as far as 25 seconds allow. A kernel that is called thousands of
   * times a second is compiled within the time of any warm-up; one that a long run calls once needs
   * that many runs.
   */
  default int warmRuns() {
    return 0;
  }

  /**
   * One measured work.
   *
   * @param op operation
   * @param shape shape in the family's form
   */
  record Work(String op, String shape) {}

  /** Every operation at every shape. */
  static List<Work> each(List<String> ops, String... shapes) {
    return ops.stream()
        .flatMap(op -> java.util.Arrays.stream(shapes).map(s -> new Work(op, s)))
        .toList();
  }

  /** All families, in the order of the help text. */
  static List<Family> all() {
    return List.of(
        new GemmFamily(),
        new ConvFamily(),
        new SoftmaxFamily(),
        new CrossEntropyFamily(),
        new LayerNormFamily(),
        new BatchNormFamily(),
        new OptimizerFamily(),
        new ReduceFamily(),
        new ElementwiseFamily(),
        new MnistFamily());
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
