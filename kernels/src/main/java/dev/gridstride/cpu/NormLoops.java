package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Inner loops of normalizations. Places and lengths count elements; an output may be an input.
 *
 * <p>Runs are neighbours that share a statistic. Blocks are rows of {@code cols} neighbours, {@code
 * stride} apart, where each column has numbers of its own; a table holds such numbers, {@code cols}
 * of each kind after the other, in {@link #tableElements()}.
 */
public interface NormLoops {
  /** Longest run for sums: it stays in the smallest usual first-level cache. */
  int RUN = 2048;

  /** Most rows of a block for sums: with {@link #COLS} columns it stays in a second-level cache. */
  int ROWS = 64;

  /** Most columns of a block. */
  int COLS = 512;

  /** Access to tables. */
  Elements tableElements();

  /**
   * {@code moments[0]} = mean and {@code moments[1]} = sum of squared deviations from it; or when
   * not centered, 0 and the sum of squares.
   */
  void moments(MemorySegment x, long at, int n, boolean centered, double[] moments);

  /** {@code y = (x - pivot) * scale + offset}. */
  void affine(
      MemorySegment x, MemorySegment y, long at, int n, double pivot, double scale, double offset);

  /** {@code y = ((x - pivot) * scale + offset) * gamma + beta}; gamma and beta begin at g. */
  void affine(
      MemorySegment x,
      MemorySegment y,
      long at,
      int n,
      double pivot,
      double scale,
      double offset,
      MemorySegment gamma,
      @Nullable MemorySegment beta,
      long g);

  /**
   * Adds to sums {@code sum(d), sum(d * (x - pivot)), sum(x - pivot)} with {@code d = dy * gamma};
   * gamma begins at g, null for ones.
   */
  void gradientSums(
      MemorySegment x,
      MemorySegment dy,
      long at,
      int n,
      double pivot,
      @Nullable MemorySegment gamma,
      long g,
      double[] sums);

  /** {@code dx = dy * gamma * a + (x - pivot) * b + c}; gamma begins at g, null for ones. */
  void gradient(
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
      long g);

  /**
   * {@code table[to + i] += dy * ((x - pivot) * scale + offset)} and {@code table[to + kind + i] +=
   * dy}.
   */
  void addParameters(
      MemorySegment x,
      MemorySegment dy,
      long at,
      int n,
      double pivot,
      double scale,
      double offset,
      MemorySegment table,
      long to,
      long kind);

  /**
   * All of the forward pass for {@code rows} rows of {@code cols} neighbours in one call, which
   * short rows need: what {@link #moments} and {@link #affine} do with the numbers between them.
   *
   * @param first number of the first row
   * @param pivots of all rows, set: the rounded means, or 0 when not centered
   * @param rstds of all rows, set
   * @return how many rows were done: fewer at one whose squares are beyond the range of f32, none
   *     when this implementation does not have it for so many columns
   */
  int rowForward(
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
      double[] rstds);

  /**
   * All of the gradient for {@code rows} rows of {@code cols} neighbours in one call, which short
   * rows need: what {@link #gradientSums}, {@link #addParameters} and {@link #gradient} do with the
   * numbers that come between them.
   *
   * @param first number of the first row
   * @param pivots of all rows
   * @param rstds of all rows
   * @param table sums of the parameters, those of beta {@code cols} after those of gamma
   * @return whether this implementation has it for so many columns; nothing is written otherwise
   */
  boolean rowGradients(
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
      MemorySegment table);

  /**
   * Sets table to a pivot near the mean, {@code sum(x - pivot)} and {@code sum((x - pivot)^2)} of
   * each column.
   */
  void columnMoments(
      MemorySegment x, long at, long stride, int rows, int cols, MemorySegment table);

  /** {@code y = (x - pivot) * scale + offset}; the table holds these three. */
  void columnAffine(
      MemorySegment x,
      MemorySegment y,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment table);

  /**
   * Sets the three kinds of numbers after the pivots in table to {@code sum(dy), sum(dy * (x -
   * pivot)), sum(x - pivot)} of each column.
   */
  void columnSums(
      MemorySegment x,
      MemorySegment dy,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment table);

  /** {@code dx = dy * a + (x - pivot) * b + c}; the table holds pivot, a, b and c. */
  void columnGradient(
      MemorySegment x,
      MemorySegment dy,
      MemorySegment dx,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment table);
}
