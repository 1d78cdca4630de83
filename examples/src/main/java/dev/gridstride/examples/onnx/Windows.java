package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.kernels.PoolAxis;
import java.util.Arrays;

/**
 * How windows lie on the spatial dimensions of {@code [n, c, spatial...]}, from the attributes
 * kernel_shape, strides, dilations, pads and auto_pad.
 */
record Windows(long[] kernel, long[] stride, long[] dilation, long[] begin, long[] end) {

  /** Of a pooling or a convolution of x; {@code kernel} where the attribute is not given. */
  static Windows of(Node n, Tensor x, long[] kernel) {
    int rank = x.rank() - 2;
    var ones = new long[Math.max(0, rank)];
    Arrays.fill(ones, 1);
    long[] size = n.integers("kernel_shape", kernel);
    long[] stride = n.integers("strides", ones);
    long[] dilation = n.integers("dilations", ones);
    long[] pads = n.integers("pads", new long[2 * Math.max(0, rank)]);
    if (size.length != rank
        || stride.length != rank
        || dilation.length != rank
        || pads.length != 2 * rank) {
      throw n.unsupported(
          "kernel_shape, strides, dilations and pads must fit the input's spatial dimensions");
    }
    long[] begin = Arrays.copyOf(pads, rank);
    long[] end = Arrays.copyOfRange(pads, rank, 2 * rank);
    String auto = n.text("auto_pad", "NOTSET");
    if (auto.equals("VALID")) {
      Arrays.fill(begin, 0);
      Arrays.fill(end, 0);
    } else if (!auto.equals("NOTSET")) {
      for (int i = 0; i < rank; i++) {
        long in = x.size(2 + i);
        long out = Math.ceilDiv(in, stride[i]);
        long total = Math.max(0, (out - 1) * stride[i] + (size[i] - 1) * dilation[i] + 1 - in);
        begin[i] = smaller(n, auto) ? total / 2 : total - total / 2;
        end[i] = total - begin[i];
      }
    }
    return new Windows(size, stride, dilation, begin, end);
  }

  /** Whether of an odd padding the smaller part comes first. */
  static boolean smaller(Node n, String auto) {
    return switch (auto) {
      case "SAME_UPPER" -> true;
      case "SAME_LOWER" -> false;
      default ->
          throw n.unsupported("auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER: " + auto);
    };
  }

  /** As axes of a pooling of x. */
  PoolAxis[] axes(Tensor x, boolean ceil) {
    var axes = new PoolAxis[kernel.length];
    for (int i = 0; i < axes.length; i++) {
      axes[i] =
          new PoolAxis(x.size(2 + i), kernel[i], stride[i], begin[i], end[i], dilation[i], ceil);
    }
    return axes;
  }

  /** x with {@code before} and {@code after} elements of {@code value} around its spatial part. */
  static Tensor padded(Tensor x, long[] before, long[] after, double value) {
    if (Arrays.stream(before).allMatch(p -> p == 0) && Arrays.stream(after).allMatch(p -> p == 0)) {
      return x;
    }
    var all = new long[2][x.rank()];
    System.arraycopy(before, 0, all[0], 2, before.length);
    System.arraycopy(after, 0, all[1], 2, after.length);
    return x.pad(all[0], all[1], value);
  }
}
