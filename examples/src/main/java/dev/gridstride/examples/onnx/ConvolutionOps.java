package dev.gridstride.examples.onnx;

import dev.gridstride.ConvOptions;
import dev.gridstride.Tensor;
import java.util.Arrays;

/** Convolution and transposed convolution. */
final class ConvolutionOps {
  private ConvolutionOps() {}

  static void addTo(Operators ops) {
    ops.one("Conv", ConvolutionOps::conv);
    ops.one("ConvTranspose", ConvolutionOps::convTranspose);
  }

  private static long[] kernel(Tensor w) {
    return Arrays.copyOfRange(w.shape().dims(), 2, w.rank());
  }

  private static ConvOptions options(Node n, Windows windows) {
    return ConvOptions.DEFAULT
        .withStride(windows.stride())
        .withDilation(windows.dilation())
        .withGroups(n.integer("group", 1));
  }

  private static Tensor conv(Node n) {
    Tensor x = n.in(0);
    Tensor w = n.in(1);
    Windows windows = Windows.of(n, x, kernel(w));
    ConvOptions options = options(n, windows);
    if (Arrays.equals(windows.begin(), windows.end())) {
      return x.conv(w, n.optional(2), options.withPadding(windows.begin()));
    }
    return Windows.padded(x, windows.begin(), windows.end(), 0).conv(w, n.optional(2), options);
  }

  /**
   * The outputs of all windows, of which the padding is cut off (or added, where it is negative)
   * before the bias comes: so every padding, output padding and output shape has one form.
   */
  private static Tensor convTranspose(Node n) {
    Tensor x = n.in(0);
    Tensor w = n.in(1);
    int rank = x.rank() - 2;
    Windows windows = Windows.of(n, x, kernel(w));
    long[] extra = n.integers("output_padding", new long[rank]);
    long[] wanted = n.integers("output_shape");
    String auto = n.text("auto_pad", "NOTSET");
    boolean same = auto.startsWith("SAME");
    var before = new long[rank];
    var after = new long[rank];
    for (int i = 0; i < rank; i++) {
      long reach = (windows.kernel()[i] - 1) * windows.dilation()[i] + 1;
      long full = (x.size(2 + i) - 1) * windows.stride()[i] + reach;
      if (wanted == null && !same) {
        before[i] = -windows.begin()[i];
        after[i] = extra[i] - windows.end()[i];
        continue;
      }
      // output_shape may name all dimensions, the spatial ones are the last
      long out =
          wanted == null ? x.size(2 + i) * windows.stride()[i] : wanted[wanted.length - rank + i];
      long total = full + extra[i] - out;
      long begin = auto.equals("SAME_UPPER") ? total / 2 : total - total / 2;
      if (total < 0) {
        begin = 0; // outputs beyond all windows come at the end
      }
      before[i] = -begin;
      after[i] = out - (full - begin);
    }
    Tensor all = x.convTranspose(w, null, options(n, windows));
    Tensor y = Windows.padded(all, before, after, 0);
    Tensor bias = n.optional(2);
    if (bias == null) {
      return y;
    }
    var dims = new long[rank + 1];
    Arrays.fill(dims, 1);
    dims[0] = bias.count();
    return y.add(bias.reshape(dims));
  }
}
