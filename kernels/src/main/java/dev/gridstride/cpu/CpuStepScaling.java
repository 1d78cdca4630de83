package dev.gridstride.cpu;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.ClipNorm;
import dev.gridstride.kernels.StepControl.State;
import dev.gridstride.kernels.StepScaling;
import java.util.List;

/** Control blocks of steps; the norm is that of {@link CpuClipNorm}. */
public final class CpuStepScaling implements StepScaling.Kernel {
  private final StepScaling op;
  private final CpuClipNorm norms;

  /** A kernel for {@code op}. */
  public CpuStepScaling(StepScaling op) {
    this.op = op;
    this.norms = new CpuClipNorm(new ClipNorm(op.type(), op.maxNorm()));
  }

  @Override
  public void measure(Stream stream, List<Buffer> grads, Buffer control) {
    State s = State.of(control.pinnedSegment());
    double norm = norms.norm(grads) / s.lossScale();
    new State(
            s.step(),
            s.learningRate(),
            norms.factor(norm) / s.lossScale(),
            !Double.isFinite(norm),
            norm,
            s.lossScale(),
            s.streak())
        .to(control.pinnedSegment());
  }

  @Override
  public void advance(Stream stream, Buffer control) {
    State s = State.of(control.pinnedSegment());
    long step = s.skip() ? s.step() : s.step() + 1;
    long streak = s.skip() ? 0 : s.streak() + 1;
    double lossScale = s.skip() ? s.lossScale() * op.backoff() : s.lossScale();
    if (!s.skip() && op.interval() > 0 && streak >= op.interval()) {
      double larger = lossScale * op.growth();
      lossScale = Double.isFinite(larger) ? larger : lossScale;
      streak = 0;
    }
    new State(step, s.learningRate(), s.gradScale(), false, s.norm(), lossScale, streak)
        .to(control.pinnedSegment());
  }
}
