package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuBinary;
import dev.gridstride.cuda.CudaBinary;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import java.util.Arrays;

/**
 * An elementwise function of two arrays: {@code y[i] = f(a[i], b[i])}.
 *
 * <p>All three layouts have the same sizes; broadcasting is a stride of 0 in a or b ({@link
 * Layout#broadcastTo}). f32 is computed in f32, f64 in double, bf16 and f16 rounded once from a
 * wider result; i64 and i32 wrap around as in Java, and their division by zero is refused before
 * anything is written. Comparisons give {@link DType#BOOL}; with a NaN all but {@link Kind#NE} are
 * false. Maximum and minimum are NaN where either operand is. Deterministic.
 *
 * @param kind the function
 * @param type element type of a and b; and of y, except for comparisons
 * @param a layout of the first operand
 * @param b layout of the second operand
 * @param y layout of the result; must not name an element twice
 */
public record Binary(Kind kind, DType type, Layout a, Layout b, Layout y)
    implements Op<Binary.Plan> {
  /** The functions. */
  public enum Kind {
    /** {@code a + b}. */
    ADD,
    /** {@code a - b}. */
    SUB,
    /** {@code a * b}. */
    MUL,
    /** {@code a / b}; truncated for integers. */
    DIV,
    /** The larger; NaN where either is. */
    MAX,
    /** The smaller; NaN where either is. */
    MIN,
    /** {@code a ^ b}. */
    POW,
    /** {@code a == b}. */
    EQ,
    /** {@code a != b}. */
    NE,
    /** {@code a < b}. */
    LT,
    /** {@code a <= b}. */
    LE,
    /** {@code a > b}. */
    GT,
    /** {@code a >= b}. */
    GE,
    /** Both true; BOOL only. */
    AND,
    /** Either true; BOOL only. */
    OR,
    /** One true; BOOL only. */
    XOR;

    /** Whether the result is BOOL. */
    public boolean isPredicate() {
      return ordinal() >= EQ.ordinal();
    }

    /** Whether the operands must be BOOL. */
    boolean isLogical() {
      return ordinal() >= AND.ordinal();
    }
  }

  private static final Implementations<Binary, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("loops", CpuBinary::new),
          Implementation.cuda("cuda", CudaBinary::accepts, CudaBinary::new));

  /** Checks sizes and type. */
  public Binary {
    if (!Arrays.equals(a.dims(), y.dims()) || !Arrays.equals(b.dims(), y.dims())) {
      throw InvalidArgumentException.of(
          "binary",
          "layouts",
          "must have the same sizes (broadcast the operands first)",
          "a=%s, b=%s, y=%s",
          a,
          b,
          y);
    }
    if (y.overlapsItself()) {
      throw InvalidArgumentException.of("binary", "y", "must not name an element twice", "y=%s", y);
    }
    boolean equality = kind == Kind.EQ || kind == Kind.NE;
    if (kind.isLogical() ? type != DType.BOOL : type == DType.BOOL && !equality) {
      throw InvalidArgumentException.of(
          "binary",
          "type",
          kind.isLogical() ? "must be bool" : "must be a number type",
          "type=%s, kind=%s",
          type,
          kind);
    }
  }

  /** Of operands that are broadcast together, with a row-major result. */
  public static Binary of(Kind kind, DType type, Layout a, Layout b) {
    long[] dims = Layout.broadcastDims("binary", a.dims(), b.dims());
    return new Binary(
        kind,
        type,
        a.broadcastTo("binary", dims),
        b.broadcastTo("binary", dims),
        Layout.contiguous(dims));
  }

  /** Element type of y. */
  public DType resultType() {
    return kind.isPredicate() ? DType.BOOL : type;
  }

  @Override
  public String name() {
    return "binary";
  }

  @Override
  public Support supports(Device device) {
    return IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  public Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** What a backend implements; operands are checked and pinned. */
  public interface Kernel extends DeviceKernel {
    /** See {@link Plan#run}. */
    void run(Stream stream, Buffer a, Buffer b, Buffer y);
  }

  /** A function that can be run. */
  public static final class Plan extends OpPlan<Binary, Kernel> {
    private Plan(Binary op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * {@code y = f(a, b)}.
     *
     * @param y may be a (or b) where its layout and type are the same; must not overlap it
     *     otherwise
     * @throws InvalidArgumentException for an integer division by zero
     */
    public void run(Stream stream, Buffer a, Buffer b, Buffer y) {
      checkStream(stream);
      check("a", a, op.type(), op.a().span());
      check("b", b, op.type(), op.b().span());
      check("y", y, op.resultType(), op.y().span());
      checkInPlace("a", a, op.a(), y);
      checkInPlace("b", b, op.b(), y);
      Pins.pinAll(op.name(), a, b, y);
      try {
        kernel.run(stream, a, b, y);
      } finally {
        Pins.unpinAll(a, b, y);
      }
    }

    private void checkInPlace(String name, Buffer operand, Layout layout, Buffer y) {
      if (layout.equals(op.y()) && op.resultType() == op.type()) {
        checkSameOrDisjoint("y", y, name, operand);
      } else {
        checkDisjoint("y", y, name, operand);
      }
    }
  }
}
