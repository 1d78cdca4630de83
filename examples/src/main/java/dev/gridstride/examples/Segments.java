package dev.gridstride.examples;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.analysis.KMeans;
import dev.gridstride.data.Standardizer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Customers;
import dev.gridstride.examples.report.Charts;
import dev.gridstride.examples.report.Groups;
import dev.gridstride.examples.report.Report;
import dev.gridstride.metrics.Metrics;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Finds the kinds of customers that a shop has, without being told of any: clustering.
 *
 * <p>The data are purchases, boiled down to three numbers a customer that marketing knows as RFM:
 * recency (days since the last purchase), frequency and money. The model is one centre for each
 * segment; the objective is the sum of squared distances of the customers from their nearest
 * centre; the algorithm, k-means, begins with random customers as centres and repeats: assign, move
 * (see {@link KMeans}). The customers are made here, so that the segments found can be compared
 * with those planted; the program itself never looks at them.
 */
public final class Segments implements Example {
  private static final int RESTARTS = 10;
  private static final List<String> FEATURES =
      List.of("days since last", "number of purchases", "mean amount");

  @Override
  public String name() {
    return "segments";
  }

  @Override
  public String description() {
    return "clustering: k-means finds the segments of a shop's customers";
  }

  @Override
  public boolean trains() {
    return false;
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    var random = new SplittableRandom(options.seed());
    int n = options.limit(options.pick(5_000, 1_000));
    int k = Customers.KINDS.size();
    if (n < k) {
      throw new UsageException("segments needs at least " + k + " samples; there are " + n);
    }

    // Data: made purchases; their RFM numbers span orders of magnitude, so their logarithms.
    Customers customers = Customers.make(n, random);
    var rfm = new double[n][];
    var flat = new float[3 * n];
    for (int i = 0; i < n; i++) {
      rfm[i] = customers.rfm(i);
      for (int f = 0; f < 3; f++) {
        flat[3 * i + f] = (float) Math.log(rfm[i][f]);
      }
    }
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.of(device, flat, n, 3);
      Tensor standard = Standardizer.fit(x).apply(x).to(DType.F32);
      long start = System.nanoTime();
      try (var clusters = KMeans.fit(standard, k, RESTARTS, random)) {
        double seconds = (System.nanoTime() - start) / 1e9;
        report.line(
            "%s: %,d customers, %d purchases each on average; on %s",
            name(),
            n,
            Math.round(IntStream.range(0, n).mapToDouble(i -> rfm[i][1]).average().orElse(0)),
            device);
        report.line(
            "k-means: %d seedings in %.2f s, the best after %d iterations",
            RESTARTS, seconds, clusters.iterations());
        judge(options, report, customers, rfm, clusters);
      }
    }
  }

  private static void judge(
      Options options, Report report, Customers customers, double[][] rfm, KMeans clusters)
      throws IOException {
    int n = rfm.length;
    int k = Customers.KINDS.size();
    long[] labels = clusters.labels();
    report.line("%nsegment   customers  days since last  purchases  mean amount");
    for (int c = 0; c < k; c++) {
      int segment = c;
      int[] members = IntStream.range(0, n).filter(i -> labels[i] == segment).toArray();
      report.line(
          "%7d  %10d  %15.0f  %9.1f  %11.2f",
          c, members.length, mean(rfm, members, 0), mean(rfm, members, 1), mean(rfm, members, 2));
    }
    double agreement = Metrics.adjustedRandIndex(customers.kinds(), labels);
    report.line("%nagreement with the planted kinds, adjusted Rand index: %.4f", agreement);
    report.result("adjustedRandIndex", agreement);
    report.result("inertia", clusters.inertia());
    if (options.isJudged()) {
      report.check("adjusted Rand index of at least 0.9", agreement >= 0.9);
    }

    List<String> names = IntStream.range(0, k).mapToObj(c -> "segment " + c).toList();
    double[] recency = IntStream.range(0, n).mapToDouble(i -> Math.log10(rfm[i][0])).toArray();
    double[] frequency = IntStream.range(0, n).mapToDouble(i -> Math.log10(rfm[i][1])).toArray();
    double[] money = IntStream.range(0, n).mapToDouble(i -> Math.log10(rfm[i][2])).toArray();
    Charts.save(
        report.file("segments.png"),
        Groups.scatter(
            "segments: how often and how much",
            "purchases, power of ten",
            "mean amount, power of ten",
            names,
            labels,
            frequency,
            money),
        Groups.scatter(
            "segments: how often and how long ago",
            "purchases, power of ten",
            "days since the last, power of ten",
            names,
            labels,
            frequency,
            recency));
    double[] centres = clusters.centres().toDoubleArray();
    var profiles = new double[k][3];
    for (int c = 0; c < k; c++) {
      System.arraycopy(centres, 3 * c, profiles[c], 0, 3);
    }
    Groups.saveProfiles(
        report.file("profiles.png"),
        "segments: profile of each",
        "logarithm, in standard deviations from the mean",
        names,
        FEATURES,
        profiles);
  }

  private static double mean(double[][] rfm, int[] members, int feature) {
    return IntStream.of(members).mapToDouble(i -> rfm[i][feature]).average().orElse(Double.NaN);
  }
}
