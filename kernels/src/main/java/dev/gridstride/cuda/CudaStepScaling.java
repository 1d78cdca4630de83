package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.StepScaling;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** Control blocks of steps by {@code gs_step_measure} and {@code gs_step_advance}. */
public final class CudaStepScaling extends CudaGradients implements StepScaling.Kernel {
  private static final MethodHandle MEASURE =
      status("gs_step_measure", I32, F64, HOST, I64, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle ADVANCE =
      status("gs_step_advance", DEVICE, F64, F64, I64, DEVICE);

  private final StepScaling op;
  private final int type;
  private final MemorySegment measure = symbol("gs_step_measure");
  private final MemorySegment advance = symbol("gs_step_advance");

  /** A kernel for {@code op}. */
  public CudaStepScaling(StepScaling op, Device device) {
    super(op.name(), op.type(), device);
    this.op = op;
    this.type = Abi.type(op.type());
  }

  @Override
  public void measure(Stream stream, List<Buffer> grads, Buffer control) {
    MemorySegment table = table(grads);
    long count = grads.size();
    long block = pointer(control);
    launch(
        stream,
        workspace(table, count),
        (work, s) ->
            (int) MEASURE.invokeExact(measure, type, op.maxNorm(), table, count, block, work, s));
  }

  @Override
  public void advance(Stream stream, Buffer control) {
    long block = pointer(control);
    launch(
        stream,
        s ->
            (int) ADVANCE.invokeExact(advance, block, op.growth(), op.backoff(), op.interval(), s));
  }
}
