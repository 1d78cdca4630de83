package dev.gridstride.vision;

import dev.gridstride.device.InvalidArgumentException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * How good a detector is: the average precision of each class, and their mean (mAP).
 *
 * <p>Within an image the detections of a class, from the surest on, each take the thing of that
 * class which they overlap most and which is not taken yet; one that overlaps none by at least the
 * threshold is false. Over all images, from the surest detection on, this gives precision and
 * recall; the average precision is the area under the curve of the best precision at that recall or
 * a higher one, as in Everingham et al., "The Pascal Visual Object Classes Challenge: A
 * Retrospective", 2015. Not thread-safe.
 */
public final class AveragePrecision {
  private record Found(double score, boolean right) {}

  private final double overlap;
  private final List<List<Found>> found = new ArrayList<>();
  private final long[] things;

  /**
   * Nothing yet.
   *
   * @param classes number of classes
   * @param overlap the least {@link Box#iou} of a detection that is right, in 0..1, above 0
   */
  public AveragePrecision(int classes, double overlap) {
    if (classes < 1 || !(overlap > 0 && overlap <= 1)) {
      throw InvalidArgumentException.of(
          "averagePrecision",
          "overlap",
          "must be above 0 and at most 1, and classes at least 1",
          "classes=%d, overlap=%s",
          classes,
          overlap);
    }
    this.overlap = overlap;
    this.things = new long[classes];
    for (int c = 0; c < classes; c++) {
      found.add(new ArrayList<>());
    }
  }

  /** Adds an image: what was detected in it, and what is there. */
  public void add(List<Detection> detections, List<Thing> truth) {
    truth.forEach(t -> things[checked(t.label())]++);
    var taken = new boolean[truth.size()];
    for (Detection d : detections.stream().sorted(Detection.SUREST).toList()) {
      int best = -1;
      double most = overlap;
      for (int i = 0; i < taken.length; i++) {
        Thing t = truth.get(i);
        double iou = t.label() == d.label() && !taken[i] ? t.box().iou(d.box()) : 0;
        if (iou >= most) {
          most = iou;
          best = i;
        }
      }
      if (best >= 0) {
        taken[best] = true;
      }
      found.get(checked(d.label())).add(new Found(d.score(), best >= 0));
    }
  }

  private int checked(int label) {
    if (label < 0 || label >= things.length) {
      throw InvalidArgumentException.of(
          "averagePrecision.add",
          "label",
          "must be in 0..classes",
          "label=%d, classes=%d",
          label,
          things.length);
    }
    return label;
  }

  /** The average precision of a class, in 0..1; NaN when there is no thing of it. */
  public double of(int label) {
    var order =
        found.get(checked(label)).stream()
            .sorted(Comparator.comparingDouble(Found::score).reversed())
            .toList();
    var precision = new double[order.size()];
    long right = 0;
    for (int i = 0; i < precision.length; i++) {
      right += order.get(i).right ? 1 : 0;
      precision[i] = (double) right / (i + 1);
    }
    double sum = 0;
    double best = 0;
    for (int i = precision.length - 1; i >= 0; i--) {
      best = Math.max(best, precision[i]);
      sum += order.get(i).right ? best : 0; // each right one is a step of 1 / things in recall
    }
    return sum / (things[label] == 0 ? Double.NaN : things[label]);
  }

  /** The mean over the classes that occur; NaN when none does. */
  public double mean() {
    double sum = 0;
    int classes = 0;
    for (int c = 0; c < things.length; c++) {
      if (things[c] > 0) {
        sum += of(c);
        classes++;
      }
    }
    return classes == 0 ? Double.NaN : sum / classes;
  }
}
