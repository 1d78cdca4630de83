package dev.gridstride;

import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Epilogue;
import dev.gridstride.kernels.Gemm;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Matrix products as recorded tensor ops. */
final class ProductFunction {
  private ProductFunction() {}

  static Tensor matmul(Tensor a, Tensor b) {
    checkKinds("matmul", "other", a, b);
    if (a.rank() == 0 || b.rank() == 0) {
      throw shapes(a, b, "must have at least one dimension");
    }
    if (a.rank() == 1) {
      return matmul(a.unsqueeze(0), b).squeeze(b.rank() == 1 ? 0 : -2);
    }
    if (b.rank() == 1) {
      return matmul(a, b.unsqueeze(1)).squeeze(-1);
    }
    if (a.size(-1) != b.size(-2)) {
      throw shapes(a, b, "must have as many rows as this tensor has columns");
    }
    if (a.rank() > 2 && b.rank() == 2) {
      long[] dims = a.shape().dims();
      dims[dims.length - 1] = b.size(1);
      return matmul(asMatrix(a), b).reshape(dims);
    }
    Tensor y = product(a, b, null);
    return Autograd.record(
        "matmul",
        y,
        a,
        dy -> ReduceFunction.sumTo(product(dy, b.transpose(), null), a.shape()),
        b,
        dy -> ReduceFunction.sumTo(product(a.transpose(), dy, null), b.shape()));
  }

  static Tensor linear(Tensor x, Tensor w, @Nullable Tensor b) {
    checkKinds("linear", "w", x, w);
    if (x.rank() == 0 || w.rank() != 2 || w.size(1) != x.size(-1)) {
      throw InvalidArgumentException.of(
          "linear",
          "w",
          "must be [out, in] with in the last dimension of the input",
          "w=%s, input=%s",
          w.shape(),
          x.shape());
    }
    if (b != null) {
      checkKinds("linear", "b", x, b);
      if (b.rank() != 1 || b.size(0) != w.size(0)) {
        throw InvalidArgumentException.of(
            "linear", "b", "must be [out]", "b=%s, w=%s", b.shape(), w.shape());
      }
    }
    if (x.rank() != 2) {
      long[] dims = x.shape().dims();
      dims[dims.length - 1] = w.size(0);
      return linear(asMatrix(x), w, b).reshape(dims);
    }
    Tensor y = product(x, w.transpose(), b);
    Tensor[] inputs = b == null ? new Tensor[] {x, w} : new Tensor[] {x, w, b};
    return Autograd.record(
        "linear",
        y,
        (dy, needed) -> {
          var gradients = new @Nullable Tensor[inputs.length];
          gradients[0] = needed[0] ? product(dy, w, null) : null;
          gradients[1] = needed[1] ? product(dy.transpose(), x, null) : null;
          if (b != null) {
            gradients[2] = needed[2] ? dy.sum(0) : null;
          }
          return gradients;
        },
        inputs);
  }

  private static Tensor asMatrix(Tensor x) {
    long columns = x.size(-1);
    return x.reshape(columns == 0 ? rows(x) : x.count() / columns, columns);
  }

  /** The product of all sizes but the last. */
  private static long rows(Tensor x) {
    return Shape.of(Arrays.copyOf(x.shape().dims(), x.rank() - 1)).count();
  }

  private static void checkKinds(String op, String argument, Tensor a, Tensor b) {
    if (!a.dtype().isFloating() || a.dtype() != b.dtype()) {
      throw InvalidArgumentException.of(
          op,
          argument,
          "must have this tensor's dtype, a floating one",
          "this=%s, %s=%s",
          a.dtype(),
          argument,
          b.dtype());
    }
    if (!a.device().equals(b.device())) {
      throw InvalidArgumentException.of(
          op,
          argument,
          "must live on this tensor's device",
          "this=%s, %s=%s",
          a.device().name(),
          argument,
          b.device().name());
    }
  }

  private static InvalidArgumentException shapes(Tensor a, Tensor b, String rule) {
    return InvalidArgumentException.of(
        "matmul", "other", rule, "this=%s, other=%s", a.shape(), b.shape());
  }

  /** A stack of matrices in memory as the product reads it. */
  private record Operand(Tensor tensor, boolean transposed, long leading, long stride) {}

  /** {@code a b + bias} of matrices or stacks of them; views on the way are not recorded. */
  private static Tensor product(Tensor a, Tensor b, @Nullable Tensor bias) {
    return Autograd.noGrad(() -> multiply(a, b, bias));
  }

  private static Tensor multiply(Tensor a, Tensor b, @Nullable Tensor bias) {
    long[] batch = batchDims(a, b);
    long count = Shape.of(batch).count();
    Operand left = operand(a, batch);
    Operand right = operand(b, batch);
    long m = a.size(-2);
    long n = b.size(-1);
    long[] dims = Arrays.copyOf(batch, batch.length + 2);
    dims[batch.length] = m;
    dims[batch.length + 1] = n;
    Tensor y = Tensor.empty(a.device(), a.dtype(), dims);
    Gemm op =
        Gemm.of(m, n, a.size(-1))
            .type(a.dtype())
            .trans(left.transposed, right.transposed)
            .leading(left.leading, right.leading, 0)
            .batched(count, left.stride, right.stride, m * n)
            .with(bias == null ? Epilogue.NONE : Epilogue.bias());
    Tensor add = bias == null ? null : bias.contiguous();
    Plans.of(a.device(), op)
        .run(
            a.stream(),
            1,
            left.tensor.buffer(),
            right.tensor.buffer(),
            0,
            y.buffer(),
            add == null ? null : add.buffer(),
            null,
            null);
    return y;
  }

  /** The dimensions before the last two, broadcast against each other. */
  private static long[] batchDims(Tensor a, Tensor b) {
    var dims = new long[Math.max(a.rank(), b.rank()) - 2];
    for (int i = 0; i < dims.length; i++) {
      long p = batchSize(a, dims.length - i);
      long q = batchSize(b, dims.length - i);
      if (p != q && p != 1 && q != 1) {
        throw shapes(a, b, "must have leading dimensions that broadcast with this tensor's");
      }
      dims[i] = p == 1 ? q : p;
    }
    return dims;
  }

  /** Size of the batch dimension that is {@code back} before the matrix; 1 where there is none. */
  private static long batchSize(Tensor x, int back) {
    int axis = x.rank() - 2 - back;
    return axis < 0 ? 1 : x.size(axis);
  }

  /**
   * How the product reads x, broadcast to {@code batch}; a copy where it can't be read in place.
   */
  private static Operand operand(Tensor x, long[] batch) {
    long[] dims = Arrays.copyOf(batch, batch.length + 2);
    dims[batch.length] = x.size(-2);
    dims[batch.length + 1] = x.size(-1);
    Tensor wide = Arrays.equals(dims, x.shape().dims()) ? x : ReduceFunction.broadcast(x, dims);
    Operand found = inPlace(wide);
    if (found != null) {
      return found;
    }
    Tensor dense = wide.copy();
    return new Operand(dense, false, 0, x.size(-2) * x.size(-1));
  }

  private static @Nullable Operand inPlace(Tensor x) {
    int r = x.rank();
    long rows = x.size(-2);
    long columns = x.size(-1);
    long down = rows == 1 ? columns : x.layout().stride(r - 2);
    long across = columns == 1 ? 1 : x.layout().stride(r - 1);
    long stride = 0;
    long reach = 1; // products so far, from the innermost batch dimension
    for (int i = r - 3; i >= 0; i--) {
      if (x.size(i) == 1) {
        continue;
      }
      long s = x.layout().stride(i);
      if (reach == 1) {
        stride = s;
      } else if (s != reach * stride) {
        return null;
      }
      reach *= x.size(i);
    }
    if (across == 1 && down >= columns) {
      return new Operand(x, false, Math.max(1, down), stride);
    }
    long backAcross = columns == 1 ? rows : x.layout().stride(r - 1);
    long backDown = rows == 1 ? 1 : x.layout().stride(r - 2);
    if (backDown == 1 && backAcross >= rows) {
      return new Operand(x, true, Math.max(1, backAcross), stride);
    }
    return null;
  }
}
