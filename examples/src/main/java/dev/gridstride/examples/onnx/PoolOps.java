package dev.gridstride.examples.onnx;

import dev.gridstride.ConvOptions;
import dev.gridstride.MaxPoolResult;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.kernels.Pool;
import dev.gridstride.kernels.PoolAxis;
import java.util.Arrays;
import java.util.List;

/** Pooling over windows, and over all of space. */
final class PoolOps {
  private PoolOps() {}

  static void addTo(Operators ops) {
    ops.many("MaxPool", PoolOps::maxPool);
    ops.one("AveragePool", PoolOps::averagePool);
    ops.one("LpPool", PoolOps::lpPool);
    ops.one("GlobalAveragePool", n -> n.in(0).mean(true, space(n.in(0))));
    ops.one("GlobalMaxPool", n -> n.in(0).max(true, space(n.in(0))));
    ops.one("GlobalLpPool", n -> Norms.lp(n.in(0), n.integer("p", 2), space(n.in(0))));
  }

  private static int[] space(Tensor x) {
    var axes = new int[x.rank() - 2];
    Arrays.setAll(axes, i -> 2 + i);
    return axes;
  }

  private static List<Tensor> maxPool(Node n) {
    Tensor x = n.in(0);
    boolean floating = x.dtype().isFloating();
    PoolAxis[] axes = axes(n, x);
    Tensor wide = floating ? x : x.to(DType.F64); // exact for u8
    if (!n.wants(1)) {
      return List.of(wide.pool(Pool.Kind.MAX, false, axes).to(x.dtype()));
    }
    MaxPoolResult result = wide.maxPoolWithIndices(axes);
    Tensor indices = result.indices();
    if (n.flag("storage_order", false)) {
      indices = columnMajor(indices, x);
    }
    long plane = Values.product(x, 2, x.rank());
    var dims = new long[x.rank()];
    Arrays.fill(dims, 1);
    dims[0] = x.size(0);
    dims[1] = x.size(1);
    Tensor planes =
        Tensors.arange(x.device(), DType.I64, x.size(0) * x.size(1)).mul(plane).reshape(dims);
    return List.of(result.values().to(x.dtype()), indices.add(planes));
  }

  /** Row-major places in a plane as places of the plane with its first dimension fastest. */
  private static Tensor columnMajor(Tensor places, Tensor x) {
    Tensor rest = places;
    Tensor sum = Tensors.zeros(x.device(), DType.I64);
    for (int i = x.rank() - 1; i >= 2; i--) {
      Tensor quotient = rest.div(x.size(i));
      Tensor coordinate = rest.sub(quotient.mul(x.size(i)));
      sum = sum.add(coordinate.mul(Values.product(x, 2, i)));
      rest = quotient;
    }
    return sum;
  }

  private static PoolAxis[] axes(Node n, Tensor x) {
    return Windows.of(n, x, new long[0]).axes(x, n.flag("ceil_mode", false));
  }

  private static Tensor averagePool(Node n) {
    Tensor x = n.in(0);
    return x.pool(Pool.Kind.AVERAGE, n.flag("count_include_pad", false), axes(n, x));
  }

  /** {@code (sum |x|^p)^(1/p)} of each window: the sums by a convolution with ones. */
  private static Tensor lpPool(Node n) {
    Tensor x = n.in(0);
    double p = n.real("p", 2);
    int rank = x.rank() - 2;
    Windows windows = Windows.of(n, x, new long[0]);
    PoolAxis[] axes = windows.axes(x, n.flag("ceil_mode", false));
    long[] after = new long[rank];
    for (int i = 0; i < rank; i++) {
      long reach = (axes[i].kernel() - 1) * axes[i].dilation() + 1;
      after[i] =
          (axes[i].out() - 1) * axes[i].stride() + reach - axes[i].size() - axes[i].padBegin();
    }
    long[] dims = x.shape().dims();
    dims[0] = Math.multiplyExact(dims[0], dims[1]);
    dims[1] = 1;
    Tensor powers = Windows.padded(Norms.power(x, p).reshape(dims), windows.begin(), after, 0);
    var filter = new long[x.rank()];
    filter[0] = 1;
    filter[1] = 1;
    System.arraycopy(windows.kernel(), 0, filter, 2, rank);
    Tensor ones = Tensors.ones(x.device(), x.dtype(), filter);
    ConvOptions options =
        ConvOptions.DEFAULT.withStride(windows.stride()).withDilation(windows.dilation());
    Tensor sums = powers.conv(ones, null, options);
    long[] out = sums.shape().dims();
    out[0] = x.size(0);
    out[1] = x.size(1);
    return Norms.root(sums.reshape(out), p);
  }
}
