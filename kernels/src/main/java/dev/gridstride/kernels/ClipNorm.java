package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuClipNorm;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
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
      Implementations.of(Implementation.cpu("multi-tensor", CpuClipNorm::new));

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
      checkStream(stream);
      for (int i = 0; i < grads.size(); i++) {
        check("grads", grads.get(i), op.type(), 0);
        if (grads.get(i).bytes() % op.type().bytes() != 0) {
          throw InvalidArgumentException.of(
              op.name(),
              "grads[" + i + "]",
              "must be a multiple of the element size",
              "bytes=%d",
              grads.get(i).bytes());
        }
        for (int j = 0; j < i; j++) {
          checkDisjoint("grads[" + i + "]", grads.get(i), "grads[" + j + "]", grads.get(j));
        }
      }
      Buffer[] all = grads.toArray(Buffer[]::new);
      Buffer.pinAll(op.name(), all);
      try {
        return kernel.clip(stream, grads);
      } finally {
        Buffer.unpinAll(all);
      }
    }
  }
}
