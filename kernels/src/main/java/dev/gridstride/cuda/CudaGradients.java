package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** What measuring and clipping share: the table of gradients and its workspace. */
abstract class CudaGradients extends CudaKernel {
  private static final MethodHandle WORKSPACE = status("gs_clip_workspace", HOST, I64, HOST);

  private final MemorySegment workspace = symbol("gs_clip_workspace");
  private final DType type;

  /** For gradients of {@code type}. */
  CudaGradients(String op, DType type, Device device) {
    super(op, device);
    this.type = type;
  }

  /** The gradients as an array of {@code gs_array}. */
  final MemorySegment table(List<Buffer> grads) {
    var table = Struct.of(Abi.ARRAY, grads.size());
    for (int i = 0; i < grads.size(); i++) {
      Buffer g = grads.get(i);
      table.at(i).set("data", pointer(g)).set("count", g.bytes() / type.bytes());
    }
    return table.memory();
  }

  /** Bytes of workspace for a table. */
  final long workspace(MemorySegment table, long count) {
    return sizes(1, b -> (int) WORKSPACE.invokeExact(workspace, table, count, b))[0];
  }
}
