package dev.gridstride.cpu.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.BinaryLoops;
import dev.gridstride.kernels.Binary.Kind;
import java.lang.foreign.MemorySegment;

/** An elementwise function of two f32 operands in plain Java. */
public final class ScalarBinaryLoops implements BinaryLoops {
  private final Kind kind;

  /** For a function that {@link #has} knows. */
  public ScalarBinaryLoops(Kind kind) {
    this.kind = kind;
  }

  /** Whether it is one of those whose f32 results need no more precision than f32. */
  public static boolean has(Kind kind) {
    return switch (kind) {
      case ADD, SUB, MUL, DIV, MAX, MIN -> true;
      default -> false;
    };
  }

  @Override
  public void run(
      MemorySegment a,
      long aAt,
      int aStep,
      MemorySegment b,
      long bAt,
      int bStep,
      MemorySegment y,
      long yAt,
      int n,
      boolean far) {
    for (int i = 0; i < n; i++) {
      float p = a.get(JAVA_FLOAT_UNALIGNED, aAt + 4L * i * aStep);
      float q = b.get(JAVA_FLOAT_UNALIGNED, bAt + 4L * i * bStep);
      float v =
          switch (kind) {
            case ADD -> p + q;
            case SUB -> p - q;
            case MUL -> p * q;
            case DIV -> p / q;
            case MAX -> Math.max(p, q);
            default -> Math.min(p, q);
          };
      y.set(JAVA_FLOAT_UNALIGNED, yAt + 4L * i, v);
    }
  }
}
