package dev.gridstride.cpu;

import dev.gridstride.kernels.Layout;
import java.util.function.IntPredicate;

/**
 * Some dimensions of a layout as one index, with neighbours merged where they lie in step, so that
 * the innermost run is as long as it can be.
 */
final class Places {
  private final long[] dims;
  private final long[] strides;
  private final int rank;

  /** Number of places. */
  final long count;

  /** Length and stride of the innermost run, in elements. */
  final long run;

  final long step;

  Places(Layout layout, IntPredicate chosen) {
    var d = new long[layout.rank() + 1];
    var s = new long[layout.rank() + 1];
    int n = 0;
    long product = 1;
    for (int i = 0; i < layout.rank(); i++) {
      if (!chosen.test(i)) {
        continue;
      }
      product *= layout.dim(i);
      if (layout.dim(i) == 1) {
        continue;
      }
      if (n > 0 && s[n - 1] == layout.dim(i) * layout.stride(i)) {
        d[n - 1] *= layout.dim(i);
        s[n - 1] = layout.stride(i);
      } else {
        d[n] = layout.dim(i);
        s[n++] = layout.stride(i);
      }
    }
    if (n == 0) {
      d[0] = 1;
      s[0] = 1;
      n = 1;
    }
    dims = d;
    strides = s;
    rank = n;
    count = product;
    run = product == 0 ? 0 : d[n - 1];
    step = s[n - 1];
  }

  /** Offset in elements of place {@code index}. */
  long at(long index) {
    long offset = 0;
    long rest = index;
    for (int i = rank - 1; i > 0; i--) {
      offset += rest % dims[i] * strides[i];
      rest /= dims[i];
    }
    return offset + rest * strides[0];
  }
}
