package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Where;
import java.lang.foreign.MemorySegment;

/** Element by element choice; copies the bits. */
public final class CpuWhere implements Where.Kernel {
  private final Walk walk;
  private final int bytes;

  /** A kernel for {@code op}. */
  public CpuWhere(Where op) {
    this.walk = new Walk(op.condition(), op.a(), op.b(), op.y());
    this.bytes = op.type().bytes();
  }

  @Override
  public void run(Stream stream, Buffer condition, Buffer a, Buffer b, Buffer y) {
    MemorySegment c = condition.pinnedSegment();
    MemorySegment as = a.pinnedSegment();
    MemorySegment bs = b.pinnedSegment();
    MemorySegment ys = y.pinnedSegment();
    walk.forEach((at, n) -> {
      for (long i = 0; i < n; i++) {
        boolean first = c.get(JAVA_BYTE, at[0] + i * walk.step[0]) != 0;
        long from = first ? at[1] + i * walk.step[1] : at[2] + i * walk.step[2];
        long to = at[3] + i * walk.step[3];
        MemorySegment.copy(first ? as : bs, from * bytes, ys, to * bytes, bytes);
      }
    });
  }
}
