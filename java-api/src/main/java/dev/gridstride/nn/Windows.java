package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;

/** What layers that look through windows share. */
final class Windows {
  private Windows() {}

  /** Refuses images that do not have {@code rank} spatial dimensions. */
  static void checkRank(String op, Tensor x, int rank) {
    if (x.rank() != rank + 2) {
      throw InvalidArgumentException.of(
          op,
          "x",
          "must have a batch, channels and " + rank + " spatial dimensions",
          "shape=%s",
          x.shape());
    }
  }

  /** One number for each of {@code rank} directions, from as many or a single one. */
  static long[] each(String op, String name, long[] values, int rank) {
    if (values.length != rank && values.length != 1) {
      throw InvalidArgumentException.of(
          op,
          name,
          "must have one number, or one for each spatial dimension",
          "%s=%s, spatial dimensions=%d",
          name,
          Arrays.toString(values),
          rank);
    }
    var all = new long[rank];
    for (int i = 0; i < rank; i++) {
      all[i] = values[values.length == 1 ? 0 : i];
    }
    return all;
  }
}
