package dev.gridstride.cpu;

/** Computes single positions of one run of cross-entropy; knows the run's operands. */
interface CrossEntropyRows {
  /** Begins a run, whose operands are there. */
  void open();

  /**
   * The loss of a position. Writes its lse, when the run has one, and its gradient times {@code g},
   * when the run has gradients.
   */
  double forward(long position, double g);

  /** Writes the gradient of a position times {@code g}, given the position's lse. */
  void backward(long position, double lse, double g);
}
