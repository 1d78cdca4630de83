package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuClipNorm;
import dev.gridstride.cuda.CudaClipNorm;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import java.util.List;

/**
 * Clips gradients by their global Euclidean norm, as {@code torch.nn.utils.clip_grad_norm_}: all
 * elements are multiplied by {@code min(1, maxNorm / (norm + 1e-6))}.
 *
 * <p>The sum of squares is formed in f64 in a fixed order: deterministic for any number of threads.
 * A norm of NaN makes every element NaN; an infinite one makes finite elements 0 and infinite ones
 * NaN, as in PyTorch.
 *
 * @param type f32 or f64
 * @param maxNorm the largest norm to leave, not negative; 0 clears, +Inf only measures
 */
public record ClipNorm(DType type, double maxNorm) implements Op<ClipNorm.Plan> {
  private static final Implementations<ClipNorm, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("multi-tensor", CpuClipNorm::new),
          Implementation.cuda("cuda", CudaClipNorm::new));

  /** Checks type and norm. */
  public ClipNorm {
    GradientDescent.checkType("clipNorm", type);
    GradientDescent.checkOption("clipNorm", "maxNorm", maxNorm, 0, Double.POSITIVE_INFINITY);
  }

  @Override
  public String name() {
    return "clipNorm";
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
    /** Clips; returns the norm before. */
    double clip(Stream stream, List<Buffer> grads);

    /** Clips; leaves the norm before on the device. */
    void clip(Stream stream, List<Buffer> grads, Buffer norm);
  }

  /** A clipping that can be run. */
  public static final class Plan extends OpPlan<ClipNorm, Kernel> {
    private Plan(ClipNorm op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * Scales all gradients in place and waits for the norm.
     *
     * @param grads buffers of any sizes that share no memory
     * @return the norm before clipping
     */
    public double clip(Stream stream, List<Buffer> grads) {
      checkGradients(stream, grads);
      Buffer[] all = grads.toArray(Buffer[]::new);
      Pins.pinAll(op.name(), all);
      try {
        return kernel.clip(stream, grads);
      } finally {
        Pins.unpinAll(all);
      }
    }

    /**
     * Scales all gradients in place; the host waits for nothing.
     *
     * @param grads buffers of any sizes that share no memory
     * @param norm one f64, the norm before clipping; shares no memory with a gradient
     */
    public void clip(Stream stream, List<Buffer> grads, Buffer norm) {
      checkGradients(stream, grads);
      check("norm", norm, DType.F64, 1);
      Buffer[] all = new Buffer[grads.size() + 1];
      grads.toArray(all);
      all[grads.size()] = norm;
      for (int i = 0; i < grads.size(); i++) {
        checkDisjoint("norm", norm, "grads[" + i + "]", grads.get(i));
      }
      Pins.pinAll(op.name(), all);
      try {
        kernel.clip(stream, grads, norm);
      } finally {
        Pins.unpinAll(all);
      }
    }

    private void checkGradients(Stream stream, List<Buffer> grads) {
      checkStream(stream);
      for (int i = 0; i < grads.size(); i++) {
        checkElements("grads", i, grads.get(i), op.type());
        for (int j = 0; j < i; j++) {
          checkDisjoint("grads[" + i + "]", grads.get(i), "grads[" + j + "]", grads.get(j));
        }
      }
    }
  }
}
