package dev.gridstride;

import dev.gridstride.device.InvalidArgumentException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Einstein summation composed of recorded ops: diagonals of repeated labels, sums over labels that
 * only one operand has, and a matrix product for each pair of operands, from left to right.
 */
final class Einsum {
  private static final String OP = "einsum";
  private static final String DOTS = "...";

  private final String equation;
  private final Tensor[] tensors;

  private Einsum(String equation, Tensor[] tensors) {
    this.equation = equation;
    this.tensors = tensors;
  }

  /** A tensor and the label of each of its dimensions. */
  private record Operand(Tensor tensor, List<String> labels) {}

  static Tensor run(String equation, Tensor... tensors) {
    return new Einsum(equation.replaceAll("\\s", ""), tensors).run();
  }

  private InvalidArgumentException mistake(String rule) {
    return InvalidArgumentException.of(
        OP,
        "equation",
        rule,
        "equation=%s, tensors=%s",
        equation,
        Arrays.stream(tensors).map(t -> t.shape().toString()).toList());
  }

  private Tensor run() {
    int arrow = equation.indexOf("->");
    String[] terms = (arrow < 0 ? equation : equation.substring(0, arrow)).split(",", -1);
    if (terms.length != tensors.length) {
      throw mistake("must have a term for each tensor");
    }
    List<Operand> operands = new ArrayList<>();
    int dots = 0;
    for (int i = 0; i < terms.length; i++) {
      List<String> labels = labels(terms[i], tensors[i].rank());
      dots = Math.max(dots, (int) labels.stream().filter(l -> l.startsWith(DOTS)).count());
      operands.add(diagonal(new Operand(tensors[i], labels)));
    }
    List<String> output =
        arrow < 0 ? implicit(terms, dots) : output(equation.substring(arrow + 2), dots);
    for (String label : output) {
      if (operands.stream().noneMatch(o -> o.labels().contains(label))) {
        throw mistake("may only name labels of the terms in the output");
      }
    }
    Operand result = operands.getFirst();
    for (int i = 1; i < operands.size(); i++) {
      Set<String> later = new LinkedHashSet<>(output);
      operands.subList(i + 1, operands.size()).forEach(o -> later.addAll(o.labels()));
      result = contract(result, operands.get(i), later);
    }
    return permuted(summed(result, new LinkedHashSet<>(output)), output);
  }

  /** The label of each dimension; those of an ellipsis are numbered from the right. */
  private List<String> labels(String term, int rank) {
    List<String> labels = new ArrayList<>();
    if (term.indexOf(DOTS) != term.lastIndexOf(DOTS)) {
      throw mistake("may have one ellipsis in a term");
    }
    int letters = term.replace(DOTS, "").length();
    boolean open = term.contains(DOTS);
    if (open ? letters > rank : letters != rank) {
      throw mistake("must have a label for each dimension");
    }
    for (int i = 0; i < term.length(); i++) {
      if (open && term.startsWith(DOTS, i)) {
        for (int k = rank - letters; k > 0; k--) {
          labels.add(DOTS + k);
        }
        i += DOTS.length() - 1;
      } else {
        labels.add(letter(term.charAt(i)));
      }
    }
    return labels;
  }

  private String letter(char c) {
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
      throw mistake("must consist of letters, commas, ellipses and an arrow");
    }
    return String.valueOf(c);
  }

  private static List<String> ellipsis(int dots) {
    List<String> labels = new ArrayList<>();
    for (int k = dots; k > 0; k--) {
      labels.add(DOTS + k);
    }
    return labels;
  }

  private List<String> output(String term, int dots) {
    boolean open = term.contains(DOTS);
    List<String> labels = labels(term, term.replace(DOTS, "").length() + (open ? dots : 0));
    if (new LinkedHashSet<>(labels).size() != labels.size()) {
      throw mistake("may name each label once in the output");
    }
    return labels;
  }

  /** Without an arrow: the ellipsis, then the labels that occur once, in alphabetical order. */
  private List<String> implicit(String[] terms, int dots) {
    String all = String.join("", terms).replace(DOTS, "");
    List<String> labels = ellipsis(dots);
    all.chars()
        .filter(c -> all.indexOf(c) == all.lastIndexOf(c))
        .sorted()
        .forEach(c -> labels.add(letter((char) c)));
    return labels;
  }

  /** Each label once: of a repeated one the diagonal. */
  private Operand diagonal(Operand o) {
    Tensor x = o.tensor();
    List<String> labels = new ArrayList<>(o.labels());
    for (int i = 0; i < labels.size(); i++) {
      for (int k = labels.size() - 1; k > i; k--) {
        if (labels.get(k).equals(labels.get(i))) {
          if (x.size(i) != x.size(k)) {
            throw mistake("must give dimensions with one label one size");
          }
          String label = labels.remove(k);
          labels.remove(i);
          x = x.diagonal(i, k);
          labels.add(label);
          i = -1; // the diagonal is the last dimension now: look again
          break;
        }
      }
    }
    return new Operand(x, labels);
  }

  /** Summed over the labels that nothing else needs. */
  private static Operand summed(Operand o, Set<String> needed) {
    int[] axes =
        java.util.stream.IntStream.range(0, o.labels().size())
            .filter(i -> !needed.contains(o.labels().get(i)))
            .toArray();
    if (axes.length == 0) {
      return o;
    }
    return new Operand(o.tensor().sum(axes), o.labels().stream().filter(needed::contains).toList());
  }

  private static Tensor permuted(Operand o, List<String> order) {
    return o.tensor().permute(order.stream().mapToInt(o.labels()::indexOf).toArray());
  }

  private Operand contract(Operand left, Operand right, Set<String> later) {
    Set<String> keptLeft = new LinkedHashSet<>(later);
    keptLeft.addAll(right.labels());
    Set<String> keptRight = new LinkedHashSet<>(later);
    keptRight.addAll(left.labels());
    Operand a = summed(left, keptLeft);
    Operand b = summed(right, keptRight);
    List<String> batch = new ArrayList<>();
    List<String> over = new ArrayList<>();
    List<String> rows = new ArrayList<>();
    for (String label : a.labels()) {
      (b.labels().contains(label) ? later.contains(label) ? batch : over : rows).add(label);
    }
    List<String> columns = b.labels().stream().filter(l -> !a.labels().contains(l)).toList();
    long[] sizes = sizes(a, b, batch);
    long[] inner = sizes(a, b, over);
    Tensor x = matrix(a, batch, sizes, rows, null, over, inner);
    Tensor y = matrix(b, batch, sizes, over, inner, columns, null);
    Tensor product =
        x.dtype().isFloating()
            ? x.matmul(y)
            : x.unsqueeze(3).mul(y.unsqueeze(1)).sum(2); // integers: exact, without matmul
    List<String> labels = new ArrayList<>(batch);
    labels.addAll(rows);
    labels.addAll(columns);
    long[] dims = new long[labels.size()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] =
          i < batch.size()
              ? sizes[i]
              : i < batch.size() + rows.size() ? size(a, labels.get(i)) : size(b, labels.get(i));
    }
    return new Operand(product.reshape(dims), labels);
  }

  private static long size(Operand o, String label) {
    return o.tensor().size(o.labels().indexOf(label));
  }

  /** The sizes of labels that both have; a size of 1 is repeated. */
  private long[] sizes(Operand a, Operand b, List<String> labels) {
    var sizes = new long[labels.size()];
    for (int i = 0; i < sizes.length; i++) {
      long p = size(a, labels.get(i));
      long q = size(b, labels.get(i));
      if (p != q && p != 1 && q != 1) {
        throw mistake("must give dimensions with one label one size (or 1)");
      }
      sizes[i] = p == 1 ? q : p;
    }
    return sizes;
  }

  /** A batch of matrices; sizes that are given are the ones to which dimensions are repeated. */
  private static Tensor matrix(
      Operand o,
      List<String> batch,
      long[] batchSizes,
      List<String> rows,
      long @Nullable [] rowSizes,
      List<String> columns,
      long @Nullable [] columnSizes) {
    List<String> order = new ArrayList<>(batch);
    order.addAll(rows);
    order.addAll(columns);
    Tensor x = permuted(o, order);
    long[] dims = x.shape().dims();
    System.arraycopy(batchSizes, 0, dims, 0, batchSizes.length);
    if (rowSizes != null) {
      System.arraycopy(rowSizes, 0, dims, batch.size(), rowSizes.length);
    }
    if (columnSizes != null) {
      System.arraycopy(columnSizes, 0, dims, batch.size() + rows.size(), columnSizes.length);
    }
    return x.expand(dims)
        .reshape(
            product(dims, 0, batch.size()),
            product(dims, batch.size(), batch.size() + rows.size()),
            product(dims, batch.size() + rows.size(), dims.length));
  }

  private static long product(long[] dims, int from, int to) {
    return Shape.of(Arrays.copyOfRange(dims, from, to)).count();
  }
}
