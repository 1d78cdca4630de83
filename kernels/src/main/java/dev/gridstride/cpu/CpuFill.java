package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Fill;
import java.lang.foreign.MemorySegment;

/** Fills by a copy of one element to all. */
public final class CpuFill implements Fill.Kernel {
  private static final Scratch ELEMENT = new Scratch();

  private final DType type;
  private final StridedCopy copy;

  /** A kernel for {@code op}. */
  public CpuFill(Fill op) {
    this.type = op.type();
    this.copy =
        new StridedCopy(type, 0, new long[op.to().rank()], type, op.to().strides(), op.to().dims());
  }

  @Override
  public void run(Stream stream, double value, Buffer y) {
    MemorySegment element = ELEMENT.get(16);
    element.set(JAVA_DOUBLE, 8, value);
    Casts.contiguous(DType.F64, element, 8, type, element, 0, 1);
    copy.run(element, y.pinnedSegment());
  }

  @Override
  public void run(Stream stream, long value, Buffer y) {
    MemorySegment element = ELEMENT.get(16);
    element.set(JAVA_LONG, 8, value);
    Casts.contiguous(DType.I64, element, 8, type, element, 0, 1);
    copy.run(element, y.pinnedSegment());
  }
}
