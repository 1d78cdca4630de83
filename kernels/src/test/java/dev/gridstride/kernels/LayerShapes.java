package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/** The shapes of real layers in the resource folder {@code shapes}. */
final class LayerShapes {
  /** A matrix product of a real network. */
  record Product(String name, Gemm op) {
    @Override
    public String toString() {
      return "%s: %d x %d x %d, batch %d".formatted(name, op.m(), op.n(), op.k(), op.batch());
    }
  }

  /** A convolution of a real network. */
  record Layer(String name, Conv op) {
    @Override
    public String toString() {
      return name + ": " + op;
    }
  }

  private LayerShapes() {}

  /** All matrix products, f32. */
  static List<Product> products() {
    var all = new ArrayList<Product>();
    for (String[] row : rows("matmul_shapes.tsv")) {
      long[] src = sizes(row[2]);
      long[] weights = sizes(row[3]);
      long batch = src.length == 3 ? src[0] : 1;
      long m = src[src.length - 2];
      long k = src[src.length - 1];
      long n = weights[weights.length - 1];
      assertThat(weights[weights.length - 2]).isEqualTo(k);
      all.add(new Product(row[0] + " " + row[1], Gemm.of(m, n, k).batched(batch)));
    }
    for (String[] row : rows("deepbench.tsv")) {
      if (row[0].equals("gemm")) {
        String[] v = row[2].split(" ");
        // C = op(A) op(B) by columns is C' = op(B)' op(A)' by rows, on the same memory
        Gemm op = Gemm.of(Long.parseLong(v[1]), Long.parseLong(v[0]), Long.parseLong(v[2]));
        op = op.trans(Boolean.parseBoolean(v[4]), Boolean.parseBoolean(v[3]));
        all.add(new Product("deepbench", op));
      }
    }
    return all;
  }

  /** All convolutions, f32, NCHW. */
  static List<Layer> layers() {
    var all = new ArrayList<Layer>();
    for (String[] row : rows("conv_shapes.tsv")) {
      long[] input = sizes(row[7]);
      long[][] per = new long[5][];
      for (int i = 0; i < per.length; i++) {
        per[i] = sizes(row[9 + i]); // kernel, stride, padding before and after, dilation
      }
      var axes = new ConvAxis[input.length];
      for (int i = 0; i < axes.length; i++) {
        axes[i] = new ConvAxis(input[i], per[0][i], per[1][i], per[2][i], per[3][i], per[4][i]);
      }
      Conv op =
          Conv.of(Long.parseLong(row[3]), Long.parseLong(row[4]), Long.parseLong(row[5]), axes)
              .withGroups(Long.parseLong(row[2]));
      assertThat(op.axes().stream().mapToLong(ConvAxis::out)).containsExactly(box(sizes(row[8])));
      all.add(new Layer(row[1], op));
    }
    for (String[] row : rows("deepbench.tsv")) {
      if (row[0].equals("conv")) {
        long[] v = Arrays.stream(row[2].split(" ")).mapToLong(Long::parseLong).toArray();
        Conv op =
            Conv.of2d(v[3], v[2], v[1], v[0], v[4], v[6], v[5])
                .withPadding(v[8], v[7])
                .withStride(v[10], v[9]);
        all.add(new Layer("deepbench", op));
      }
    }
    return all;
  }

  private static Long[] box(long[] v) {
    return Arrays.stream(v).boxed().toArray(Long[]::new);
  }

  private static long[] sizes(String text) {
    return Arrays.stream(text.split("x")).mapToLong(Long::parseLong).toArray();
  }

  private static List<String[]> rows(String file) {
    try (InputStream in = LayerShapes.class.getResourceAsStream("/shapes/" + file)) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return text.lines()
          .skip(1)
          .filter(Predicate.not(String::isBlank))
          .map(s -> s.split("\t", -1))
          .toList();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
