package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.kernels.Layout;
import java.util.Arrays;

/** Shapes and the order of dimensions; tensors made from numbers. */
final class ShapeOps {
  private ShapeOps() {}

  static void addTo(Operators ops) {
    ops.one("Reshape", ShapeOps::reshape);
    ops.one("Flatten", n -> SoftmaxOps.asMatrix(n.in(0), n.integer("axis", 1)));
    ops.one("Squeeze", ShapeOps::squeeze);
    ops.one("Unsqueeze", ShapeOps::unsqueeze);
    ops.one("Transpose", ShapeOps::transpose);
    ops.one("Expand", ShapeOps::expand);
    ops.one("Tile", ShapeOps::tile);
    ops.one("Shape", ShapeOps::shape);
    ops.one("Size", n -> Tensors.full(n.device(), DType.I64, n.in(0).count()));
    ops.one("Range", ShapeOps::range);
    ops.one("DepthToSpace", ShapeOps::depthToSpace);
    ops.one("SpaceToDepth", ShapeOps::spaceToDepth);
  }

  private static long[] required(Node n, String name, int input) {
    long[] values = n.integers(name, input);
    if (values == null) {
      throw n.unsupported(name + " must be given");
    }
    return values;
  }

  /** A size of 0 stands for that of the input, unless allowzero is set. */
  private static Tensor reshape(Node n) {
    Tensor x = n.in(0);
    long[] dims = required(n, "shape", 1);
    if (!n.flag("allowzero", false)) {
      for (int i = 0; i < dims.length; i++) {
        dims[i] = dims[i] == 0 ? x.size(i) : dims[i];
      }
    }
    return x.reshape(dims);
  }

  private static Tensor squeeze(Node n) {
    long[] axes = n.integers("axes", 1);
    return n.in(0).squeeze(axes == null ? new int[0] : Values.axes(axes));
  }

  /** The axes are those of the result, in any order. */
  private static Tensor unsqueeze(Node n) {
    Tensor y = n.in(0);
    long[] axes = required(n, "axes", 1);
    int rank = y.rank() + axes.length;
    for (int i = 0; i < axes.length; i++) {
      axes[i] += axes[i] < 0 ? rank : 0;
    }
    Arrays.sort(axes);
    for (long axis : axes) {
      y = y.unsqueeze(Math.toIntExact(axis));
    }
    return y;
  }

  private static Tensor transpose(Node n) {
    Tensor x = n.in(0);
    var backwards = new long[x.rank()];
    Arrays.setAll(backwards, i -> backwards.length - 1 - i);
    return x.permute(Values.axes(n.integers("perm", backwards)));
  }

  /** Input and shape are broadcast to each other. */
  private static Tensor expand(Node n) {
    Tensor x = n.in(0);
    return x.expand(Layout.broadcastDims("Expand", x.shape().dims(), n.in(1).toLongArray()));
  }

  /** In the first operator set repeats along one axis. */
  private static Tensor tile(Node n) {
    Tensor x = n.in(0);
    if (n.optional(2) == null) {
      return x.tile(n.in(1).toLongArray());
    }
    var repeats = new long[x.rank()];
    Arrays.fill(repeats, 1);
    repeats[Values.axis(x, n.in(2).toLongArray()[0])] = n.in(1).toLongArray()[0];
    return x.tile(repeats);
  }

  private static Tensor shape(Node n) {
    long[] dims = n.in(0).shape().dims();
    int start = clamped(n.integer("start", 0), dims.length);
    int end = clamped(n.integer("end", dims.length), dims.length);
    long[] part = Arrays.copyOfRange(dims, start, Math.max(start, end));
    return Tensors.of(n.device(), part, part.length);
  }

  private static int clamped(long at, int rank) {
    return Math.clamp(at < 0 ? at + rank : at, 0, rank);
  }

  /** {@code start, start + delta, ...} before limit; each value is rounded once. */
  private static Tensor range(Node n) {
    Tensor like = n.in(0);
    double start = like.item();
    double limit = n.in(1).item();
    double delta = n.in(2).item();
    long count = Math.max(0, (long) Math.ceil((limit - start) / delta));
    DType wide = like.dtype().isFloating() ? DType.F64 : DType.I64;
    return Tensors.arange(n.device(), wide, count).mul(delta).add(start).to(like.dtype());
  }

  private static Tensor depthToSpace(Node n) {
    Tensor x = n.in(0);
    long b = n.integer("blocksize");
    long depth = x.size(1) / (b * b);
    long h = x.size(2);
    long w = x.size(3);
    Tensor y =
        n.text("mode", "DCR").equals("DCR")
            ? x.reshape(x.size(0), b, b, depth, h, w).permute(0, 3, 4, 1, 5, 2)
            : x.reshape(x.size(0), depth, b, b, h, w).permute(0, 1, 4, 2, 5, 3);
    return y.reshape(x.size(0), depth, h * b, w * b);
  }

  private static Tensor spaceToDepth(Node n) {
    Tensor x = n.in(0);
    long b = n.integer("blocksize");
    long h = x.size(2) / b;
    long w = x.size(3) / b;
    return x.reshape(x.size(0), x.size(1), h, b, w, b)
        .permute(0, 3, 5, 1, 2, 4)
        .reshape(x.size(0), x.size(1) * b * b, h, w);
  }
}
