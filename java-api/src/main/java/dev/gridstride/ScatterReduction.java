package dev.gridstride;

/** What becomes of a place to which a scatter brings elements. */
public enum ScatterReduction {
  /** The last one that came stays. */
  REPLACE,
  /** Its own element plus all that came. */
  ADD,
  /** Its own element times all that came. */
  MUL,
  /** The largest of its own element and all that came; NaN where one is. */
  MAX,
  /** The smallest of its own element and all that came; NaN where one is. */
  MIN
}
