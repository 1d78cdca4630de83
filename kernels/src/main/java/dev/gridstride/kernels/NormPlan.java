package dev.gridstride.kernels;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the plans of the normalizations share: the rules of the description and the checks of the
 * operands.
 *
 * @param <S> the op's description
 * @param <K> the op's kernel contract
 */
abstract class NormPlan<S extends Op<?>, K extends NormKernel> extends OpPlan<S, K> {
  /** Element type of x, y, their gradients and the parameters. */
  protected final DType type;

  /** Elements of x and y. */
  protected final long count;

  /** Elements of gamma and beta. */
  protected final long parameters;

  /** Number of means. */
  protected final long stats;

  private final boolean centered;

  NormPlan(
      S op,
      Device device,
      Implementations<S, K> implementations,
      DType type,
      long count,
      long parameters,
      long stats,
      boolean centered) {
    super(op, device, implementations);
    this.type = type;
    this.count = count;
    this.parameters = parameters;
    this.stats = stats;
    this.centered = centered;
  }

  /** Type of the means and reciprocal standard deviations, and of what runs along with them. */
  static DType statType(DType type) {
    return type == DType.F64 ? DType.F64 : DType.F32;
  }

  static void checkOptions(String op, DType type, double eps) {
    if (!type.isFloating()) {
      throw InvalidArgumentException.of(
          op, "type", "must be f64, f32, bf16 or f16", "type=%s", type);
    }
    if (!(eps >= 0) || Double.isInfinite(eps)) {
      throw InvalidArgumentException.of(
          op, "eps", "must be finite and not negative", "eps=%s", eps);
    }
  }

  static void checkRows(String op, long rows, long cols) {
    if (rows < 0 || cols < 0) {
      throw InvalidArgumentException.of(
          op, "sizes", "must not be negative", "rows=%d, cols=%d", rows, cols);
    }
    Layout.contiguous(rows, cols); // overflow
  }

  static void checkImages(String op, long n, long c, long spatial) {
    if (n < 0 || c < 0 || spatial < 0) {
      throw InvalidArgumentException.of(
          op, "sizes", "must not be negative", "n=%d, c=%d, spatial=%d", n, c, spatial);
    }
    Layout.contiguous(n, c, spatial); // overflow
  }

  /** x to y with their parameters. */
  void checkForward(
      Stream stream, Buffer x, @Nullable Buffer gamma, @Nullable Buffer beta, Buffer y) {
    checkStream(stream);
    check("x", x, type, count);
    checkOptional("gamma", gamma, type, parameters);
    checkOptional("beta", beta, type, parameters);
    check("y", y, type, count);
    if (beta != null && gamma == null) {
      throw InvalidArgumentException.of(
          op.name(), "beta", "must not be given without gamma", "beta=%s, gamma=null", beta);
    }
    checkSameOrDisjoint("y", y, "x", x);
    checkDisjoint("y", y, "gamma", gamma);
    checkDisjoint("y", y, "beta", beta);
  }

  /** A result for each statistic: apart from everything else. */
  void checkStatistic(
      String name,
      @Nullable Buffer statistic,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer beta,
      Buffer y) {
    checkOptional(name, statistic, statType(type), stats);
    checkDisjoint(name, statistic, "x", x);
    checkDisjoint(name, statistic, "gamma", gamma);
    checkDisjoint(name, statistic, "beta", beta);
    checkDisjoint(name, statistic, "y", y);
  }

  void runForward(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer beta,
      Buffer y,
      @Nullable Buffer mean,
      @Nullable Buffer rstd) {
    checkForward(stream, x, gamma, beta, y);
    checkStatistic("mean", mean, x, gamma, beta, y);
    checkStatistic("rstd", rstd, x, gamma, beta, y);
    checkDisjoint("mean", mean, "rstd", rstd);
    Pins.pinAll(op.name(), x, gamma, beta, y, mean, rstd);
    try {
      kernel.forward(stream, x, gamma, beta, y, mean, rstd);
    } finally {
      Pins.unpinAll(x, gamma, beta, y, mean, rstd);
    }
  }

  /**
   * The operands of any backward pass.
   *
   * @param first the mean or what takes its place; null where there is none
   * @param second the reciprocal standard deviation or what takes its place
   */
  void checkBackward(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      String firstName,
      @Nullable Buffer first,
      String secondName,
      Buffer second,
      Buffer dy,
      @Nullable Buffer dx,
      @Nullable Buffer dgamma,
      @Nullable Buffer dbeta) {
    checkStream(stream);
    check("x", x, type, count);
    checkOptional("gamma", gamma, type, parameters);
    if (centered) {
      check(firstName, Objects.requireNonNull(first, firstName), statType(type), stats);
    }
    check(secondName, second, statType(type), stats);
    check("dy", dy, type, count);
    checkOptional("dx", dx, type, count);
    checkOptional("dgamma", dgamma, type, parameters);
    checkOptional("dbeta", dbeta, type, parameters);
    checkSameOrDisjoint("dx", dx, "dy", dy);
    checkSameOrDisjoint("dx", dx, "x", x);
    checkDisjoint("dx", dx, "gamma", gamma);
    checkDisjoint("dx", dx, firstName, first);
    checkDisjoint("dx", dx, secondName, second);
    checkDisjoint("dgamma", dgamma, "dx", dx);
    checkDisjoint("dgamma", dgamma, "dbeta", dbeta);
    checkDisjoint("dbeta", dbeta, "dx", dx);
    for (int i = 0; i < 2; i++) {
      String name = i == 0 ? "dgamma" : "dbeta";
      Buffer out = i == 0 ? dgamma : dbeta;
      checkDisjoint(name, out, "x", x);
      checkDisjoint(name, out, "gamma", gamma);
      checkDisjoint(name, out, firstName, first);
      checkDisjoint(name, out, secondName, second);
      checkDisjoint(name, out, "dy", dy);
    }
  }

  void runBackward(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer mean,
      Buffer rstd,
      Buffer dy,
      @Nullable Buffer dx,
      @Nullable Buffer dgamma,
      @Nullable Buffer dbeta) {
    checkBackward(stream, x, gamma, "mean", mean, "rstd", rstd, dy, dx, dgamma, dbeta);
    Pins.pinAll(op.name(), x, gamma, mean, rstd, dy, dx, dgamma, dbeta);
    try {
      kernel.backward(stream, x, gamma, mean, rstd, dy, dx, dgamma, dbeta);
    } finally {
      Pins.unpinAll(x, gamma, mean, rstd, dy, dx, dgamma, dbeta);
    }
  }
}
