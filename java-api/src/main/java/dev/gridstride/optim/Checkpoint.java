package dev.gridstride.optim;

import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.io.FormatException;
import dev.gridstride.io.Safetensors;
import dev.gridstride.nn.Module;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A training in a file: the module's state, the optimizer's, and the generator's place in its
 * sequence, so that a training that goes on from it has the same bits as one that never stopped.
 *
 * <p>The file is a safetensors file with the tensors {@code model.*} and {@code optimizer.*}; seed,
 * position and progress are in its metadata. It appears under its name only when it is complete.
 * Learning rates are not in it: schedules are functions of the step.
 */
public final class Checkpoint {
  private static final String MODEL = "model.";
  private static final String OPTIMIZER = "optimizer.";
  private static final String SEED = "generator.seed";
  private static final String POSITION = "generator.position";
  private static final String PROGRESS = "progress";

  private Checkpoint() {}

  /**
   * Writes a checkpoint, in place of one of that name.
   *
   * @param generator the source of chance in the model
   * @param progress how far the training is: a number of epochs, or of steps
   */
  public static void save(
      Path path, Module model, Optimizer optimizer, Generator generator, long progress) {
    try (Scope scope = Scope.open()) {
      var tensors = new LinkedHashMap<String, Tensor>();
      model.state().forEach((name, t) -> tensors.put(MODEL + name, t));
      optimizer.exportState().forEach((name, t) -> tensors.put(OPTIMIZER + name, t));
      Safetensors.write(
          path,
          tensors,
          Map.of(
              SEED,
              Long.toString(generator.seed()),
              POSITION,
              Long.toString(generator.position()),
              PROGRESS,
              Long.toString(progress)));
    }
  }

  /**
   * Takes over what {@link #save} wrote, into a model and an optimizer made as those were.
   *
   * @param generator with the seed of the one that was saved
   * @return the progress that was saved
   * @throws InvalidArgumentException when model, optimizer or seed are others
   * @throws FormatException when the file is not a checkpoint
   * @throws dev.gridstride.io.FileException when the file can't be read
   */
  public static long load(
      Path path, Device device, Module model, Optimizer optimizer, Generator generator) {
    try (var file = Safetensors.open(path);
        Scope scope = Scope.open()) {
      long seed = number(path, file.metadata(), SEED);
      long position = number(path, file.metadata(), POSITION);
      long progress = number(path, file.metadata(), PROGRESS);
      if (seed != generator.seed()) {
        throw InvalidArgumentException.of(
            "checkpoint.load",
            "generator",
            "must have the seed of the checkpoint",
            "seed=%d, checkpoint=%d",
            generator.seed(),
            seed);
      }
      var forModel = new LinkedHashMap<String, Tensor>();
      var forOptimizer = new LinkedHashMap<String, Tensor>();
      for (String name : file.names()) {
        Tensor t = file.read(device, name);
        if (name.startsWith(MODEL)) {
          forModel.put(name.substring(MODEL.length()), t);
        } else if (name.startsWith(OPTIMIZER)) {
          forOptimizer.put(name.substring(OPTIMIZER.length()), t);
        } else {
          throw new FormatException(path, name, "is neither of a model nor of an optimizer");
        }
      }
      model.load(forModel);
      optimizer.importState(forOptimizer);
      generator.position(position);
      return progress;
    }
  }

  private static long number(Path path, Map<String, String> metadata, String key) {
    String text = metadata.get(key);
    try {
      return Long.parseLong(String.valueOf(text));
    } catch (NumberFormatException e) {
      throw FormatException.of(
          path, "metadata", "must have a whole number " + key, "value=%s", String.valueOf(text));
    }
  }
}
