package dev.gridstride.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.io.FormatException;
import dev.gridstride.io.Safetensors;
import dev.gridstride.nn.BatchNorm1d;
import dev.gridstride.nn.Dropout;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.Sequential;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(TestDevice.class)
class CheckpointTest {
  private static final Device DEVICE = TestDevice.get();
  @TempDir Path folder;

  /** A model with averages and dropout, so that buffers and chance matter. */
  private static final class Run implements AutoCloseable {
    final Generator g;
    final Module model;
    final Adam adam;

    Run(long seed, long hidden) {
      g = new Generator(seed);
      model =
          new Sequential(
              new Linear(DEVICE, g, 3, hidden),
              new BatchNorm1d(DEVICE, hidden),
              new Dropout(g, 0.3),
              new Linear(DEVICE, g, hidden, 2));
      adam = new Adam(model.parameters(), 0.01);
    }

    void train(int from, int to) {
      for (int step = from; step < to; step++) {
        try (Scope scope = Scope.open()) {
          float[] x = new float[12];
          for (int i = 0; i < x.length; i++) {
            x[i] = (float) Math.sin(step + i);
          }
          Tensor y = model.forward(Tensors.of(DEVICE, x, 4, 3));
          y.crossEntropy(Tensors.of(DEVICE, new long[] {0, 1, 1, 0})).backward();
          adam.step();
          model.zeroGrad();
        }
      }
    }

    @Override
    public void close() {
      adam.close();
      model.close();
    }
  }

  @Test
  void aResumedTrainingHasTheBitsOfOneThatNeverStopped() {
    Path file = folder.resolve("c.safetensors");
    try (var whole = new Run(7, 5);
        var resumed = new Run(7, 5)) {
      whole.train(0, 6);
      Checkpoint.save(file, whole.model, whole.adam, whole.g, 6);
      whole.train(6, 15);
      resumed.train(0, 2); // whatever it was before is overwritten
      long from = Checkpoint.load(file, DEVICE, resumed.model, resumed.adam, resumed.g);
      assertThat(from).isEqualTo(6);
      resumed.train(6, 15);
      whole
          .model
          .state()
          .forEach((name, t) ->
              assertThat(resumed.model.state().get(name).toDoubleArray())
                  .as(name)
                  .containsExactly(t.toDoubleArray()));
    }
  }

  @Test
  void anotherTrainingIsRefused() {
    Path file = folder.resolve("c.safetensors");
    try (var run = new Run(7, 5);
        var seed = new Run(8, 5);
        var size = new Run(7, 4)) {
      run.train(0, 1);
      Checkpoint.save(file, run.model, run.adam, run.g, 1);
      assertThatThrownBy(() -> Checkpoint.load(file, DEVICE, seed.model, seed.adam, seed.g))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage(
              "checkpoint.load: generator must have the seed of the checkpoint;"
                  + " seed=8, checkpoint=7");
      assertThatThrownBy(() -> Checkpoint.load(file, DEVICE, size.model, size.adam, size.g))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageStartingWith("module.load: ");
      Safetensors.write(file, run.model.state());
      assertThatThrownBy(() -> Checkpoint.load(file, DEVICE, run.model, run.adam, run.g))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("metadata: must have a whole number generator.seed; value=null");
      var meta = Map.of("generator.seed", "7", "generator.position", "0", "progress", "x");
      Safetensors.write(file, run.model.state(), meta);
      assertThatThrownBy(() -> Checkpoint.load(file, DEVICE, run.model, run.adam, run.g))
          .hasMessageContaining("progress; value=x");
    }
  }
}
