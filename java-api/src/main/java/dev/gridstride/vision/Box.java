package dev.gridstride.vision;

import dev.gridstride.device.InvalidArgumentException;

/**
 * A rectangle with sides along the axes, in any unit; the vertical axis points down.
 *
 * @param left smaller horizontal coordinate
 * @param top smaller vertical coordinate
 * @param right not less than left
 * @param bottom not less than top
 */
public record Box(double left, double top, double right, double bottom) {
  /** Checks the order; NaN is refused. */
  public Box {
    if (!(left <= right && top <= bottom)) {
      throw InvalidArgumentException.of(
          "box",
          "sides",
          "must satisfy left <= right and top <= bottom",
          "left=%s, top=%s, right=%s, bottom=%s",
          left,
          top,
          right,
          bottom);
    }
  }

  /** The box of this width and height around a point. */
  public static Box around(double x, double y, double width, double height) {
    return new Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2);
  }

  /** Width times height. */
  public double area() {
    return (right - left) * (bottom - top);
  }

  /**
   * Intersection over union: the common area as a part of the area that the two cover together; 1
   * for equal boxes, 0 for boxes apart, and 0 when both are empty.
   */
  public double iou(Box other) {
    double width = Math.min(right, other.right) - Math.max(left, other.left);
    double height = Math.min(bottom, other.bottom) - Math.max(top, other.top);
    double common = width > 0 && height > 0 ? width * height : 0;
    return common == 0 ? 0 : common / (area() + other.area() - common);
  }
}
