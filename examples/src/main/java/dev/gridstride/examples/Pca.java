package dev.gridstride.examples;

import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.analysis.RandomizedSvd;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Digits;
import dev.gridstride.examples.data.ExactSvd;
import dev.gridstride.examples.report.Charts;
import dev.gridstride.examples.report.Groups;
import dev.gridstride.examples.report.Report;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Draws points of many dimensions on paper: principal component analysis.
 *
 * <p>Nothing is learnt step by step here. The data are points; the model is a plane through their
 * mean; the objective is that the points' shadows on it vary as much as they can; and the algorithm
 * is the singular value decomposition, whose leading vectors span that plane. Random directions,
 * multiplied by the data again and again, turn towards them (see {@link RandomizedSvd}): it takes a
 * few matrix products. EJML decomposes the same data in full, for comparison.
 */
public final class Pca implements Example {
  private static final double TOLERANCE = 1e-5;
  private static final int HIDDEN_GROUPS = 3;

  /** The two figures that matter: how much the first and the second direction explain. */
  private record Explained(double first, double second) {}

  @Override
  public String name() {
    return "pca";
  }

  @Override
  public String description() {
    return "dimension reduction: 100 and 784 dimensions on paper, by a randomised SVD";
  }

  @Override
  public boolean trains() {
    return false;
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    var g = new Generator(options.seed());
    try (Scope scope = Scope.open()) {
      // Data made here: a plane with three groups, tilted into 100 dimensions, in noise.
      int n = options.limit(options.pick(2_000, 500));
      var groups = new long[n];
      var plane = new double[2 * n];
      double[] wobble = g.normal(device, DType.F64, 0, 1, n, 2).toDoubleArray();
      for (int i = 0; i < n; i++) {
        groups[i] = i % HIDDEN_GROUPS;
        double angle = 2 * Math.PI * groups[i] / HIDDEN_GROUPS;
        plane[2 * i] = 6 * Math.cos(angle) + wobble[2 * i];
        plane[2 * i + 1] = 4 * Math.sin(angle) + wobble[2 * i + 1];
      }
      Tensor tilt = g.normal(device, DType.F32, 0, 0.1, 2, 100);
      Tensor points =
          Tensors.of(device, plane, n, 2)
              .to(DType.F32)
              .matmul(tilt)
              .add(g.normal(device, DType.F32, 0, 0.2, n, 100));
      reduce(options, report, g, "made", points, groups, List.of("group 0", "group 1", "group 2"));

      // And MNIST: each image is a point of 784 dimensions.
      Digits digits =
          Digits.read(options, "t10k", Mnist.CLASSES).first(options.pick(10_000, 1_000));
      var batch = digits.batch(device, digits.order(), 0, digits.size(), 0, 1);
      List<String> names = IntStream.range(0, Mnist.CLASSES).mapToObj(d -> "digit " + d).toList();
      reduce(
          options,
          report,
          g,
          "mnist",
          batch.images().flatten(1),
          batch.labels().toLongArray(),
          names);
    }
  }

  private static void reduce(
      Options options,
      Report report,
      Generator g,
      String set,
      Tensor points,
      long[] groups,
      List<String> names)
      throws IOException {
    Tensor centred = points.sub(points.mean(true, 0));
    double total = centred.to(DType.F64).sumSquares().item();
    long start = System.nanoTime();
    try (var svd = RandomizedSvd.of(centred, 2, g)) {
      double seconds = (System.nanoTime() - start) / 1e9;
      Explained found = explained(svd.values(), total);
      long exactStart = System.nanoTime();
      Explained exact = explained(ExactSvd.values(centred), total);
      double exactSeconds = (System.nanoTime() - exactStart) / 1e9;
      report.line("%n%s: %,d points of %d dimensions", set, points.size(0), points.size(1));
      report.line("explained variance    first     second    seconds");
      report.line("randomised SVD     %.6f   %.6f   %8.2f", found.first, found.second, seconds);
      report.line(
          "EJML, in full      %.6f   %.6f   %8.2f", exact.first, exact.second, exactSeconds);
      report.result(set + ".first", found.first);
      report.result(set + ".second", found.second);
      report.result(set + ".exactFirst", exact.first);
      report.result(set + ".exactSecond", exact.second);
      if (options.isJudged()) {
        report.check(
            set + ": explained variance equals EJML's to 1e-5",
            Math.abs(found.first - exact.first) <= TOLERANCE
                && Math.abs(found.second - exact.second) <= TOLERANCE);
      }
      // The picture: each point's two coordinates in the plane.
      Tensor shadow = centred.matmul(svd.vectors());
      Charts.save(
          report.file(set + ".png"),
          Groups.scatter(
              "%s: %d dimensions on paper".formatted(set, points.size(1)),
              "first component, %.1f%% of the variance".formatted(100 * found.first),
              "second component, %.1f%%".formatted(100 * found.second),
              names,
              groups,
              shadow.select(1, 0).toDoubleArray(),
              shadow.select(1, 1).toDoubleArray()));
    }
  }

  private static Explained explained(double[] singularValues, double total) {
    return new Explained(
        singularValues[0] * singularValues[0] / total,
        singularValues[1] * singularValues[1] / total);
  }
}
