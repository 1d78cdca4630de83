package dev.gridstride.examples.fuzz;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.examples.fuzz.Draw.Operand;
import java.util.Map;
import java.util.function.IntBinaryOperator;

/** Normalizations: each element is moved and scaled by moments of its group. */
final class NormFamilies {
  private static final double EPS = 1e-5;

  private NormFamilies() {}

  static void addTo(Map<String, Trial.Family> families) {
    families.put("norm", NormFamilies::norm);
  }

  private enum Kind {
    LAYER,
    RMS,
    GROUP,
    BATCH
  }

  private static Trial norm(Draw draw) {
    Kind kind = draw.choose("op", Kind.values());
    DType type = draw.choose("type", Draw.FLOATS);
    boolean rows = kind == Kind.LAYER || kind == Kind.RMS;
    int groups = kind == Kind.GROUP ? 1 + draw.below(3) : 1;
    int n = 1 + draw.below(4);
    int c = rows ? draw.size(1) : groups * (1 + draw.below(4));
    int spatial = rows ? 1 : 1 + draw.below(12);
    if (kind == Kind.BATCH) {
      n++; // a batch of a single element is refused
    }
    Operand x = rows ? draw.ordinary(type, n, c) : draw.ordinary(type, n, c, spatial);
    Operand gamma = draw.ordinary(type, c);
    Operand beta = draw.ordinary(type, c);
    int channels = c;
    int perGroup = c / groups;
    IntBinaryOperator group =
        switch (kind) {
          case LAYER, RMS -> (image, channel) -> image;
          case GROUP -> (image, channel) -> image * groups + channel / perGroup;
          case BATCH -> (image, channel) -> channel;
        };
    var exact = new double[x.values().length];
    var scale = new double[exact.length];
    int count = kind == Kind.BATCH ? c : n * groups;
    for (int g = 0; g < count; g++) {
      int members = 0;
      double mean = 0;
      double largest = 0;
      for (int i = 0; i < exact.length; i++) {
        if (group.applyAsInt(i / spatial / channels, i / spatial % channels) == g) {
          members++;
          mean += x.values()[i];
          largest = Math.max(largest, Math.abs(x.values()[i]));
        }
      }
      mean = kind == Kind.RMS ? 0 : mean / members;
      double variance = 0;
      for (int i = 0; i < exact.length; i++) {
        if (group.applyAsInt(i / spatial / channels, i / spatial % channels) == g) {
          variance += (x.values()[i] - mean) * (x.values()[i] - mean) / members;
        }
      }
      double reciprocal = 1 / Math.sqrt(variance + EPS);
      for (int i = 0; i < exact.length; i++) {
        int channel = i / spatial % channels;
        if (group.applyAsInt(i / spatial / channels, channel) == g) {
          double normal = (x.values()[i] - mean) * reciprocal;
          double factor = gamma.values()[channel];
          double shift = kind == Kind.RMS ? 0 : beta.values()[channel];
          exact[i] = normal * factor + shift;
          // the mean is off by an epsilon of the largest element, and the deviation with it
          scale[i] =
              Math.abs(factor) * (Math.abs(normal) + 1) * (1 + largest * reciprocal)
                  + Math.abs(shift);
        }
      }
    }
    Tensor t = x.tensor();
    return new Trial(
        () ->
            switch (kind) {
              case LAYER -> t.layerNorm(1, gamma.tensor(), beta.tensor(), EPS);
              case RMS -> t.rmsNorm(1, gamma.tensor(), EPS);
              case GROUP -> t.groupNorm(groups, gamma.tensor(), beta.tensor(), EPS);
              case BATCH -> t.batchNorm(gamma.tensor(), beta.tensor(), EPS);
            },
        exact,
        scale,
        c * spatial + 16.0);
  }
}
