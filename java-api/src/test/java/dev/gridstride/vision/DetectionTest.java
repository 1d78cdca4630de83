package dev.gridstride.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.device.InvalidArgumentException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DetectionTest {
  private static Detection at(double left, double score) {
    return new Detection(new Box(left, 0, left + 4, 2), 1, score);
  }

  @Test
  void overlapIsCountedOnAGridToo() {
    assertThat(new Box(0, 0, 2, 2).iou(new Box(1, 1, 3, 3))).isEqualTo(1 / 7.0);
    assertThat(new Box(0, 0, 2, 2).iou(new Box(2, 0, 3, 2))).isZero();
    assertThat(new Box(1, 1, 1, 1).iou(new Box(1, 1, 1, 1))).isZero();
    assertThat(Box.around(5, 4, 2, 6)).isEqualTo(new Box(4, 1, 6, 7));
    assertThat(Box.around(5, 4, 2, 6).area()).isEqualTo(12);
    var random = new SplittableRandom(3);
    for (int trial = 0; trial < 200; trial++) {
      int[] v = random.ints(4, 0, 6).toArray();
      int[] w = random.ints(4, 1, 6).toArray();
      Box a = new Box(v[0], v[1], v[0] + w[0], v[1] + w[1]);
      Box b = new Box(v[2], v[3], v[2] + w[2], v[3] + w[3]);
      int common = 0;
      int either = 0;
      for (int x = 0; x < 12; x++) {
        for (int y = 0; y < 12; y++) {
          boolean inA = x >= a.left() && x < a.right() && y >= a.top() && y < a.bottom();
          boolean inB = x >= b.left() && x < b.right() && y >= b.top() && y < b.bottom();
          common += inA && inB ? 1 : 0;
          either += inA || inB ? 1 : 0;
        }
      }
      assertThat(a.iou(b)).isEqualTo((double) common / either).isEqualTo(b.iou(a));
    }
  }

  @Test
  void ofThoseThatOverlapTheSurestStays() {
    // 0 and 1 share 3 of 5, 1 and 3 share 2 of 6, 0 and 3 share 1 of 7
    var all = List.of(at(0, .5), at(1, .9), at(3, .8), new Detection(at(1, 0).box(), 2, .1));
    assertThat(Detection.suppress(all, .5)).containsExactly(all.get(1), all.get(2), all.get(3));
    assertThat(Detection.suppress(all, .3)).containsExactly(all.get(1), all.get(3));
    assertThat(Detection.suppress(all, 3 / 5.0)).hasSize(4);
    assertThat(Detection.suppress(List.of(), .5)).isEmpty();
  }

  @Test
  void averagePrecisionOfAnExampleByHand() {
    var ap = new AveragePrecision(3, .5);
    var things = List.of(new Thing(new Box(0, 0, 4, 2), 1), new Thing(new Box(10, 0, 14, 2), 1));
    // right, false (taken already), right; and one thing of another image that nobody finds
    ap.add(List.of(at(0.1, .9), at(0, .8), at(10, .7)), things);
    ap.add(List.of(), List.of(new Thing(new Box(0, 0, 1, 1), 1)));
    assertThat(ap.of(1)).isCloseTo((1 + 2 / 3.0) / 3, within(1e-15));
    assertThat(ap.of(0)).isNaN();
    assertThat(ap.mean()).isEqualTo(ap.of(1));
    ap.add(
        List.of(new Detection(new Box(0, 0, 1, 1), 2, .2)),
        List.of(new Thing(new Box(0, 0, 1, 1), 2)));
    assertThat(ap.mean()).isCloseTo((1 + 5 / 9.0) / 2, within(1e-15));
    // a sure false one of class 2: precision 1/2 at recall 1
    ap.add(List.of(new Detection(new Box(0, 0, 1, 1), 2, .3)), List.of());
    assertThat(ap.of(2)).isEqualTo(.5);
  }

  @Test
  void theAreaIsThatOfTheEnvelope() {
    var random = new SplittableRandom(5);
    var ap = new AveragePrecision(1, .5);
    var right = new ArrayList<Boolean>();
    int things = 40;
    for (int i = 0; i < 60; i++) {
      boolean hit = random.nextInt(60) > i && right.stream().filter(r -> r).count() < things;
      right.add(hit);
      var truth = hit ? List.of(new Thing(new Box(0, 0, 4, 2), 0)) : List.<Thing>of();
      ap.add(List.of(new Detection(new Box(0, 0, 4, 2), 0, -i)), truth);
    }
    long found = right.stream().filter(r -> r).count();
    for (long i = found; i < things; i++) {
      ap.add(List.of(), List.of(new Thing(new Box(0, 0, 4, 2), 0)));
    }
    double area = 0;
    for (int recall = 1; recall <= found; recall++) {
      double best = 0;
      long hits = 0;
      for (int i = 0; i < right.size(); i++) {
        hits += right.get(i) ? 1 : 0;
        best = hits >= recall ? Math.max(best, (double) hits / (i + 1)) : best;
      }
      area += best / things;
    }
    assertThat(ap.of(0)).isCloseTo(area, within(1e-13));
  }

  @Test
  void brokenRulesAreTold() {
    assertThatThrownBy(() -> new Box(1, 0, 0, 1))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith(
            "box: sides must satisfy left <= right and top <= bottom; left=1.0");
    assertThatThrownBy(() -> at(0, Double.NaN)).hasMessageContaining("score must not be NaN");
    assertThatThrownBy(() -> Detection.suppress(List.of(), -1))
        .hasMessage("suppress: mostOverlap must be in 0..1; mostOverlap=-1.0");
    assertThatThrownBy(() -> new AveragePrecision(1, 0)).hasMessageContaining("overlap=0.0");
    assertThatThrownBy(() -> new AveragePrecision(1, .5).add(List.of(at(0, 1)), List.of()))
        .hasMessage("averagePrecision.add: label must be in 0..classes; label=1, classes=1");
  }
}
