package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuWhere;
import dev.gridstride.cuda.CudaWhere;
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
 * Chooses between two arrays element by element: {@code y[i] = condition[i] ? a[i] : b[i]}.
 *
 * <p>The bits are copied: any type; deterministic.
 *
 * @param type element type of a, b and y
 * @param condition layout of the BOOL operand; a stride of 0 broadcasts, here and below
 * @param a layout of the operand that is taken where the condition is true
 * @param b layout of the other operand
 * @param y layout of the result; must not name an element twice
 */
public record Where(DType type, Layout condition, Layout a, Layout b, Layout y)
    implements Op<Where.Plan> {
  private static final Implementations<Where, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("loops", CpuWhere::new),
          Implementation.cuda("cuda", CudaWhere::accepts, CudaWhere::new));

  /** Checks sizes. */
  public Where {
    for (Layout l : new Layout[] {condition, a, b}) {
      if (!Arrays.equals(l.dims(), y.dims())) {
        throw InvalidArgumentException.of(
            "where",
            "layouts",
            "must have the same sizes (broadcast the operands first)",
            "condition=%s, a=%s, b=%s, y=%s",
            condition,
            a,
            b,
            y);
      }
    }
    if (y.overlapsItself()) {
      throw InvalidArgumentException.of("where", "y", "must not name an element twice", "y=%s", y);
    }
  }

  @Override
  public String name() {
    return "where";
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
    void run(Stream stream, Buffer condition, Buffer a, Buffer b, Buffer y);
  }

  /** A choice that can be run. */
  public static final class Plan extends OpPlan<Where, Kernel> {
    private Plan(Where op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /** {@code y = condition ? a : b}; y must not overlap an operand. */
    public void run(Stream stream, Buffer condition, Buffer a, Buffer b, Buffer y) {
      checkStream(stream);
      check("condition", condition, DType.BOOL, op.condition().span());
      check("a", a, op.type(), op.a().span());
      check("b", b, op.type(), op.b().span());
      check("y", y, op.type(), op.y().span());
      checkDisjoint("y", y, "condition", condition);
      checkDisjoint("y", y, "a", a);
      checkDisjoint("y", y, "b", b);
      Pins.pinAll(op.name(), condition, a, b, y);
      try {
        kernel.run(stream, condition, a, b, y);
      } finally {
        Pins.unpinAll(condition, a, b, y);
      }
    }
  }
}
