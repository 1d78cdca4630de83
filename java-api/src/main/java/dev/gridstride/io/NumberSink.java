package dev.gridstride.io;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Fills a row-major tensor with numbers one after the other, through a small buffer. */
final class NumberSink implements AutoCloseable {
  private static final int CHUNK = 8192;

  private final Tensor target;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment chunk;
  private final int capacity;
  private long written;
  private int held;

  NumberSink(Tensor target) {
    this.target = target;
    this.capacity = Math.clamp(target.count(), 1, CHUNK);
    this.chunk = arena.allocate(target.dtype().bytes(capacity), 64);
  }

  /** Appends {@code value}, rounded to the tensor's type. */
  void add(double value) {
    if (held == capacity) {
      flush();
    }
    switch (target.dtype()) {
      case F64 -> chunk.setAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, held, value);
      case F32 -> chunk.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, held, (float) value);
      case BF16 ->
          chunk.setAtIndex(
              ValueLayout.JAVA_SHORT_UNALIGNED, held, DType.floatToBf16((float) value));
      case F16 ->
          chunk.setAtIndex(
              ValueLayout.JAVA_SHORT_UNALIGNED, held, Float.floatToFloat16((float) value));
      case I64 -> chunk.setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, held, (long) value);
      default -> throw new IllegalStateException("no numbers are parsed into " + target.dtype());
    }
    held++;
  }

  /** Writes what is held to the tensor. */
  void flush() {
    long bytes = target.dtype().bytes(held);
    target.buffer().slice(target.dtype().bytes(written), bytes).copyFrom(chunk.asSlice(0, bytes));
    written += held;
    held = 0;
  }

  @Override
  public void close() {
    arena.close();
  }
}
