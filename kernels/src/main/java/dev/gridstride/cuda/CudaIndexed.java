package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.IndexOutOfRangeException;
import dev.gridstride.device.Stream;

/**
 * What ops with an operand of indices share: each run has a workspace of its own, whose first 8
 * bytes tell the first bad index, and waits for that.
 */
abstract class CudaIndexed extends CudaKernel {
  private final String op;
  private final DType type;
  private final long size;
  private final boolean fromEnd;

  /**
   * For {@code op}, with indices of {@code type} into a dimension of length {@code size}.
   *
   * @param fromEnd whether negative indices count from the end
   */
  CudaIndexed(String op, Device device, DType type, long size, boolean fromEnd) {
    super(op, device);
    this.op = op;
    this.type = type;
    this.size = size;
    this.fromEnd = fromEnd;
  }

  /** One native call. */
  interface IndexedCall {
    /** Enqueues the work. */
    int on(long workspace, long stream) throws Throwable;
  }

  /** Runs {@code call} with a workspace; throws where an index was out of range. */
  final void run(Stream stream, long workspaceBytes, Buffer indices, IndexedCall call) {
    long bad =
        withWorkspace(
            stream,
            workspaceBytes,
            workspace -> {
              launch(stream, s -> call.on(workspace, s));
              return isRecorded() ? -1 : readLong(stream, workspace);
            });
    if (bad >= 0) {
      long at = indices.devicePointer() + type.bytes(bad);
      long index = type == DType.I64 ? readLong(stream, at) : readInt(stream, at);
      throw IndexOutOfRangeException.of(op, bad, index, fromEnd ? -size : 0, size);
    }
  }
}
