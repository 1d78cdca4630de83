package dev.gridstride.cuda;

import dev.gridstride.device.DType;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import dev.gridstride.kernels.ImageLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * A convolution in cuDNN's terms: dimensions in the order image, channel, space, whatever the order
 * in memory, which the strides say. One spatial dimension becomes two, the first of size 1.
 *
 * <p>cuDNN takes images with channels last only together with filters {@code [k, taps, c]}; ours
 * are {@code [k, c, taps]} in both layouts.
 */
final class CudnnShape {
  private final Conv op;
  private final List<ConvAxis> axes = new ArrayList<>();

  /** For a convolution that {@link #describes} accepts. */
  CudnnShape(Conv op) {
    this.op = op;
    if (op.axes().size() == 1) {
      axes.add(ConvAxis.of(1, 1));
    }
    axes.addAll(op.axes());
  }

  /** Whether cuDNN's terms can say what {@code op} means, and why not. */
  static Support describes(Conv op) {
    if (op.type() == DType.F64) {
      return Support.no("it is used for f32, bf16 and f16; given f64");
    }
    if (op.xCount() == 0 || op.wCount() == 0 || op.yCount() == 0) {
      return Support.no("an empty convolution");
    }
    if (Math.max(Math.max(op.xCount(), op.wCount()), op.yCount()) > Integer.MAX_VALUE) {
      return Support.no("an operand of more than 2^31 - 1 elements");
    }
    for (ConvAxis a : op.axes()) {
      if (a.padBegin() < 0 || a.padEnd() < 0) {
        return Support.no("negative padding: " + a.padBegin() + " and " + a.padEnd());
      }
      if (a.padBegin() != a.padEnd()) {
        return Support.no("asymmetric padding: " + a.padBegin() + " and " + a.padEnd());
      }
    }
    return Support.YES;
  }

  private int[] dims(long first, long second, ToLongFunction<ConvAxis> size) {
    var dims = new int[axes.size() + 2];
    dims[0] = Math.toIntExact(first);
    dims[1] = Math.toIntExact(second);
    System.arraycopy(each(size), 0, dims, 2, axes.size());
    return dims;
  }

  private int[] each(ToLongFunction<ConvAxis> number) {
    return axes.stream().mapToLong(number).mapToInt(Math::toIntExact).toArray();
  }

  /** Of x and dx. */
  int[] xDims() {
    return dims(op.n(), op.c(), ConvAxis::size);
  }

  /** Of y and dy. */
  int[] yDims() {
    return dims(op.n(), op.k(), ConvAxis::out);
  }

  /** Of w and dw. */
  int[] wDims() {
    return dims(op.k(), op.c() / op.groups(), ConvAxis::kernel);
  }

  /** Zeros on each side of each axis. */
  int[] padding() {
    return each(ConvAxis::padBegin);
  }

  /** Distances of windows. */
  int[] strides() {
    return each(ConvAxis::stride);
  }

  /** Distances of taps. */
  int[] dilations() {
    return each(ConvAxis::dilation);
  }

  /** Number of groups. */
  int groups() {
    return Math.toIntExact(op.groups());
  }

  /** The layout of images, and the one that filters must have with them. */
  int format() {
    return op.layout() == ImageLayout.NCHW ? Cudnn.NCHW : Cudnn.NHWC;
  }

  /** Only fused multiply-adds for f32: cuDNN's default may round operands to TF32. */
  int math() {
    return op.type() == DType.F32 ? Cudnn.FMA_MATH : Cudnn.TENSOR_OP_MATH;
  }

  /** Whether filters lie otherwise than cuDNN wants them. */
  boolean reordersFilters() {
    long taps = 1;
    for (ConvAxis a : axes) {
      taps *= a.kernel();
    }
    return format() == Cudnn.NHWC && taps > 1 && op.c() / op.groups() > 1;
  }

  /** Strides in elements of dimensions in the order image, channel, space. */
  static int[] strides(int[] dims, int format) {
    var strides = new int[dims.length];
    int step = 1;
    if (format == Cudnn.NHWC) {
      strides[1] = 1;
      step = dims[1];
    }
    for (int i = dims.length - 1; i >= 2; i--) {
      strides[i] = step;
      step *= dims[i];
    }
    if (format == Cudnn.NCHW) {
      strides[1] = step;
      step *= dims[1];
    }
    strides[0] = step;
    return strides;
  }
}
