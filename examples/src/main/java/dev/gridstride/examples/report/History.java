package dev.gridstride.examples.report;

import java.util.ArrayList;
import java.util.List;

/** How loss and accuracy developed. */
public final class History {
  /**
   * One finished epoch.
   *
   * @param epoch its number, from 1
   * @param loss mean loss of the training samples during the epoch
   * @param testLoss mean loss of the test samples after it
   * @param accuracy share of the test samples that are right after it, 0 to 1, or what {@link
   *     #measures} says; NaN if there is none
   * @param seconds duration with the test
   * @param samplesPerSecond training samples by the duration of the training
   */
  public record Row(
      int epoch,
      double loss,
      double testLoss,
      double accuracy,
      double seconds,
      double samplesPerSecond) {}

  /** The training loss of one step; {@code epoch} counts continuously: 0.5 is half the first. */
  public record Step(double epoch, double loss) {}

  private final List<Row> rows = new ArrayList<>();
  private final List<Step> steps = new ArrayList<>();
  private String measure = "accuracy";
  private String axis = "right on the test data, %";

  /**
   * Says what the share in each row is, where it is not the accuracy: in a word, and for an axis.
   */
  public void measures(String name, String title) {
    measure = name;
    axis = title;
  }

  String measure() {
    return measure;
  }

  String axis() {
    return axis;
  }

  void add(Row row) {
    rows.add(row);
  }

  void add(Step step) {
    steps.add(step);
  }

  /** The finished epochs. */
  public List<Row> rows() {
    return List.copyOf(rows);
  }

  /** Every training step. */
  public List<Step> steps() {
    return List.copyOf(steps);
  }

  /** A row for each epoch, with the name of the model unless it is empty. */
  List<Object> json(String model) {
    var list = new ArrayList<Object>();
    for (Row r : rows) {
      var row = model.isEmpty() ? Json.object() : Json.object("model", model);
      row.put("epoch", r.epoch());
      row.put("loss", r.loss());
      row.put("testLoss", r.testLoss());
      if (!Double.isNaN(r.accuracy())) {
        row.put(measure, r.accuracy());
      }
      row.put("seconds", r.seconds());
      row.put("samplesPerSecond", r.samplesPerSecond());
      list.add(row);
    }
    return list;
  }
}
