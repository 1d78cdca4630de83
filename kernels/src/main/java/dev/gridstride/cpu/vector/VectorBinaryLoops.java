package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.vector.VectorMath.F;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.BinaryLoops;
import dev.gridstride.kernels.Binary.Kind;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Elementwise functions of two f32 operands by the Vector API. */
public final class VectorBinaryLoops implements BinaryLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = F.length();

  @Override
  public boolean run(
      Kind kind,
      MemorySegment a,
      long aAt,
      int aStep,
      MemorySegment b,
      long bAt,
      int bStep,
      MemorySegment y,
      long yAt,
      int n) {
    // the kind is a constant inside each loop
    switch (kind) {
      case ADD -> loop(Kind.ADD, a, aAt, aStep, b, bAt, bStep, y, yAt, n);
      case SUB -> loop(Kind.SUB, a, aAt, aStep, b, bAt, bStep, y, yAt, n);
      case MUL -> loop(Kind.MUL, a, aAt, aStep, b, bAt, bStep, y, yAt, n);
      case DIV -> loop(Kind.DIV, a, aAt, aStep, b, bAt, bStep, y, yAt, n);
      case MAX -> loop(Kind.MAX, a, aAt, aStep, b, bAt, bStep, y, yAt, n);
      case MIN -> loop(Kind.MIN, a, aAt, aStep, b, bAt, bStep, y, yAt, n);
      default -> {
        return false;
      }
    }
    return true;
  }

  private static FloatVector apply(Kind kind, FloatVector p, FloatVector q) {
    return switch (kind) {
      case ADD -> p.add(q);
      case SUB -> p.sub(q);
      case MUL -> p.mul(q);
      case DIV -> p.div(q);
      case MAX -> p.max(q);
      default -> p.min(q);
    };
  }

  private static void loop(
      Kind kind,
      MemorySegment a,
      long aAt,
      int aStep,
      MemorySegment b,
      long bAt,
      int bStep,
      MemorySegment y,
      long yAt,
      int n) {
    if (aStep == 1 && bStep == 1) {
      both(kind, a, aAt, b, bAt, y, yAt, n);
    } else if (aStep == 1) {
      right(kind, a, aAt, scalar(b, bAt), y, yAt, n);
    } else if (bStep == 1) {
      left(kind, scalar(a, aAt), b, bAt, y, yAt, n);
    } else {
      constant(apply(kind, scalar(a, aAt), scalar(b, bAt)), y, yAt, n);
    }
  }

  private static FloatVector scalar(MemorySegment s, long at) {
    return FloatVector.broadcast(F, s.get(JAVA_FLOAT_UNALIGNED, at));
  }

  private static FloatVector load(MemorySegment s, long at) {
    return FloatVector.fromMemorySegment(F, s, at, LE);
  }

  private static FloatVector load(MemorySegment s, long at, VectorMask<Float> m) {
    return FloatVector.fromMemorySegment(F, s, at, LE, m);
  }

  private static void both(
      Kind kind,
      MemorySegment a,
      long aAt,
      MemorySegment b,
      long bAt,
      MemorySegment y,
      long yAt,
      int n) {
    int step = VectorStep.lanes();
    int i = 0;
    for (; i + LANES <= n; i += step) {
      apply(kind, load(a, aAt + 4L * i), load(b, bAt + 4L * i))
          .intoMemorySegment(y, yAt + 4L * i, LE);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      apply(kind, load(a, aAt + 4L * i, m), load(b, bAt + 4L * i, m))
          .intoMemorySegment(y, yAt + 4L * i, LE, m);
    }
  }

  private static void right(
      Kind kind, MemorySegment a, long aAt, FloatVector q, MemorySegment y, long yAt, int n) {
    int step = VectorStep.lanes();
    int i = 0;
    for (; i + LANES <= n; i += step) {
      apply(kind, load(a, aAt + 4L * i), q).intoMemorySegment(y, yAt + 4L * i, LE);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      apply(kind, load(a, aAt + 4L * i, m), q).intoMemorySegment(y, yAt + 4L * i, LE, m);
    }
  }

  private static void left(
      Kind kind, FloatVector p, MemorySegment b, long bAt, MemorySegment y, long yAt, int n) {
    int step = VectorStep.lanes();
    int i = 0;
    for (; i + LANES <= n; i += step) {
      apply(kind, p, load(b, bAt + 4L * i)).intoMemorySegment(y, yAt + 4L * i, LE);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      apply(kind, p, load(b, bAt + 4L * i, m)).intoMemorySegment(y, yAt + 4L * i, LE, m);
    }
  }

  private static void constant(FloatVector v, MemorySegment y, long yAt, int n) {
    int step = VectorStep.lanes();
    int i = 0;
    for (; i + LANES <= n; i += step) {
      v.intoMemorySegment(y, yAt + 4L * i, LE);
    }
    if (i < n) {
      v.intoMemorySegment(y, yAt + 4L * i, LE, F.indexInRange(i, n));
    }
  }
}
