package dev.gridstride.examples;

import dev.gridstride.device.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the user asked of an example.
 *
 * @param device where to compute
 * @param epochs passes over the training data; null leaves it to the example
 * @param batch samples in one step; null leaves it to the example
 * @param seed makes the run repeatable
 * @param limit at most so many samples of each data set; null for all
 * @param quick whether the example's short form is asked for, of less than 20 seconds
 * @param resume whether to go on from the checkpoint in {@code out}
 * @param data folder with the user's data; null for the bundled data
 * @param out folder for results
 */
public record Options(
    Device device,
    @Nullable Integer epochs,
    @Nullable Integer batch,
    long seed,
    @Nullable Integer limit,
    boolean quick,
    boolean resume,
    @Nullable Path data,
    Path out) {

  /** The number of epochs, or the example's own. */
  public int epochs(int ifNotGiven) {
    return epochs == null ? ifNotGiven : epochs;
  }

  /** The batch size, or the example's own. */
  public int batch(int ifNotGiven) {
    return batch == null ? ifNotGiven : batch;
  }

  /** The number of samples to use of {@code available}. */
  public int limit(int available) {
    return limit == null ? available : Math.min(limit, available);
  }

  /** The one of two settings that belongs to the form asked for, whole or short. */
  public int pick(int whole, int shortForm) {
    return quick ? shortForm : whole;
  }

  /** The one of two settings that belongs to the form asked for, whole or short. */
  public double pick(double whole, double shortForm) {
    return quick ? shortForm : whole;
  }

  /**
   * Whether the run is held to the example's bar: it is the example's own, in whole or in short,
   * with nothing of its data, number of epochs or batch changed.
   */
  public boolean isJudged() {
    return epochs == null && batch == null && limit == null && data == null;
  }

  /**
   * A file of the user's data folder, or else of the bundled data.
   *
   * @param bundled the folder of the bundled data under {@code examples/data}; empty for itself
   * @param names the names under which it is looked for, in this order
   * @throws UsageException when there is none
   */
  public Path dataFile(String bundled, String... names) {
    Path folder = data == null ? home().resolve("examples/data").resolve(bundled) : data;
    for (String name : names) {
      if (Files.isRegularFile(folder.resolve(name))) {
        return folder.resolve(name);
      }
    }
    String wanted = String.join(" or ", names);
    throw new UsageException(
        data == null
            ? folder + " lacks " + wanted + "; set -Dgridstride.home to the project's folder"
            : "--data: the folder " + folder + " must hold " + wanted);
  }

  /** The project's folder: named by the launcher, or else found above the working directory. */
  private static Path home() {
    String given = System.getProperty("gridstride.home");
    if (given != null) {
      return Path.of(given);
    }
    Path here = Path.of("").toAbsolutePath();
    for (Path folder = here; folder != null; folder = folder.getParent()) {
      if (Files.isDirectory(folder.resolve("examples/data"))) {
        return folder;
      }
    }
    return here;
  }
}
