package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/** Softmax of one contiguous f32 row; the segments are exactly the row. */
public interface SoftmaxLoops {
  /** {@code y = softmax(x)} or its logarithm; y may be x. */
  void forward(MemorySegment x, MemorySegment y, int size, boolean log);

  /** {@code dx} from y and dy; dx may be either. */
  void backward(MemorySegment y, MemorySegment dy, MemorySegment dx, int size, boolean log);
}
