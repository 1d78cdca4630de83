package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuStepScaling;
import dev.gridstride.cuda.CudaStepScaling;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import java.util.List;

/**
 * Clipping, the test for infinities and the loss scale of a step, all on the device, by way of a
 * {@link StepControl}.
 *
 * <p>{@link Plan#measure} takes the norm of all gradients together, divided by the loss scale, as
 * {@link ClipNorm} does; a step is to be skipped when it is not finite, and its gradients are to be
 * multiplied by {@code min(1, maxNorm / (norm + 1e-6)) / lossScale}. {@link Plan#advance} then
 * follows {@code torch.amp.GradScaler}: a skipped step multiplies the loss scale by {@code
 * backoff}, {@code interval} steps in a row that were not multiply it by {@code growth}.
 *
 * @param type of the gradients, f32 or f64
 * @param maxNorm the largest norm to leave, not negative; +Inf does not clip
 * @param growth at least 1
 * @param backoff in (0, 1]
 * @param interval steps, not negative; 0 leaves the loss scale but for backoff
 */
public record StepScaling(DType type, double maxNorm, double growth, double backoff, long interval)
    implements Op<StepScaling.Plan> {
  private static final Implementations<StepScaling, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("multi-tensor", CpuStepScaling::new),
          Implementation.cuda("cuda", CudaStepScaling::new));

  /** Checks type and numbers. */
  public StepScaling {
    GradientDescent.checkType("stepScaling", type);
    GradientDescent.checkOption("stepScaling", "maxNorm", maxNorm, 0, Double.POSITIVE_INFINITY);
    GradientDescent.checkOption("stepScaling", "growth", growth, 1, Double.MAX_VALUE);
    GradientDescent.checkOption("stepScaling", "backoff", backoff, Double.MIN_VALUE, 1);
    if (interval < 0) {
      throw InvalidArgumentException.of(
          "stepScaling", "interval", "must not be negative", "interval=%d", interval);
    }
  }

  /** Clips to a norm; the loss scale stays as it is. */
  public static StepScaling clipping(DType type, double maxNorm) {
    return new StepScaling(type, maxNorm, 1, 1, 0);
  }

  /** With PyTorch's defaults for the loss scale: growth 2, backoff 0.5, interval 2000. */
  public static StepScaling dynamic(DType type, double maxNorm) {
    return new StepScaling(type, maxNorm, 2, 0.5, 2000);
  }

  @Override
  public String name() {
    return "stepScaling";
  }

  @Override
  public Support supports(Device device) {
    return IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  public Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** What a backend implements; operands are checked and pinned. */
  public interface Kernel extends DeviceKernel {
    /** See {@link Plan#measure}. */
    void measure(Stream stream, List<Buffer> grads, Buffer control);

    /** See {@link Plan#advance}. */
    void advance(Stream stream, Buffer control);
  }

  /** A scaling that can be run. */
  public static final class Plan extends OpPlan<StepScaling, Kernel> {
    private Plan(StepScaling op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * Sets the control block's norm, gradScale and skip; the gradients stay as they are.
     *
     * @param grads buffers of any sizes
     * @param control shares no memory with a gradient
     */
    public void measure(Stream stream, List<Buffer> grads, StepControl control) {
      checkStream(stream);
      Buffer block = control.buffer();
      check("control", block, DType.U8, StepControl.layout().byteSize());
      for (int i = 0; i < grads.size(); i++) {
        checkElements("grads", i, grads.get(i), op.type());
        checkDisjoint("control", block, "grads[" + i + "]", grads.get(i));
      }
      Buffer[] all = new Buffer[grads.size() + 1];
      grads.toArray(all);
      all[grads.size()] = block;
      Pins.pinAll(op.name(), all);
      try {
        kernel.measure(stream, grads, block);
      } finally {
        Pins.unpinAll(all);
      }
    }

    /** Behind the steps of all parameters: the number of the next step and its loss scale. */
    public void advance(Stream stream, StepControl control) {
      checkStream(stream);
      Buffer block = control.buffer();
      check("control", block, DType.U8, StepControl.layout().byteSize());
      block.pin(op.name());
      try {
        kernel.advance(stream, block);
      } finally {
        block.unpin();
      }
    }
  }
}
