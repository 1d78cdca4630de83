package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuPad;
import dev.gridstride.cuda.CudaPad;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Adds a border to a row-major array, or cuts one off, in any of its dimensions: {@code y[o] =
 * x[source(o - before)]} in each dimension, where {@code source} is the identity inside and beyond
 * the ends what {@link Mode} says.
 *
 * <p>Forward moves bits, any type. Backward, {@code dx[i] = sum of dy[o] over all o whose source is
 * i}, takes f64, f32, bf16 and f16: the sums are formed in f64 in row-major order of o and rounded
 * once; the same bits for any number of threads. Elements that were cut off, and the border of
 * {@link Mode#CONSTANT}, have no part in it.
 *
 * @param mode what the border holds
 * @param type element type of x and y
 * @param axes one for each dimension
 * @param value the constant, rounded to the type; 0 for the other modes
 */
public record Pad(Mode mode, DType type, List<PadAxis> axes, double value) implements Op<Pad.Plan> {
  /** What a border holds. */
  public enum Mode {
    /** One value. */
    CONSTANT,
    /** The array mirrored at its first and last element, which are not repeated. */
    REFLECT,
    /** The first or last element. */
    REPLICATE,
    /** The array from its other end. */
    CIRCULAR;

    private long limit(long size) {
      return switch (this) {
        case CONSTANT -> Long.MAX_VALUE;
        case REFLECT -> Math.max(0, size - 1);
        case REPLICATE -> size == 0 ? 0 : Long.MAX_VALUE;
        case CIRCULAR -> size;
      };
    }

    private String rule() {
      return switch (this) {
        case CONSTANT -> "may have any length";
        case REFLECT -> "must be shorter than the dimension";
        case REPLICATE -> "must be 0 where the dimension is empty";
        case CIRCULAR -> "must not be longer than the dimension";
      };
    }
  }

  private static final Implementations<Pad, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("rows", CpuPad::new),
          Implementation.cuda("cuda", CudaPad::accepts, CudaPad::new));

  /** Checks sizes and the lengths that the mode allows. */
  public Pad {
    axes = List.copyOf(axes);
    value = mode == Mode.CONSTANT ? value : 0;
    for (int i = 0; i < axes.size(); i++) {
      PadAxis a = axes.get(i);
      if (Math.max(a.before(), a.after()) > mode.limit(a.size())) {
        throw InvalidArgumentException.of(
            "pad",
            "before and after",
            mode.rule(),
            "mode=%s, dimension=%d, size=%d, before=%d, after=%d",
            mode,
            i,
            a.size(),
            a.before(),
            a.after());
      }
    }
    Layout.contiguous(axes.stream().mapToLong(PadAxis::size).toArray()); // overflow
    Layout.contiguous(axes.stream().mapToLong(PadAxis::out).toArray());
  }

  /** Of an array of these sizes; before and after have one number for each dimension. */
  public static Pad of(Mode mode, DType type, long[] dims, long[] before, long[] after) {
    if (before.length != dims.length || after.length != dims.length) {
      throw InvalidArgumentException.of(
          "pad",
          "before and after",
          "must have one number for each dimension",
          "before=%s, after=%s, dims=%s",
          Arrays.toString(before),
          Arrays.toString(after),
          Arrays.toString(dims));
    }
    var axes = new ArrayList<PadAxis>();
    for (int i = 0; i < dims.length; i++) {
      axes.add(new PadAxis(dims[i], before[i], after[i]));
    }
    return new Pad(mode, type, axes, 0);
  }

  /** The same with another constant. */
  public Pad withValue(double constant) {
    return new Pad(mode, type, axes, constant);
  }

  /** Sizes of x. */
  public long[] inputDims() {
    return axes.stream().mapToLong(PadAxis::size).toArray();
  }

  /** Sizes of y. */
  public long[] outputDims() {
    return axes.stream().mapToLong(PadAxis::out).toArray();
  }

  @Override
  public String name() {
    return "pad";
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
    /** See {@link Plan#forward}. */
    void forward(Stream stream, Buffer x, Buffer y);

    /** See {@link Plan#backward}. */
    void backward(Stream stream, Buffer dy, Buffer dx);
  }

  /** A padding that can be run. */
  public static final class Plan extends OpPlan<Pad, Kernel> {
    private final long inputs;
    private final long outputs;

    private Plan(Pad op, Device device) {
      super(op, device, IMPLEMENTATIONS);
      this.inputs = Layout.contiguous(op.inputDims()).count();
      this.outputs = Layout.contiguous(op.outputDims()).count();
    }

    /**
     * Pads.
     *
     * @param x the sizes of {@link Pad#inputDims}
     * @param y the sizes of {@link Pad#outputDims}; must not overlap x
     */
    public void forward(Stream stream, Buffer x, Buffer y) {
      checkStream(stream);
      check("x", x, op.type(), inputs);
      check("y", y, op.type(), outputs);
      checkDisjoint("y", y, "x", x);
      Pins.pinAll(op.name(), x, y);
      try {
        kernel.forward(stream, x, y);
      } finally {
        Pins.unpinAll(x, y);
      }
    }

    /**
     * The gradient.
     *
     * @param dy of y
     * @param dx of x, every element written; must not overlap dy
     * @throws InvalidArgumentException for a type without gradients
     */
    public void backward(Stream stream, Buffer dy, Buffer dx) {
      if (!op.type().isFloating()) {
        throw InvalidArgumentException.of(
            op.name(), "type", "must be f64, f32, bf16 or f16 to go back", "type=%s", op.type());
      }
      checkStream(stream);
      check("dy", dy, op.type(), outputs);
      check("dx", dx, op.type(), inputs);
      checkDisjoint("dx", dx, "dy", dy);
      Pins.pinAll(op.name(), dy, dx);
      try {
        kernel.backward(stream, dy, dx);
      } finally {
        Pins.unpinAll(dy, dx);
      }
    }
  }
}
