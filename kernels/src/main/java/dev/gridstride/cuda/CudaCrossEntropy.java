package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.CrossEntropy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * Cross-entropy by {@code gs_cross_entropy_run}.
 *
 * <p>With target classes each run waits for the number of bad ones. The workspace is of the call,
 * from the stream-ordered pool: plans are shared by threads.
 */
public final class CudaCrossEntropy extends CudaKernel implements CrossEntropy.Kernel {
  private static final MethodHandle WORKSPACE = status("gs_cross_entropy_workspace", HOST, HOST);
  private static final MethodHandle RUN =
      status(
          "gs_cross_entropy_run",
          HOST,
          DEVICE,
          DEVICE,
          DEVICE,
          F64,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE);

  private final CrossEntropy op;
  private final MemorySegment run = symbol("gs_cross_entropy_run");
  private final MemorySegment description;
  private final long workspace;

  /** A kernel for {@code op}. */
  public CudaCrossEntropy(CrossEntropy op, Device device) {
    super(op.name(), device);
    this.op = op;
    this.description =
        Struct.of(Abi.CROSS_ENTROPY)
            .set("rows", op.rows())
            .set("classes", op.classes())
            .set("inner", op.inner())
            .set("type", Abi.type(op.type()))
            .set("target_type", Abi.type(op.targetType()))
            .set("label_smoothing", op.labelSmoothing())
            .set("ignore_index", op.ignoreIndex())
            .set("reduction", Abi.number(op.reduction()))
            .memory();
    MemorySegment query = symbol("gs_cross_entropy_workspace");
    this.workspace = sizes(1, b -> (int) WORKSPACE.invokeExact(query, description, b))[0];
  }

  @Override
  public void forward(
      Stream stream,
      Buffer logits,
      Buffer targets,
      @Nullable Buffer weight,
      Buffer loss,
      @Nullable Buffer lse) {
    run(stream, logits, targets, weight, 1, loss, lse, null, null);
  }

  @Override
  public void forwardBackward(
      Stream stream,
      Buffer logits,
      Buffer targets,
      @Nullable Buffer weight,
      double scale,
      Buffer loss,
      Buffer dlogits) {
    run(stream, logits, targets, weight, scale, loss, null, null, dlogits);
  }

  @Override
  public void backward(
      Stream stream,
      Buffer logits,
      Buffer targets,
      @Nullable Buffer weight,
      Buffer lse,
      Buffer dloss,
      Buffer dlogits) {
    run(stream, logits, targets, weight, 1, null, null, dloss, dlogits);
  }

  private void run(
      Stream stream,
      Buffer logits,
      Buffer targets,
      @Nullable Buffer weight,
      double scale,
      @Nullable Buffer loss,
      @Nullable Buffer lse,
      @Nullable Buffer dloss,
      @Nullable Buffer dlogits) {
    long x = pointer(logits);
    long t = pointer(targets);
    long w = pointer(weight);
    long l = pointer(loss);
    long e = pointer(lse);
    long dl = pointer(dloss);
    long dx = pointer(dlogits);
    long bad =
        withWorkspace(
            stream,
            workspace,
            work -> {
              launch(
                  stream,
                  s ->
                      (int)
                          RUN.invokeExact(run, description, x, t, w, scale, l, e, dl, dx, work, s));
              return op.hasClassTargets() && !isRecorded() ? readLong(stream, work) : 0;
            });
    if (bad != 0) {
      throw firstOutOfRange(targets);
    }
  }

  /** The kernel has only counted them: looks for the first on the host. */
  private InvalidArgumentException firstOutOfRange(Buffer targets) {
    boolean narrow = op.targetType() == DType.I32;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(op.targetType().bytes(op.positions()), 8);
      targets.slice(0, host.byteSize()).copyTo(host);
      for (long p = 0; p < op.positions(); p++) {
        long t =
            narrow
                ? host.getAtIndex(ValueLayout.JAVA_INT, p)
                : host.getAtIndex(ValueLayout.JAVA_LONG, p);
        if (t != op.ignoreIndex() && (t < 0 || t >= op.classes())) {
          return op.targetOutOfRange(p, t);
        }
      }
    }
    return new InvalidArgumentException(
        op.name() + ": targets were out of range, and have been overwritten since");
  }
}
