package dev.gridstride.examples.data;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.Options;
import dev.gridstride.examples.UsageException;
import dev.gridstride.io.Csv;
import java.nio.file.Path;
import java.util.Arrays;
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
    Csv csv = Csv.read(path);
    if (!csv.names().contains(target) || csv.names().size() < 2) {
      throw new UsageException(
          path + " must have a column " + target + " and others; it has " + csv.names());
    }
    try (Tensor x = csv.numeric(Device.cpu(), DType.F64, csv.namesWithout(target));
        Tensor y = csv.numeric(Device.cpu(), DType.F64, target)) {
      int rows = options.limit(csv.rows());
      int columns = Math.toIntExact(x.size(1));
      double[] values = x.toDoubleArray();
      var features = new double[rows][];
      for (int i = 0; i < rows; i++) {
        features[i] = Arrays.copyOfRange(values, i * columns, (i + 1) * columns);
      }
      return new Table(features, Arrays.copyOf(y.toDoubleArray(), rows));
    }
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
    double[][] x = features.clone();
    double[] y = targets.clone();
    for (int i = x.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      double[] row = x[i];
      x[i] = x[j];
      x[j] = row;
      double target = y[i];
      y[i] = y[j];
      y[j] = target;
    }
    return new Table(x, y);
  }

  /** The samples {@code from} (included) to {@code to} (excluded). */
  public Table part(int from, int to) {
    return new Table(Arrays.copyOfRange(features, from, to), Arrays.copyOfRange(targets, from, to));
  }

  /**
   * The same samples with each feature shifted and scaled so that {@code reference}'s has mean 0
   * and standard deviation 1: the numbers of the held-out samples must not shape the scale.
   */
  public Table standardised(Table reference) {
    int k = columns();
    var x = new double[size()][k];
    for (int c = 0; c < k; c++) {
      double mean = 0;
      for (double[] row : reference.features) {
        mean += row[c] / reference.size();
      }
      double variance = 0;
      for (double[] row : reference.features) {
        variance += (row[c] - mean) * (row[c] - mean) / reference.size();
      }
      double scale = variance > 0 ? 1 / Math.sqrt(variance) : 1; // a constant column becomes 0
      for (int i = 0; i < x.length; i++) {
        x[i][c] = (features[i][c] - mean) * scale;
      }
    }
    return new Table(x, targets);
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
