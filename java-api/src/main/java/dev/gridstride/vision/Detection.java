package dev.gridstride.vision;

import dev.gridstride.device.InvalidArgumentException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Something that a detector believes to see in an image.
 *
 * @param box where
 * @param label of what class
 * @param score how sure it is; higher is surer; not NaN
 */
public record Detection(Box box, int label, double score) {
  /** Surest first; of equal ones the first stays first, as sorting is stable. */
  static final Comparator<Detection> SUREST =
      Comparator.comparingDouble(Detection::score).reversed();

  /** Checks the score. */
  public Detection {
    if (Double.isNaN(score)) {
      throw InvalidArgumentException.of("detection", "score", "must not be NaN", "%s", box);
    }
  }

  /**
   * Non-maximum suppression: of detections of one class that overlap only the surest stays.
   *
   * <p>The detections are gone through from the surest on; one is dropped when its {@link Box#iou}
   * with one that was kept, of the same class, is above {@code mostOverlap}.
   *
   * @param all of one image, in any order
   * @param mostOverlap in 0..1
   * @return those that stay, the surest first
   */
  public static List<Detection> suppress(List<Detection> all, double mostOverlap) {
    if (!(mostOverlap >= 0 && mostOverlap <= 1)) {
      throw InvalidArgumentException.of(
          "suppress", "mostOverlap", "must be in 0..1", "mostOverlap=%s", mostOverlap);
    }
    var kept = new ArrayList<Detection>();
    for (Detection d : all.stream().sorted(SUREST).toList()) {
      boolean repeated =
          kept.stream().anyMatch(k -> k.label == d.label && k.box.iou(d.box) > mostOverlap);
      if (!repeated) {
        kept.add(d);
      }
    }
    return kept;
  }
}
