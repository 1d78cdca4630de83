package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Fill;
import dev.gridstride.kernels.Layout;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Makes tensors from Java arrays and constants. */
public final class Tensors {
  private Tensors() {}

  /** An f32 tensor of these values, row-major. */
  public static Tensor of(Device device, float[] values, long... dims) {
    return Hosts.fromFloats(device, DType.F32, values, shape(values.length, dims));
  }

  /** An f64 tensor of these values, row-major. */
  public static Tensor of(Device device, double[] values, long... dims) {
    return Hosts.fromDoubles(device, DType.F64, values, shape(values.length, dims));
  }

  /** An i64 tensor of these values, row-major. */
  public static Tensor of(Device device, long[] values, long... dims) {
    return Hosts.fromLongs(device, DType.I64, values, shape(values.length, dims));
  }

  /** An i32 tensor of these values, row-major. */
  public static Tensor of(Device device, int[] values, long... dims) {
    return Hosts.fromLongs(
        device,
        DType.I32,
        Arrays.stream(values).asLongStream().toArray(),
        shape(values.length, dims));
  }

  /**
   * A tensor of the elements in host memory (a mapped file, say), row-major; the memory is copied.
   *
   * @param values exactly as many bytes as the elements need
   */
  public static Tensor of(Device device, DType dtype, MemorySegment values, long... dims) {
    Tensor x = Tensor.empty(device, dtype, dims);
    x.copyFrom(values);
    return x;
  }

  /** A tensor of the bytes between the buffer's position and limit, little-endian, row-major. */
  public static Tensor of(Device device, DType dtype, ByteBuffer values, long... dims) {
    return of(device, dtype, MemorySegment.ofBuffer(values), dims);
  }

  /** A tensor whose elements all have one value. */
  public static Tensor full(Device device, DType dtype, double value, long... dims) {
    Tensor x = Tensor.empty(device, dtype, dims);
    if (x.count() > 0) {
      // on the device: a graph can record it, and nothing waits
      var op = new Fill(dtype, Layout.contiguous(x.count()));
      Plans.of(device, op).run(x.stream(), value, x.buffer());
    }
    return x;
  }

  /** A tensor of zeros. */
  public static Tensor zeros(Device device, DType dtype, long... dims) {
    return full(device, dtype, 0, dims);
  }

  /** A tensor of ones. */
  public static Tensor ones(Device device, DType dtype, long... dims) {
    return full(device, dtype, 1, dims);
  }

  /** Tensors one after another along {@code axis}; all other sizes must agree. */
  public static Tensor concat(int axis, Tensor... tensors) {
    return Shapes.concat(axis, tensors);
  }

  /** Tensors of one shape as the entries of a new dimension at {@code axis}. */
  public static Tensor stack(int axis, Tensor... tensors) {
    return Shapes.concat(
        axis, Arrays.stream(tensors).map(t -> t.unsqueeze(axis)).toArray(Tensor[]::new));
  }

  /**
   * Einstein summation, as NumPy's: each term of {@code equation} names the dimensions of a tensor
   * by letters; dimensions with one letter are multiplied together, and summed over where the
   * output does not name it. {@code "ij,jk->ik"} is the matrix product, {@code "ii->i"} the
   * diagonal, {@code "...ij->...ji"} the transposed matrices.
   *
   * <p>Without an arrow the output is the ellipsis and then the letters that occur once, in
   * alphabetical order. Sizes of 1 are broadcast. Terms are contracted from left to right, each
   * pair by {@link Tensor#matmul}, whose precision it has; integers are multiplied and summed
   * exactly (wrapping around). Gradients reach all tensors.
   *
   * @param tensors of one dtype, on one device
   * @throws InvalidArgumentException when the equation does not fit the tensors
   */
  public static Tensor einsum(String equation, Tensor... tensors) {
    return Einsum.run(equation, tensors);
  }

  /** The integers 0..n as a tensor of rank 1. */
  public static Tensor arange(Device device, DType dtype, long n) {
    var values = new double[Math.toIntExact(n)];
    Arrays.setAll(values, i -> i);
    return Hosts.fromDoubles(device, dtype, values, Shape.of(n));
  }

  /** One dimension of the values' length when no sizes are given. */
  private static Shape shape(int length, long[] dims) {
    Shape shape = dims.length == 0 && length != 1 ? Shape.of(length) : Shape.of(dims);
    if (shape.count() != length) {
      throw InvalidArgumentException.of(
          "tensor.of",
          "values",
          "must have as many elements as the shape",
          "values.length=%d, shape=%s",
          length,
          shape);
    }
    return shape;
  }
}
