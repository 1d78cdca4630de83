package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.vector.VectorMath.F;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.BinaryLoops;
import dev.gridstride.cpu.scalar.ScalarBinaryLoops;
import dev.gridstride.kernels.Binary.Kind;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/** Elementwise functions of two f32 operands by the Vector API. */
public final class VectorBinaryLoops implements BinaryLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = F.length();

  /** What is left of a run, one by one: masks would be boxed where a loop is not inlined. */
  private static final ScalarBinaryLoops TAILS = new ScalarBinaryLoops();

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
    int whole = n / LANES * LANES;
    // the kind is a constant inside each loop
    switch (kind) {
      case ADD -> loop(Kind.ADD, a, aAt, aStep, b, bAt, bStep, y, yAt, whole);
      case SUB -> loop(Kind.SUB, a, aAt, aStep, b, bAt, bStep, y, yAt, whole);
      case MUL -> loop(Kind.MUL, a, aAt, aStep, b, bAt, bStep, y, yAt, whole);
      case DIV -> loop(Kind.DIV, a, aAt, aStep, b, bAt, bStep, y, yAt, whole);
      case MAX -> loop(Kind.MAX, a, aAt, aStep, b, bAt, bStep, y, yAt, whole);
      case MIN -> loop(Kind.MIN, a, aAt, aStep, b, bAt, bStep, y, yAt, whole);
      default -> {
        return false;
      }
    }
    if (whole < n) {
      long done = 4L * whole;
      long aDone = aAt + done * aStep;
      long bDone = bAt + done * bStep;
      TAILS.run(kind, a, aDone, aStep, b, bDone, bStep, y, yAt + done, n - whole);
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
      right(kind, a, aAt, b.get(JAVA_FLOAT_UNALIGNED, bAt), y, yAt, n);
    } else if (bStep == 1) {
      left(kind, a.get(JAVA_FLOAT_UNALIGNED, aAt), b, bAt, y, yAt, n);
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
    for (int i = 0; i < n; i += step) {
      apply(kind, load(a, aAt + 4L * i), load(b, bAt + 4L * i))
          .intoMemorySegment(y, yAt + 4L * i, LE);
    }
  }

  private static void right(
      Kind kind, MemorySegment a, long aAt, float b, MemorySegment y, long yAt, int n) {
    FloatVector q = FloatVector.broadcast(F, b); // here: an argument would be boxed
    int step = VectorStep.lanes();
    for (int i = 0; i < n; i += step) {
      apply(kind, load(a, aAt + 4L * i), q).intoMemorySegment(y, yAt + 4L * i, LE);
    }
  }

  private static void left(
      Kind kind, float a, MemorySegment b, long bAt, MemorySegment y, long yAt, int n) {
    FloatVector p = FloatVector.broadcast(F, a);
    int step = VectorStep.lanes();
    for (int i = 0; i < n; i += step) {
      apply(kind, p, load(b, bAt + 4L * i)).intoMemorySegment(y, yAt + 4L * i, LE);
    }
  }

  private static void constant(FloatVector v, MemorySegment y, long yAt, int n) {
    int step = VectorStep.lanes();
    for (int i = 0; i < n; i += step) {
      v.intoMemorySegment(y, yAt + 4L * i, LE);
    }
  }
}
