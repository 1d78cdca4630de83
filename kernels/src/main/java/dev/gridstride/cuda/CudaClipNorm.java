package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.ClipNorm;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** Clipping by the global norm, by {@code gs_clip_norm}: the factor stays on the device. */
public final class CudaClipNorm extends CudaGradients implements ClipNorm.Kernel {
  private static final MethodHandle CLIP =
      status("gs_clip_norm", I32, F64, HOST, I64, DEVICE, DEVICE, DEVICE);

  private static final long NORM_BYTES = 256;

  private final ClipNorm op;
  private final int type;
  private final MemorySegment clip = symbol("gs_clip_norm");

  /** A kernel for {@code op}. */
  public CudaClipNorm(ClipNorm op, Device device) {
    super(op.name(), op.type(), device);
    this.op = op;
    this.type = Abi.type(op.type());
  }

  @Override
  public double clip(Stream stream, List<Buffer> grads) {
    MemorySegment table = table(grads);
    long count = grads.size();
    long bits =
        withWorkspace(
            stream,
            NORM_BYTES + workspace(table, count),
            work -> {
              launch(stream, s -> clip(table, count, work, work + NORM_BYTES, s));
              return readLong(stream, work);
            });
    return Double.longBitsToDouble(bits);
  }

  @Override
  public void clip(Stream stream, List<Buffer> grads, Buffer norm) {
    MemorySegment table = table(grads);
    long count = grads.size();
    long to = pointer(norm);
    launch(stream, workspace(table, count), (work, s) -> clip(table, count, to, work, s));
  }

  private int clip(MemorySegment table, long count, long norm, long work, long stream)
      throws Throwable {
    return (int) CLIP.invokeExact(clip, type, op.maxNorm(), table, count, norm, work, stream);
  }
}
