package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** What a pass of {@link NormPasses} works on; what it does not have is empty. */
abstract class NormPass {
  static final double[] NONE = {};

  MemorySegment x = Tiles.ZEROS;
  MemorySegment dy = Tiles.ZEROS;
  MemorySegment out = Tiles.ZEROS;
  NormPasses.@Nullable Numbers numbers;

  /** Means, or sums, of the pieces. */
  double[] into = NONE;

  double[] squares = NONE;

  final void open(
      MemorySegment x,
      MemorySegment dy,
      MemorySegment out,
      NormPasses.@Nullable Numbers numbers,
      double[] into,
      double[] squares) {
    this.x = x;
    this.dy = dy;
    this.out = out;
    this.numbers = numbers;
    this.into = into;
    this.squares = squares;
  }

  /** Keeps nothing alive. */
  final void close() {
    open(Tiles.ZEROS, Tiles.ZEROS, Tiles.ZEROS, null, NONE, NONE);
  }
}
