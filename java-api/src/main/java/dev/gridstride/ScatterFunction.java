package dev.gridstride;

import dev.gridstride.device.IndexOutOfRangeException;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Places named by tuples of indices, and scatters that reduce; composed of recorded ops. */
final class ScatterFunction {
  private ScatterFunction() {}

  /** Rows of a tensor seen as a matrix, named by tuples of indices of its first dimensions. */
  private record Places(long rows, long[] at, long[] named, long[] rest) {
    Tensor on(Tensor x) {
      return Tensors.of(x.device(), at, at.length);
    }

    long width() {
      return Shape.of(rest).count();
    }
  }

  /**
   * Reads tuples of indices on the host and checks them.
   *
   * @param batch number of first dimensions that x and indices share
   */
  private static Places places(String op, Tensor x, Tensor indices, int batch) {
    IndexFunction.checkIndices(op, indices);
    long[] dims = indices.shape().dims();
    int depth =
        indices.rank() == 0 ? -1 : Math.toIntExact(Math.min(dims[dims.length - 1], 1 << 20));
    boolean fits =
        batch >= 0
            && batch < indices.rank()
            && depth >= 0
            && batch + depth <= x.rank()
            && indices.device().equals(x.device());
    for (int i = 0; fits && i < batch; i++) {
      fits = x.size(i) == dims[i];
    }
    if (!fits) {
      throw InvalidArgumentException.of(
          op,
          "indices",
          "must live with the tensor, share its first batchDims sizes, and end in tuples for its"
              + " next dimensions",
          "indices=%s, batchDims=%d, tensor=%s",
          indices,
          batch,
          x);
    }
    long[] named = Arrays.copyOf(dims, dims.length - 1);
    long[] all = x.shape().dims();
    long batches = Shape.of(Arrays.copyOf(all, batch)).count();
    long inside = Shape.of(Arrays.copyOfRange(all, batch, batch + depth)).count();
    var at = new long[Math.toIntExact(Shape.of(named).count())];
    long[] values = indices.toLongArray();
    for (int e = 0; e < at.length; e++) {
      long place = e / (at.length / Math.max(1, batches));
      for (int d = 0; d < depth; d++) {
        int k = e * depth + d;
        place = place * all[batch + d] + wrapped(op, values[k], k, all[batch + d], dims);
      }
      at[e] = place;
    }
    return new Places(
        batches * inside, at, named, Arrays.copyOfRange(all, batch + depth, all.length));
  }

  private static long wrapped(String op, long index, int position, long size, long[] dims) {
    if (index < -size || index >= size) {
      throw IndexOutOfRangeException.of(op, position, index, -size, size).named(op, dims);
    }
    return index < 0 ? index + size : index;
  }

  private static long[] join(long[] a, long[] b) {
    long[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  static Tensor gatherNd(Tensor x, Tensor indices, int batch) {
    Places places = places("gatherNd", x, indices, batch);
    return x.reshape(places.rows(), places.width())
        .indexSelect(0, places.on(x))
        .reshape(join(places.named(), places.rest()));
  }

  static Tensor scatterNd(Tensor x, Tensor indices, Tensor source, ScatterReduction reduction) {
    String op = "scatterNd";
    Places places = places(op, x, indices, 0);
    if (source.dtype() != x.dtype()
        || !source.device().equals(x.device())
        || !source.shape().equals(Shape.of(join(places.named(), places.rest())))) {
      throw InvalidArgumentException.of(
          op,
          "source",
          "must have the tensor's dtype and device, and for each tuple an entry of the dimensions"
              + " that it leaves open",
          "source=%s, indices=%s, tensor=%s",
          source,
          indices,
          x);
    }
    Tensor rows = x.reshape(places.rows(), places.width());
    Tensor from = source.reshape(places.at().length, places.width());
    return rows(rows, places.at(), from, reduction).reshape(x.shape().dims());
  }

  static Tensor elements(
      Tensor x, int axis, Tensor indices, Tensor source, ScatterReduction reduction) {
    if (reduction == ScatterReduction.REPLACE) {
      return ElementFunction.scatter(x, axis, indices, source);
    }
    if (reduction == ScatterReduction.ADD) {
      return ElementFunction.scatterAdd(x, axis, indices, source);
    }
    int a = ElementFunction.check("scatter", x, axis, indices);
    ElementFunction.checkSource("scatter", x, indices, source);
    long[] dims = indices.shape().dims();
    long[] values = indices.toLongArray();
    var at = new long[values.length];
    var point = new long[dims.length];
    for (int k = 0; k < at.length; k++) {
      long place = 0;
      for (int d = 0; d < dims.length; d++) {
        long i = d == a ? wrapped("scatter", values[k], k, x.size(d), dims) : point[d];
        place = place * x.size(d) + i;
      }
      at[k] = place;
      for (int d = dims.length - 1; d >= 0 && ++point[d] == dims[d]; d--) {
        point[d] = 0;
      }
    }
    return rows(x.reshape(x.count(), 1), at, source.reshape(at.length, 1), reduction)
        .reshape(x.shape().dims());
  }

  /**
   * Rows put together with rows of x. Rows for one place come in turns, in their order: in each
   * turn every place gets at most one.
   */
  private static Tensor rows(Tensor x, long[] at, Tensor source, ScatterReduction reduction) {
    if (at.length == 0) {
      return x.copy();
    }
    if (reduction == ScatterReduction.ADD) {
      return x.indexAdd(0, Tensors.of(x.device(), at, at.length), source);
    }
    Map<Long, Integer> count = new HashMap<>();
    var turn = new int[at.length];
    int turns = 0;
    for (int k = 0; k < at.length; k++) {
      turn[k] = count.merge(at[k], 1, Integer::sum) - 1;
      turns = Math.max(turns, turn[k] + 1);
    }
    Tensor y = x;
    for (int t = 0; t < turns; t++) {
      var picked = new long[at.length];
      var places = new long[at.length];
      int n = 0;
      for (int k = 0; k < at.length; k++) {
        // of rows that replace each other only the last one counts
        boolean takesPart =
            reduction == ScatterReduction.REPLACE
                ? t == 0 && turn[k] == count.getOrDefault(at[k], 0) - 1
                : turn[k] == t;
        if (takesPart) {
          picked[n] = k;
          places[n++] = at[k];
        }
      }
      if (n > 0) {
        y = turn(y, Arrays.copyOf(places, n), Arrays.copyOf(picked, n), source, reduction);
      }
    }
    return y;
  }

  private static Tensor turn(
      Tensor x, long[] at, long[] picked, Tensor source, ScatterReduction reduction) {
    Tensor places = Tensors.of(x.device(), at, at.length);
    Tensor next = source.indexSelect(0, Tensors.of(x.device(), picked, picked.length));
    if (reduction != ScatterReduction.REPLACE) {
      Tensor own = x.indexSelect(0, places);
      next =
          switch (reduction) {
            case MUL -> own.mul(next);
            case MAX -> own.maximum(next);
            case MIN -> own.minimum(next);
            case REPLACE, ADD -> next;
          };
    }
    return x.scatter(0, places.unsqueeze(1).expand(at.length, x.size(1)), next);
  }
}
