package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuCopy;
import dev.gridstride.cuda.CudaCopy;
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
 * Copies elements from any layout to any layout of the same sizes, converting the type on the way:
 * {@code y[i] = cast(x[i])}.
 *
 * <p>It carries out permutations, changes of memory format, slices, broadcasts, concatenations and
 * reversals: each is a choice of the two layouts and of where the buffers begin.
 *
 * <p>Casts, always directly from the source value (one rounding):
 *
 * <ul>
 *   <li>to a floating type: to nearest, ties to even; beyond the largest value, infinity; a NaN
 *       stays a NaN;
 *   <li>floating to i64, i32, u8: truncated towards zero, saturated; NaN gives 0;
 *   <li>between integers: the low bits, as in Java, C and NumPy;
 *   <li>to bool: 0 gives 0, anything else (NaN too) gives 1; from bool: 0 or 1.
 * </ul>
 *
 * <p>Without a change of type the bits are copied. Any of the eight types. Deterministic. Empty
 * layouts write nothing.
 *
 * @param fromType element type of x
 * @param from where the elements of x are
 * @param toType element type of y
 * @param to where the elements of y go; must not name an element twice
 * @param reversed bit i set: dimension i of x is read from its end
 */
public record Copy(DType fromType, Layout from, DType toType, Layout to, long reversed)
    implements Op<Copy.Plan> {
  private static final Implementations<Copy, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("loops", CpuCopy::new),
          Implementation.cuda("cuda", CudaCopy::accepts, CudaCopy::new));

  /** Checks that sizes agree and that y can hold each element. */
  public Copy {
    if (!Arrays.equals(from.dims(), to.dims())) {
      throw InvalidArgumentException.of(
          "copy", "to", "must have the sizes of from", "from=%s, to=%s", from, to);
    }
    if (to.overlapsItself()) {
      throw InvalidArgumentException.of(
          "copy", "to", "must not name an element twice", "to=%s", to);
    }
    if (from.rank() < 64 && reversed >>> from.rank() != 0) {
      throw InvalidArgumentException.of(
          "copy",
          "reversed",
          "must name dimensions",
          "reversed bits=%s, rank=%d",
          Long.toBinaryString(reversed),
          from.rank());
    }
  }

  /** Without a change of type. */
  public static Copy of(DType type, Layout from, Layout to) {
    return new Copy(type, from, type, to, 0);
  }

  /** A change of type of {@code count} elements without gaps. */
  public static Copy cast(DType fromType, DType toType, long count) {
    var layout = Layout.contiguous(count);
    return new Copy(fromType, layout, toType, layout, 0);
  }

  /** The same with these dimensions of x read from their end; naming one twice undoes it. */
  public Copy reversing(int... axes) {
    long bits = reversed;
    for (int a : axes) {
      if (a < 0 || a >= from.rank()) {
        throw InvalidArgumentException.of(
            "copy", "axes", "must name dimensions", "axis=%d, rank=%d", a, from.rank());
      }
      bits ^= 1L << a;
    }
    return new Copy(fromType, from, toType, to, bits);
  }

  @Override
  public String name() {
    return "copy";
  }

  @Override
  public Support supports(Device device) {
    return IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  public Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** Whether each element is read and written at one place, so that y may be x. */
  private boolean mayBeInPlace() {
    return from.equals(to) && reversed == 0 && fromType.bytes() == toType.bytes();
  }

  /** What a backend implements; operands are checked and pinned. */
  public interface Kernel extends DeviceKernel {
    /** Copies. */
    void run(Stream stream, Buffer x, Buffer y);
  }

  /** A copy that can be run. */
  public static final class Plan extends OpPlan<Copy, Kernel> {
    private Plan(Copy op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * {@code y[i] = cast(x[i])}.
     *
     * @param x laid out as {@link Copy#from}
     * @param y laid out as {@link Copy#to}; may be x when the layouts are equal, nothing is
     *     reversed and both types have one size; must not overlap x otherwise
     */
    public void run(Stream stream, Buffer x, Buffer y) {
      checkStream(stream);
      check("x", x, op.fromType(), op.from().span());
      check("y", y, op.toType(), op.to().span());
      if (x.devicePointer() != y.devicePointer() || !op.mayBeInPlace()) {
        // only the bytes that the layouts reach: two slices of one buffer may lie side by side
        checkDisjoint(
            "y",
            y.slice(0, op.toType().bytes(op.to().span())),
            "x",
            x.slice(0, op.fromType().bytes(op.from().span())));
      }
      Pins.pinAll(op.name(), x, y);
      try {
        kernel.run(stream, x, y);
      } finally {
        Pins.unpinAll(x, y);
      }
    }
  }
}
