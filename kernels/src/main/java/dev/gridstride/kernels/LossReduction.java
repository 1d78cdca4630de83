package dev.gridstride.kernels;

/** How the losses of single positions become the result. */
public enum LossReduction {
  /** One loss for each position. */
  NONE,
  /** The weighted mean over the positions; each loss says what it divides by. */
  MEAN,
  /** The sum over the positions. */
  SUM
}
