package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuSoftmax;
import dev.gridstride.cuda.CudaSoftmax;
import dev.gridstride.cuda.CudnnSoftmax;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.jcuda.JCudaVendors;
import java.util.Arrays;

/**
 * Softmax or log-softmax over one dimension of a row-major array {@code [outer, size, inner]}:
 * {@code y = exp(x - max) / sum(exp(x - max))}, or {@code y = x - max - log(sum(exp(x - max)))}.
 *
 * <p>f32, f64, bf16 and f16, all computed in at least f32. Deterministic. A row that holds a NaN or
 * +Inf, or only -Inf, gives NaN for the whole row; other -Inf give probability 0.
 *
 * @param outer product of the dimensions before the softmax dimension
 * @param size length of the softmax dimension
 * @param inner product of the dimensions after it; 1 for the last dimension
 * @param type element type of all operands
 * @param log whether the logarithm of the softmax is computed
 */
public record Softmax(long outer, long size, long inner, DType type, boolean log)
    implements Op<Softmax.Plan> {
  private static final Implementations<Softmax, Kernel> IMPLEMENTATIONS =
      Implementations.of(
              Implementation.cpu("rows", CpuSoftmax::new),
              Implementation.cuda("cuda", CudaSoftmax::new))
          .withVendors(
              Implementation.cuda("cudnn", CudnnSoftmax::accepts, CudnnSoftmax::new),
              Implementation.cuda("jcudnn", JCudaVendors::acceptsSoftmax, JCudaVendors::softmax));

  /** Checks sizes and type. */
  public Softmax {
    if (outer < 0 || size < 0 || inner < 0) {
      throw InvalidArgumentException.of(
          "softmax",
          "sizes",
          "must not be negative",
          "outer=%d, size=%d, inner=%d",
          outer,
          size,
          inner);
    }
    if (!type.isFloating()) {
      throw InvalidArgumentException.of(
          "softmax", "type", "must be f64, f32, bf16 or f16", "type=%s", type);
    }
    Layout.contiguous(outer, size, inner); // overflow
  }

  /** Over dimension {@code axis} of a row-major array; negative axes count from the last. */
  public static Softmax of(DType type, int axis, long... dims) {
    int a = axis < 0 ? axis + dims.length : axis;
    if (a < 0 || a >= dims.length) {
      throw InvalidArgumentException.of(
          "softmax",
          "axis",
          "must name a dimension",
          "axis=%d, dims=%s",
          axis,
          Arrays.toString(dims));
    }
    long outer = Layout.contiguous(Arrays.copyOfRange(dims, 0, a)).count();
    long inner = Layout.contiguous(Arrays.copyOfRange(dims, a + 1, dims.length)).count();
    return new Softmax(outer, dims[a], inner, type, false);
  }

  /** The same with the logarithm taken. */
  public Softmax withLog() {
    return new Softmax(outer, size, inner, type, true);
  }

  @Override
  public String name() {
    return log ? "logSoftmax" : "softmax";
  }

  /** Number of elements of each operand. */
  public long count() {
    return outer * size * inner;
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
    /** {@code y = softmax(x)}; y may be x. */
    void forward(Stream stream, Buffer x, Buffer y);

    /** {@code dx} from the forward's result and {@code dy}; dx may be dy or y. */
    void backward(Stream stream, Buffer y, Buffer dy, Buffer dx);
  }

  /** A softmax that can be run. */
  public static final class Plan extends OpPlan<Softmax, Kernel> {
    private Plan(Softmax op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * {@code y = softmax(x)}.
     *
     * @param x {@code [outer, size, inner]}
     * @param y the same; may be x, must not overlap it otherwise
     */
    public void forward(Stream stream, Buffer x, Buffer y) {
      checkStream(stream);
      check("x", x, op.type(), op.count());
      check("y", y, op.type(), op.count());
      checkSameOrDisjoint("y", y, "x", x);
      Pins.pinAll(op.name(), x, y);
      try {
        kernel.forward(stream, x, y);
      } finally {
        Pins.unpinAll(x, y);
      }
    }

    /**
     * {@code dx = y * (dy - sum(y * dy))}, or for the logarithm {@code dx = dy - exp(y) * sum(dy)}.
     *
     * @param y result of {@link #forward}
     * @param dy gradient of the loss with respect to y
     * @param dx gradient with respect to x; may be dy or y, must not overlap them otherwise
     */
    public void backward(Stream stream, Buffer y, Buffer dy, Buffer dx) {
      checkStream(stream);
      check("y", y, op.type(), op.count());
      check("dy", dy, op.type(), op.count());
      check("dx", dx, op.type(), op.count());
      checkSameOrDisjoint("dx", dx, "dy", dy);
      checkSameOrDisjoint("dx", dx, "y", y);
      Pins.pinAll(op.name(), y, dy, dx);
      try {
        kernel.backward(stream, y, dy, dx);
      } finally {
        Pins.unpinAll(y, dy, dx);
      }
    }
  }
}
