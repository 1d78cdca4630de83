package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuFill;
import dev.gridstride.cuda.CudaFill;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;

/**
 * Sets every element of a layout to one value, converted to the type by the rules of {@link Copy};
 * memory between the elements is left as it is.
 *
 * @param type element type of y
 * @param to where the elements are; must not name an element twice
 */
public record Fill(DType type, Layout to) implements Op<Fill.Plan> {
  private static final Implementations<Fill, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("loops", CpuFill::new),
          Implementation.cuda("cuda", CudaFill::accepts, CudaFill::new));

  /** Checks the layout. */
  public Fill {
    if (to.overlapsItself()) {
      throw InvalidArgumentException.of(
          "fill", "to", "must not name an element twice", "to=%s", to);
    }
  }

  @Override
  public String name() {
    return "fill";
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
    /** Converts the value and stores it. */
    void run(Stream stream, double value, Buffer y);

    /** The same from an integer, exact in i64. */
    void run(Stream stream, long value, Buffer y);
  }

  /** A fill that can be run. */
  public static final class Plan extends OpPlan<Fill, Kernel> {
    private interface Launch {
      void run();
    }

    private Plan(Fill op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * {@code y[i] = value}.
     *
     * @param y laid out as {@link Fill#to}
     */
    public void run(Stream stream, double value, Buffer y) {
      launch(stream, y, () -> kernel.run(stream, value, y));
    }

    /** {@code y[i] = value}, exact also for an i64 beyond 2^53. */
    public void run(Stream stream, long value, Buffer y) {
      launch(stream, y, () -> kernel.run(stream, value, y));
    }

    private void launch(Stream stream, Buffer y, Launch launch) {
      checkStream(stream);
      check("y", y, op.type(), op.to().span());
      y.pin(op.name());
      try {
        launch.run();
      } finally {
        y.unpin();
      }
    }
  }
}
