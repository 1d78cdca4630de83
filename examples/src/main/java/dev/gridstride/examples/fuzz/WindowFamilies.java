package dev.gridstride.examples.fuzz;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.examples.fuzz.Draw.Operand;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.Pool;
import dev.gridstride.kernels.PoolAxis;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/** Windows over images in one to three dimensions: pooling, and all passes of convolutions. */
final class WindowFamilies {
  private WindowFamilies() {}

  static void addTo(Map<String, Trial.Family> families) {
    families.put("pool", WindowFamilies::pool);
    families.put("conv-passes", WindowFamilies::passes);
  }

  /** One dimension, as pooling and convolution have it in common. */
  private record Axis(int size, int kernel, int stride, int begin, int end, int dilation, int out) {
    int input(int o, int tap) {
      return o * stride - begin + tap * dilation;
    }

    boolean inside(int at) {
      return at >= 0 && at < size;
    }
  }

  private static Axis axis(Draw draw, int rank) {
    int kernel = 1 + draw.below(3);
    int stride = 1 + draw.below(3);
    int dilation = 1 + draw.below(2);
    int begin = draw.below(3);
    int end = draw.below(3);
    int reach = (kernel - 1) * dilation + 1;
    int limit = rank == 1 ? 40 : rank == 2 ? 12 : 6;
    int size = Math.max(Math.max(1, reach - begin - end), Math.min(draw.size(1), limit));
    return new Axis(
        size, kernel, stride, begin, end, dilation, (size + begin + end - reach) / stride + 1);
  }

  private static List<Axis> axes(Draw draw) {
    int rank = 1 + draw.choose("rank - 1", 3);
    var axes = new ArrayList<Axis>();
    for (int i = 0; i < rank; i++) {
      axes.add(axis(draw, rank));
    }
    return axes;
  }

  /** With as many dimensions of size 1 before them as make three. */
  private static Axis[] three(List<Axis> axes) {
    var all = new Axis[3];
    for (int i = 0; i < 3; i++) {
      int from = i - (3 - axes.size());
      all[i] = from < 0 ? new Axis(1, 1, 1, 0, 0, 1, 1) : axes.get(from);
    }
    return all;
  }

  private static int product(List<Axis> axes, ToIntFunction<Axis> size) {
    return axes.stream().mapToInt(size).reduce(1, (a, b) -> a * b);
  }

  /** An output, a tap, and the input that it reads, or -1 in the padding. */
  private interface Visit {
    void at(int out, int tap, int in);
  }

  private static void visit(List<Axis> list, Visit visit) {
    Axis[] a = three(list);
    int taps = a[0].kernel * a[1].kernel * a[2].kernel;
    int outs = a[0].out * a[1].out * a[2].out;
    for (int out = 0; out < outs; out++) {
      for (int tap = 0; tap < taps; tap++) {
        int z = a[0].input(out / a[2].out / a[1].out, tap / a[2].kernel / a[1].kernel);
        int y = a[1].input(out / a[2].out % a[1].out, tap / a[2].kernel % a[1].kernel);
        int x = a[2].input(out % a[2].out, tap % a[2].kernel);
        boolean inside = a[0].inside(z) && a[1].inside(y) && a[2].inside(x);
        visit.at(out, tap, inside ? (z * a[1].size + y) * a[2].size + x : -1);
      }
    }
  }

  private static Trial pool(Draw draw) {
    DType type = draw.choose("type", Draw.FLOATS);
    boolean max = draw.choose("max", 2) == 1;
    boolean countPadding = draw.choose("countIncludePad", 2) == 1;
    List<Axis> axes = axes(draw);
    int n = 1 + draw.below(2);
    int c = 1 + draw.below(5);
    var dims = new long[axes.size() + 2];
    dims[0] = n;
    dims[1] = c;
    for (int i = 0; i < axes.size(); i++) {
      dims[i + 2] = axes.get(i).size;
    }
    Operand x = max ? draw.operand(type, dims) : draw.ordinary(type, dims);
    int ins = product(axes, Axis::size);
    int outs = product(axes, Axis::out);
    int taps = product(axes, Axis::kernel);
    var exact = new double[n * c * outs];
    var scale = new double[exact.length];
    for (int plane = 0; plane < n * c; plane++) {
      int first = plane * ins;
      int to = plane * outs;
      var counts = new int[outs];
      for (int i = 0; i < outs; i++) {
        exact[to + i] = max ? Double.NEGATIVE_INFINITY : 0;
      }
      visit(
          axes,
          (out, tap, in) -> {
            if (in >= 0) {
              double v = x.values()[first + in];
              exact[to + out] = max ? Math.max(exact[to + out], v) : exact[to + out] + v;
              scale[to + out] += max ? 0 : Math.abs(v);
              counts[out]++;
            }
          });
      for (int i = 0; i < outs && !max; i++) {
        // without ceil each tap of a window lies inside the padded input
        int divisor = countPadding ? taps : Math.max(1, counts[i]);
        exact[to + i] /= divisor;
        scale[to + i] /= divisor;
      }
    }
    PoolAxis[] given =
        axes.stream()
            .map(a -> new PoolAxis(a.size, a.kernel, a.stride, a.begin, a.end, a.dilation, false))
            .toArray(PoolAxis[]::new);
    Pool.Kind kind = max ? Pool.Kind.MAX : Pool.Kind.AVERAGE;
    return new Trial(() -> x.tensor().pool(kind, countPadding, given), exact, scale, taps + 4.0);
  }

  private enum Pass {
    FORWARD,
    BACKWARD_DATA,
    BACKWARD_WEIGHT
  }

  private static Trial passes(Draw draw) {
    Pass pass = draw.choose("pass", Pass.values());
    DType type = draw.choose("type", Draw.FLOATS);
    ImageLayout layout = draw.choose("layout", ImageLayout.values());
    int groups = 1 + draw.choose("groups - 1", 3);
    List<Axis> axes = axes(draw);
    int n = 1 + draw.below(2);
    int cg = 1 + draw.below(5);
    int kg = 1 + draw.below(5);
    int c = cg * groups;
    int k = kg * groups;
    int ins = product(axes, Axis::size);
    int outs = product(axes, Axis::out);
    int taps = product(axes, Axis::kernel);
    Operand x = draw.ordinary(type, (long) n * c * ins);
    Operand w = draw.ordinary(type, (long) k * cg * taps);
    Operand dy = draw.ordinary(type, (long) n * k * outs);
    boolean channelsFirst = layout == ImageLayout.NCHW;
    int size =
        switch (pass) {
          case FORWARD -> n * k * outs;
          case BACKWARD_DATA -> n * c * ins;
          case BACKWARD_WEIGHT -> k * cg * taps;
        };
    var exact = new double[size];
    var scale = new double[size];
    for (int image = 0; image < n; image++) {
      for (int o = 0; o < k; o++) {
        for (int j = 0; j < cg; j++) {
          int i = image;
          int filter = o;
          int inner = j;
          int channel = o / kg * cg + j;
          visit(
              axes,
              (out, tap, in) -> {
                if (in < 0) {
                  return;
                }
                int ix =
                    channelsFirst ? (i * c + channel) * ins + in : (i * ins + in) * c + channel;
                int iy =
                    channelsFirst ? (i * k + filter) * outs + out : (i * outs + out) * k + filter;
                int iw = (filter * cg + inner) * taps + tap;
                int to = pass == Pass.FORWARD ? iy : pass == Pass.BACKWARD_DATA ? ix : iw;
                double term =
                    switch (pass) {
                      case FORWARD -> x.values()[ix] * w.values()[iw];
                      case BACKWARD_DATA -> dy.values()[iy] * w.values()[iw];
                      case BACKWARD_WEIGHT -> x.values()[ix] * dy.values()[iy];
                    };
                exact[to] += term;
                scale[to] += Math.abs(term);
              });
        }
      }
    }
    ConvAxis[] given =
        axes.stream()
            .map(a -> new ConvAxis(a.size, a.kernel, a.stride, a.begin, a.end, a.dilation))
            .toArray(ConvAxis[]::new);
    Conv op = Conv.of(n, c, k, given).withGroups(groups).withType(type).withLayout(layout);
    double terms =
        switch (pass) {
          case FORWARD -> cg * taps;
          case BACKWARD_DATA -> kg * taps;
          case BACKWARD_WEIGHT -> n * outs;
        };
    return new Trial(() -> run(op, pass, x, w, dy, size), exact, scale, terms + 4);
  }

  private static Tensor run(Conv op, Pass pass, Operand x, Operand w, Operand dy, int size) {
    Tensor a = x.tensor().contiguous();
    Tensor b = w.tensor().contiguous();
    Tensor c = dy.tensor().contiguous();
    Tensor result = Tensor.empty(a.device(), op.type(), size);
    try (var plan = a.device().plan(op);
        var workspace = a.device().allocate(plan.workspaceBytes())) {
      switch (pass) {
        case FORWARD ->
            plan.forward(a.stream(), a.buffer(), b.buffer(), null, result.buffer(), workspace);
        case BACKWARD_DATA ->
            plan.backwardData(a.stream(), c.buffer(), b.buffer(), result.buffer(), workspace);
        case BACKWARD_WEIGHT ->
            plan.backwardWeight(
                a.stream(), a.buffer(), c.buffer(), result.buffer(), null, workspace);
      }
    }
    return result;
  }
}
