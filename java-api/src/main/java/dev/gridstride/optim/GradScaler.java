package dev.gridstride.optim;

import dev.gridstride.Autograd;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.StepControl;
import dev.gridstride.kernels.StepScaling;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The steps of an {@link Optimizer} with all that changes from one to the next in device memory:
 * the number of the step, the learning rates, the scale of the loss, the norm of the gradients and
 * whether to skip a step whose gradients are not finite. Nothing waits for the device, and a {@link
 * dev.gridstride.device.Graph} can replay a whole step of training:
 *
 * <pre>{@code
 * try (var scaler = GradScaler.dynamic(optimizer)) {
 *   Runnable step = () -> {
 *     try (Scope scope = Scope.open()) {
 *       optimizer.zeroGrad();
 *       scaler.scale(net.forward(x).crossEntropy(y)).backward();
 *       scaler.step();
 *     }
 *   };
 *   step.run(); // once without: kernels are loaded
 *   try (Graph graph = Graph.capture(device.defaultStream(), step)) {
 *     for (Batch batch : batches) {
 *       x.copyFrom(batch.x());
 *       y.copyFrom(batch.y());
 *       graph.replay();
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>The loss is multiplied before backward, so that gradients in f16 do not vanish, and the
 * gradients are divided by as much within the step, as {@code torch.amp.GradScaler} does; see
 * {@link StepScaling} for how the scale follows from skipped steps. A parameter without a gradient
 * is left alone; all parameters count the same steps.
 *
 * <p>While it is open the optimizer's own {@link Optimizer#step()} is refused. Used by one thread
 * at a time; {@link #close} hands the number of steps back to the optimizer.
 */
public final class GradScaler implements AutoCloseable {
  /** The scale that {@code torch.amp.GradScaler} begins with. */
  private static final double FIRST_SCALE = 65536;

  private static final String OP = "gradScaler";

  private final Optimizer optimizer;
  private final Device device;
  private final StepScaling.Plan scaling;
  private final boolean scales;

  /** One for each group, for it has a learning rate of its own; all else in them is equal. */
  private final List<StepControl> controls = new ArrayList<>();

  private boolean closed;

  /**
   * Takes over the steps of an optimizer.
   *
   * @param optimizer its parameters are of one dtype, on one device, and have made the same number
   *     of steps
   * @param lossScale the first scale of the loss, positive; 1 for none
   * @param scaling clipping and the growth of the scale, of the parameters' dtype, as {@code t ->
   *     StepScaling.dynamic(t, maxNorm)}
   */
  public GradScaler(Optimizer optimizer, double lossScale, Function<DType, StepScaling> scaling) {
    List<Tensor> parameters =
        optimizer.groups().stream().flatMap(g -> g.parameters().stream()).toList();
    if (parameters.isEmpty()) {
      throw InvalidArgumentException.of(
          OP, "optimizer", "must have a parameter", "groups=%d", optimizer.groups().size());
    }
    Tensor first = parameters.getFirst();
    for (Tensor p : parameters) {
      if (p.dtype() != first.dtype() || !p.device().equals(first.device())) {
        throw InvalidArgumentException.of(
            OP,
            "optimizer",
            "must have parameters of one dtype on one device",
            "parameter=%s, first=%s",
            p,
            first);
      }
    }
    this.optimizer = optimizer;
    this.device = first.device();
    StepScaling op = scaling.apply(first.dtype());
    this.scaling = device.plan(op);
    this.scales = lossScale != 1 || op.growth() != 1;
    long steps = optimizer.attach(this);
    try {
      for (Optimizer.Group group : optimizer.groups()) {
        var state =
            new StepControl.State(
                steps + 1, group.learningRate(), 1 / lossScale, false, 0, lossScale, 0);
        controls.add(StepControl.on(device, state));
      }
    } catch (RuntimeException failed) {
      controls.forEach(StepControl::close);
      optimizer.detach(steps);
      throw failed;
    }
  }

  /** With PyTorch's numbers: the scale begins at 65,536, doubles after 2,000 steps, halves. */
  public static GradScaler dynamic(Optimizer optimizer) {
    return new GradScaler(
        optimizer, FIRST_SCALE, t -> StepScaling.dynamic(t, Double.POSITIVE_INFINITY));
  }

  /**
   * Without a scale: gradients whose norm, over all parameters, is above {@code maxNorm} are
   * clipped to it; infinity only skips the steps that are not finite.
   */
  public static GradScaler clipping(Optimizer optimizer, double maxNorm) {
    return new GradScaler(optimizer, 1, t -> StepScaling.clipping(t, maxNorm));
  }

  /** The loss times the scale of this step; what to call backward of. */
  public Tensor scale(Tensor loss) {
    checkOpen("scale");
    if (!scales) {
      return loss;
    }
    return loss.mul(
        Autograd.noGrad(() -> {
          Tensor scale = Tensor.empty(device, DType.F64);
          try (Buffer member = controls.getFirst().lossScale()) {
            scale.buffer().copyFrom(member);
          }
          return scale.to(loss.dtype());
        }));
  }

  /**
   * Updates every parameter that has a gradient, unless one of the gradients is not finite; then
   * sets the scale of the next step.
   */
  public void step() {
    checkOpen("step");
    try (Scope scope = Scope.open()) {
      Autograd.noGrad(() -> {
        Stream stream = device.defaultStream();
        List<StepOperands> groups = optimizer.operands();
        StepControl first = controls.getFirst();
        scaling.measure(stream, groups.stream().flatMap(g -> g.grads.stream()).toList(), first);
        for (int g = 0; g < controls.size(); g++) {
          StepControl control = controls.get(g);
          if (g > 0) {
            control.measuredAs(first);
          }
          groups.get(g).step(control);
        }
        for (StepControl control : controls) {
          scaling.advance(stream, control);
        }
      });
    }
  }

  /**
   * The state after the last step: number of the next one, scale, whether the step was skipped, the
   * norm of its gradients. Waits for the device.
   */
  public StepControl.State state() {
    checkOpen("state");
    return controls.getFirst().state();
  }

  /** Sets the learning rate of a group on the device. */
  void learningRate(Optimizer.Group group, double rate) {
    controls.get(optimizer.groups().indexOf(group)).learningRate(rate);
  }

  private void checkOpen(String method) {
    if (closed) {
      throw new ClosedException(OP + "." + method + ": has been closed");
    }
  }

  /** Gives the steps back to the optimizer, which goes on from here; waits for the device. */
  @Override
  public void close() {
    if (!closed) {
      try {
        optimizer.detach(state().step() - 1);
      } finally {
        closed = true;
        controls.forEach(StepControl::close);
      }
    }
  }
}
