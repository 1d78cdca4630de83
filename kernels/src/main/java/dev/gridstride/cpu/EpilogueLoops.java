package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarEpilogueLoops;
import dev.gridstride.cpu.vector.VectorEpilogueLoops;
import dev.gridstride.kernels.Epilogue.Activation;
import java.lang.foreign.MemorySegment;

/** Activations on a row of a matrix product; offsets in bytes. */
public interface EpilogueLoops {
  /** The loops of this JVM for f32. */
  EpilogueLoops F32 = Simd.ENABLED ? new VectorEpilogueLoops() : new ScalarEpilogueLoops(false);

  /** The loops for f64. */
  EpilogueLoops F64 = new ScalarEpilogueLoops(true);

  /** {@code x = f(x)} for n elements. */
  void apply(Activation f, MemorySegment x, long off, int n);

  /** {@code d = d f'(z)} for n elements. */
  void differentiate(Activation f, MemorySegment d, long off, MemorySegment z, long zOff, int n);
}
