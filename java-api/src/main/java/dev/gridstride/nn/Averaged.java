package dev.gridstride.nn;

import dev.gridstride.Autograd;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A module in training beside the moving average of its parameters, which wavers less and as a rule
 * does better: {@code average += (1 - decay) (trained - average)} after each step.
 *
 * <p>Both are children, {@code trained} and {@code average}, so that a checkpoint holds both; the
 * optimizer gets the parameters of {@link #trained} only. Polyak and Juditsky, "Acceleration of
 * stochastic approximation by averaging", 1992.
 *
 * @param <M> the module's type
 */
public final class Averaged<M extends Module> extends Module {
  private final M trained;
  private final M average;
  private final double decay;

  private Averaged(M trained, M average, double decay) {
    this.trained = child("trained", trained);
    this.average = child("average", average);
    this.decay = decay;
    average.load(trained.state());
    average.parameters().forEach(p -> p.requiresGrad(false));
  }

  /**
   * Two modules, of which the second begins with the values of the first; both are owned.
   *
   * @param make makes a module of the same structure each time
   * @param decay in 0..1, less than 1; the average is over about {@code 1 / (1 - decay)} steps
   */
  public static <M extends Module> Averaged<M> of(Supplier<M> make, double decay) {
    if (!(decay >= 0 && decay < 1)) {
      throw InvalidArgumentException.of(
          "averaged", "decay", "must be in 0..1, less than 1", "decay=%s", decay);
    }
    M trained = make.get();
    M average = make.get();
    if (trained.equals(average)) {
      throw InvalidArgumentException.of(
          "averaged", "make", "must make another module each time", "module=%s", trained);
    }
    return new Averaged<>(trained, average, decay);
  }

  /** The module that the optimizer changes. */
  public M trained() {
    return trained;
  }

  /** The module with the averaged parameters; they collect no gradients. */
  public M average() {
    return average;
  }

  /** The trained module's result in training, the averaged one's in evaluation. */
  @Override
  public Tensor forward(Tensor x) {
    return isTraining() ? trained.forward(x) : average.forward(x);
  }

  /**
   * Takes the parameters of a finished step into the average, and copies the buffers.
   *
   * <p>The first steps count less than the decay says, {@code min(decay, (1 + step) / (10 +
   * step))}, so that the random start is soon forgotten.
   *
   * @param step number of the step, from 0
   */
  public void update(long step) {
    if (step < 0) {
      throw InvalidArgumentException.of(
          "averaged.update", "step", "must not be negative", "step=%d", step);
    }
    double share = 1 - Math.min(decay, (1.0 + step) / (10.0 + step));
    Map<String, Tensor> parameters = trained.namedParameters();
    Map<String, Tensor> mine = average.state();
    try (Scope scope = Scope.open()) {
      Autograd.noGrad(() ->
          trained
              .state()
              .forEach((name, t) -> {
                Tensor mean = mine.get(name);
                if (mean == null) {
                  throw new IllegalStateException("the average has lost its " + name);
                } else if (parameters.containsKey(name)) {
                  mean.addInPlace(t.sub(mean).mul(share));
                } else {
                  mean.buffer().copyFrom(t.buffer());
                  mean.changed();
                }
              }));
    }
  }
}
