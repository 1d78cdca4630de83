package dev.gridstride.examples.data;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.data.Standardizer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.Options;
import dev.gridstride.examples.UsageException;
import dev.gridstride.io.Csv;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.random.RandomGenerator;

/**
 * Rows of numbers, each with the number that is to be predicted from them.
 *
 * @param features a row for each sample
 * @param targets what belongs to each
 */
public record Table(double[][] features, double[] targets) {

  /**
   * Reads the columns of a CSV file of the user's folder or else of the bundled data.
   *
   * @param target the column to predict; all others are features
   */
  public static Table read(Options options, String file, String target) {
    Path path = options.dataFile("", file);
    Csv csv = checked(Csv.read(path), path, target);
    try (Tensor y = csv.numeric(Device.cpu(), DType.F64, target)) {
      return of(csv, target, y.toDoubleArray());
    }
  }

  /**
   * The same for samples of two classes: the target is 1 for one and 0 for the other. Lines with
   * the text {@code NA} in a column are left out.
   *
   * @param positive the name in the column {@code target} of the class that is to be found
   */
  public static Table readClasses(Options options, String file, String target, String positive) {
    Path path = options.dataFile("", file);
    Csv csv = checked(Csv.read(path).withMissing("NA").dropMissing(), path, target);
    List<String> classes = csv.strings(target);
    if (classes.stream().distinct().count() != 2 || !classes.contains(positive)) {
      throw new UsageException(
          path
              + ": the column "
              + target
              + " must name two classes, one of them "
              + positive
              + "; it has "
              + classes.stream().distinct().sorted().limit(10).toList());
    }
    double[] y = classes.stream().mapToDouble(c -> c.equals(positive) ? 1 : 0).toArray();
    return of(csv, target, y);
  }

  private static Csv checked(Csv csv, Path path, String target) {
    if (!csv.names().contains(target) || csv.names().size() < 2) {
      throw new UsageException(
          path + " must have a column " + target + " and others; it has " + csv.names());
    }
    return csv;
  }

  private static Table of(Csv csv, String target, double[] targets) {
    try (Tensor x = csv.numeric(Device.cpu(), DType.F64, csv.namesWithout(target))) {
      return new Table(rows(x), targets);
    }
  }

  private static double[][] rows(Tensor x) {
    int columns = Math.toIntExact(x.size(1));
    double[] values = x.toDoubleArray();
    var rows = new double[Math.toIntExact(x.size(0))][];
    Arrays.setAll(rows, i -> Arrays.copyOfRange(values, i * columns, (i + 1) * columns));
    return rows;
  }

  /** The features on the CPU, f64 {@code [size, columns]}. */
  private Tensor wide() {
    double[] flat = Arrays.stream(features).flatMapToDouble(Arrays::stream).toArray();
    return Tensors.of(Device.cpu(), flat, size(), columns());
  }

  /** Number of samples. */
  public int size() {
    return targets.length;
  }

  /** Number of features of a sample. */
  public int columns() {
    return features[0].length;
  }

  /** The samples in a random order. */
  public Table shuffled(RandomGenerator random) {
    int[] order = Orders.shuffled(size(), random);
    return new Table(
        Arrays.stream(order).mapToObj(i -> features[i]).toArray(double[][]::new),
        Arrays.stream(order).mapToDouble(i -> targets[i]).toArray());
  }

  /** As many of them as the user asked for, in a random order: files may be sorted by class. */
  public Table some(Options options, RandomGenerator random) {
    return shuffled(random).part(0, options.limit(size()));
  }

  /** The samples {@code from} (included) to {@code to} (excluded). */
  public Table part(int from, int to) {
    return new Table(Arrays.copyOfRange(features, from, to), Arrays.copyOfRange(targets, from, to));
  }

  /** The samples of {@code a} and then those of {@code b}. */
  public static Table join(Table a, Table b) {
    double[][] x = Arrays.copyOf(a.features, a.size() + b.size());
    double[] y = Arrays.copyOf(a.targets, a.size() + b.size());
    System.arraycopy(b.features, 0, x, a.size(), b.size());
    System.arraycopy(b.targets, 0, y, a.size(), b.size());
    return new Table(x, y);
  }

  /** The same samples with every feature sent through {@code function}. */
  public Table map(DoubleUnaryOperator function) {
    double[][] x = new double[size()][];
    Arrays.setAll(x, i -> Arrays.stream(features[i]).map(function).toArray());
    return new Table(x, targets);
  }

  /**
   * The same samples with each feature shifted and scaled so that {@code reference}'s has mean 0
   * and standard deviation 1: the numbers of the held-out samples must not shape the scale.
   */
  public Table standardised(Table reference) {
    try (Scope scope = Scope.open()) {
      Tensor x = Standardizer.fit(reference.wide()).apply(wide());
      return new Table(rows(x), targets);
    }
  }

  /** The features as an f32 tensor {@code [size, columns]}. */
  public Tensor featureTensor(Device device) {
    var flat = new float[size() * columns()];
    for (int i = 0; i < size(); i++) {
      for (int c = 0; c < columns(); c++) {
        flat[i * columns() + c] = (float) features[i][c];
      }
    }
    return Tensors.of(device, flat, size(), columns());
  }

  /** The targets as an f32 tensor {@code [size, 1]}. */
  public Tensor targetTensor(Device device) {
    var flat = new float[size()];
    for (int i = 0; i < size(); i++) {
      flat[i] = (float) targets[i];
    }
    return Tensors.of(device, flat, size(), 1);
  }
}
