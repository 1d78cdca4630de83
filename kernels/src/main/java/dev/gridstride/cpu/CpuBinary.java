package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.gridstride.cpu.scalar.ScalarBinaryLoops;
import dev.gridstride.cpu.vector.VectorBinaryLoops;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Binary;
import dev.gridstride.kernels.Binary.Kind;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;

/** Elementwise functions of two operands, run by run; f32 arithmetic by vectors. */
public final class CpuBinary implements Binary.Kernel {
  /** Made when first used: each is a class of its own. */
  private static final Map<Kind, BinaryLoops> VECTOR_LOOPS = new EnumMap<>(Kind.class);

  private final Binary op;
  private final Walk walk;
  private final Apart.Ternary body;
  private final boolean vectors;
  private final boolean integers;
  private final Elements elements;

  /** A kernel for {@code op}. */
  public CpuBinary(Binary op) {
    this.op = op;
    this.walk = new Walk(op.a(), op.b(), op.y());
    boolean runs =
        op.type() == DType.F32 && walk.step[0] <= 1 && walk.step[1] <= 1 && walk.step[2] <= 1;
    this.integers = !op.type().isFloating();
    this.elements = Elements.of(op.type());
    this.vectors = runs && ScalarBinaryLoops.has(op.kind());
    if (vectors) {
      this.body = walk.over(rows(loops(op)), true);
    } else if (integers) {
      this.body = walk.over((a, b, y, at, rows, n) -> integers(a, b, y, at, n), false);
    } else {
      this.body = walk.over((a, b, y, at, rows, n) -> general(a, b, y, at, n), false);
    }
  }

  private Walk.Rows rows(BinaryLoops f) {
    long elements = op.a().span() + op.b().span() + op.y().span();
    boolean far = Segments.areFar(op.type().bytes(elements));
    int p = (int) walk.step[0];
    int q = (int) walk.step[1];
    long aRow = walk.rowStep(0) * 4;
    long bRow = walk.rowStep(1) * 4;
    long yRow = walk.rowStep(2) * 4;
    return (a, b, y, at, rows, n) ->
        f.rows(
            rows, a, at[0] * 4, p, aRow, b, at[1] * 4, q, bRow, y, at[2] * 4, yRow, (int) n, far);
  }

  private static BinaryLoops loops(Binary op) {
    if (!Simd.ENABLED) {
      return new ScalarBinaryLoops(op.kind());
    }
    synchronized (VECTOR_LOOPS) {
      return VECTOR_LOOPS.computeIfAbsent(op.kind(), VectorBinaryLoops::of);
    }
  }

  @Override
  public String details() {
    return vectors ? "f32 runs" : "general";
  }

  @Override
  public void run(Stream stream, Buffer a, Buffer b, Buffer y) {
    MemorySegment bs = b.pinnedSegment();
    if (integers && op.kind() == Kind.DIV) {
      checkDivisors(bs);
    }
    walk.forEach(body, a.pinnedSegment(), bs, y.pinnedSegment());
  }

  private void general(MemorySegment a, MemorySegment b, MemorySegment y, long[] at, long n) {
    for (long i = 0; i < n; i++) {
      double p = elements.get(a, at[0] + i * walk.step[0]);
      double q = elements.get(b, at[1] + i * walk.step[1]);
      long to = at[2] + i * walk.step[2];
      if (op.kind().isPredicate()) {
        y.set(JAVA_BYTE, to, (byte) (predicate(op.kind(), p, q) ? 1 : 0));
      } else {
        elements.set(y, to, function(op.kind(), p, q));
      }
    }
  }

  private static double function(Kind kind, double p, double q) {
    return switch (kind) {
      case ADD -> p + q;
      case SUB -> p - q;
      case MUL -> p * q;
      case DIV -> p / q;
      case MAX -> Math.max(p, q);
      case MIN -> Math.min(p, q);
      default -> Math.pow(p, q);
    };
  }

  private static boolean predicate(Kind kind, double p, double q) {
    return switch (kind) {
      case EQ -> p == q;
      case NE -> p != q;
      case LT -> p < q;
      case LE -> p <= q;
      case GT -> p > q;
      default -> p >= q;
    };
  }

  private void checkDivisors(MemorySegment b) {
    var divisors = new Walk(op.b());
    divisors.forEach((at, n) -> {
      for (long i = 0; i < n; i++) {
        if (load(b, at[0] + i * divisors.step[0]) == 0) {
          throw InvalidArgumentException.of(
              "binary",
              "b",
              "must not hold 0 for a division of integers",
              "element at offset %d is 0",
              at[0] + i * divisors.step[0]);
        }
      }
    });
  }

  private long load(MemorySegment s, long i) {
    return switch (op.type()) {
      case I64 -> s.get(JAVA_LONG_UNALIGNED, i * 8);
      case I32 -> s.get(JAVA_INT_UNALIGNED, i * 4);
      case BOOL -> s.get(JAVA_BYTE, i) == 0 ? 0 : 1;
      default -> s.get(JAVA_BYTE, i) & 0xFF;
    };
  }

  private void integers(MemorySegment a, MemorySegment b, MemorySegment y, long[] at, long n) {
    for (long i = 0; i < n; i++) {
      long p = load(a, at[0] + i * walk.step[0]);
      long q = load(b, at[1] + i * walk.step[1]);
      long to = at[2] + i * walk.step[2];
      long v =
          switch (op.kind()) {
            case ADD -> p + q;
            case SUB -> p - q;
            case MUL -> p * q;
            case DIV -> p / q;
            case MAX -> Math.max(p, q);
            case MIN -> Math.min(p, q);
            case POW -> power(p, q);
            case EQ -> p == q ? 1 : 0;
            case NE, XOR -> p != q ? 1 : 0;
            case LT -> p < q ? 1 : 0;
            case LE -> p <= q ? 1 : 0;
            case GT -> p > q ? 1 : 0;
            case GE -> p >= q ? 1 : 0;
            case AND -> p & q;
            case OR -> p | q;
          };
      switch (op.resultType()) {
        case I64 -> y.set(JAVA_LONG_UNALIGNED, to * 8, v);
        case I32 -> y.set(JAVA_INT_UNALIGNED, to * 4, (int) v);
        default -> y.set(JAVA_BYTE, to, (byte) v);
      }
    }
  }

  /** p^q in 64 bits that wrap around; 0 for a negative q, except for p = 1 and -1. */
  private static long power(long p, long q) {
    if (q < 0) {
      return p == 1 || (p == -1 && q % 2 == 0) ? 1 : p == -1 ? -1 : 0;
    }
    long result = 1;
    long base = p;
    for (long e = q; e > 0; e >>= 1) {
      result = (e & 1) == 1 ? result * base : result;
      base *= base;
    }
    return result;
  }
}
