package dev.gridstride.cpu.scalar;

import dev.gridstride.cpu.Elements;
import dev.gridstride.cpu.NormLoops;
import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Normalizations of any floating type in plain Java; everything in double. */
public final class ScalarNormLoops implements NormLoops {
  private final Elements type;
  private final Elements table = Elements.of(DType.F64);

  /** Loops over elements of a type; tables are f64. */
  public ScalarNormLoops(DType type) {
    this.type = Elements.of(type);
  }

  @Override
  public Elements tableElements() {
    return table;
  }

  @Override
  public void moments(MemorySegment x, long at, int n, boolean centered, double[] moments) {
    moments(x, at, 1, n, centered, moments);
  }

  /** Of elements that are {@code step} apart. */
  public void moments(
      MemorySegment x, long at, long step, int n, boolean centered, double[] moments) {
    double pivot = 0;
    if (centered) {
      for (int i = 0; i < n; i++) {
        pivot += type.get(x, at + i * step);
      }
      pivot /= n;
    }
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < n; i++) {
      double d = type.get(x, at + i * step) - pivot;
      sum += d;
      squares += d * d;
    }
    moments[0] = centered ? pivot + sum / n : 0;
    moments[1] = centered ? Math.max(0, squares - sum * sum / n) : squares;
  }

  @Override
  public void affine(
      MemorySegment x, MemorySegment y, long at, int n, double pivot, double scale, double offset) {
    for (int i = 0; i < n; i++) {
      type.set(y, at + i, (type.get(x, at + i) - pivot) * scale + offset);
    }
  }

  @Override
  public void affine(
      MemorySegment x,
      MemorySegment y,
      long at,
      int n,
      double pivot,
      double scale,
      double offset,
      MemorySegment gamma,
      @Nullable MemorySegment beta,
      long g) {
    for (int i = 0; i < n; i++) {
      double v = ((type.get(x, at + i) - pivot) * scale + offset) * type.get(gamma, g + i);
      type.set(y, at + i, beta == null ? v : v + type.get(beta, g + i));
    }
  }

  private double factor(@Nullable MemorySegment gamma, long g) {
    return gamma == null ? 1 : type.get(gamma, g);
  }

  @Override
  public void gradientSums(
      MemorySegment x,
      MemorySegment dy,
      long at,
      int n,
      double pivot,
      @Nullable MemorySegment gamma,
      long g,
      double[] sums) {
    for (int i = 0; i < n; i++) {
      double d = type.get(dy, at + i) * factor(gamma, g + i);
      double v = type.get(x, at + i) - pivot;
      sums[0] += d;
      sums[1] += d * v;
      sums[2] += v;
    }
  }

  @Override
  public void gradient(
      MemorySegment x,
      MemorySegment dy,
      MemorySegment dx,
      long at,
      int n,
      double pivot,
      double a,
      double b,
      double c,
      @Nullable MemorySegment gamma,
      long g) {
    for (int i = 0; i < n; i++) {
      double d = type.get(dy, at + i) * factor(gamma, g + i);
      type.set(dx, at + i, d * a + (type.get(x, at + i) - pivot) * b + c);
    }
  }

  @Override
  public void addParameters(
      MemorySegment x,
      MemorySegment dy,
      long at,
      int n,
      double pivot,
      double scale,
      double offset,
      MemorySegment sums,
      long to,
      long kind) {
    for (int i = 0; i < n; i++) {
      double d = type.get(dy, at + i);
      add(sums, to + i, d * ((type.get(x, at + i) - pivot) * scale + offset));
      add(sums, to + kind + i, d);
    }
  }

  private void add(MemorySegment sums, long i, double v) {
    table.set(sums, i, table.get(sums, i) + v);
  }

  @Override
  public int rowForward(
      MemorySegment x,
      MemorySegment gamma,
      @Nullable MemorySegment beta,
      MemorySegment y,
      int first,
      int rows,
      int cols,
      boolean centered,
      double eps,
      double[] pivots,
      double[] rstds) {
    return 0;
  }

  @Override
  public boolean rowGradients(
      MemorySegment x,
      MemorySegment gamma,
      MemorySegment dy,
      MemorySegment dx,
      int first,
      int rows,
      int cols,
      boolean centered,
      double[] pivots,
      double[] rstds,
      MemorySegment table) {
    return false;
  }

  @Override
  public void columnMoments(
      MemorySegment x, long at, long stride, int rows, int cols, MemorySegment sums) {
    for (int j = 0; j < cols; j++) {
      double pivot = 0;
      for (int r = 0; r < rows; r++) {
        pivot += type.get(x, at + r * stride + j);
      }
      table.set(sums, j, pivot / rows);
      table.set(sums, cols + j, 0);
      table.set(sums, 2L * cols + j, 0);
    }
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < cols; j++) {
        double d = type.get(x, at + r * stride + j) - table.get(sums, j);
        add(sums, cols + j, d);
        add(sums, 2L * cols + j, d * d);
      }
    }
  }

  @Override
  public void columnAffine(
      MemorySegment x,
      MemorySegment y,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment numbers) {
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < cols; j++) {
        long i = at + r * stride + j;
        double v = type.get(x, i) - table.get(numbers, j);
        type.set(y, i, v * table.get(numbers, cols + j) + table.get(numbers, 2L * cols + j));
      }
    }
  }

  @Override
  public void columnSums(
      MemorySegment x,
      MemorySegment dy,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment sums) {
    sums.asSlice(8L * cols, 24L * cols).fill((byte) 0);
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < cols; j++) {
        double d = type.get(dy, at + r * stride + j);
        double v = type.get(x, at + r * stride + j) - table.get(sums, j);
        add(sums, cols + j, d);
        add(sums, 2L * cols + j, d * v);
        add(sums, 3L * cols + j, v);
      }
    }
  }

  @Override
  public void columnGradient(
      MemorySegment x,
      MemorySegment dy,
      MemorySegment dx,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment numbers) {
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < cols; j++) {
        long i = at + r * stride + j;
        double v = (type.get(x, i) - table.get(numbers, j)) * table.get(numbers, 2L * cols + j);
        double d = type.get(dy, i) * table.get(numbers, cols + j);
        type.set(dx, i, d + v + table.get(numbers, 3L * cols + j));
      }
    }
  }
}
