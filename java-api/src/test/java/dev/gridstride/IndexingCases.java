package dev.gridstride;

import static dev.gridstride.GradientCases.s;
import static dev.gridstride.GradientCases.shapes;

import dev.gridstride.GradientCases.Case;
import java.util.List;

/** Gradient cases of {@link Indexing}. */
final class IndexingCases {
  private IndexingCases() {}

  private static Tensor indices(long... values) {
    return Tensors.of(TestDevice.get(), values);
  }

  static List<Case> all() {
    return List.of(
        new Case(
            "indexSelect",
            "repeated, middle axis",
            shapes(s(2, 4, 3)),
            t -> t[0].indexSelect(1, indices(3, 0, -1, 3, 3)).softmax(1)),
        new Case(
            "indexSelect",
            "of a view, matrix of indices",
            shapes(s(3, 4)),
            t -> t[0].transpose().indexSelect(0, indices(1, 1, 0, 2).reshape(2, 2)).softmax(0)),
        new Case(
            "embedding",
            "",
            shapes(s(5, 3)),
            t -> t[0].embedding(indices(4, 1, 4, 0, 0, 2).reshape(2, 3)).softmax(-1)),
        new Case(
            "indexAdd",
            "",
            shapes(s(4, 3), s(4, 5)),
            t -> t[0].indexAdd(1, indices(2, 0, 2, 1, 2), t[1]).softmax(1)),
        new Case(
            "gather",
            "repeated",
            shapes(s(3, 4)),
            t -> t[0].gather(1, indices(0, 3, 3, -1, 2, 0).reshape(2, 3)).softmax(1)),
        new Case(
            "gather",
            "of a view",
            shapes(s(4, 3)),
            t -> t[0].transpose().gather(0, indices(0, 2, 1, -1, 2, 2, 0, 0).reshape(2, 4))),
        new Case(
            "scatterAdd",
            "repeated",
            shapes(s(3, 4), s(2, 3)),
            t -> t[0].scatterAdd(1, indices(0, 3, 3, 2, 2, 0).reshape(2, 3), t[1]).softmax(1)),
        new Case(
            "scatter",
            "repeated",
            shapes(s(3, 4), s(3, 2)),
            t -> t[0].scatter(0, indices(0, 2, 0, 1, 1, 2).reshape(3, 2), t[1]).softmax(1)),
        new Case(
            "scatter",
            "product, repeated",
            shapes(s(3, 4), s(3, 2)),
            t ->
                t[0].scatter(0, indices(0, 2, 0, 1, 0, 2).reshape(3, 2), t[1], ScatterReduction.MUL)
                    .softmax(1)),
        new Case(
            "scatter",
            "largest",
            shapes(s(3, 4), s(3, 2)),
            t ->
                t[0].scatter(
                    0, indices(0, 2, 0, 1, 0, 2).reshape(3, 2), t[1], ScatterReduction.MAX)),
        new Case(
            "gatherNd",
            "batched",
            shapes(s(2, 3, 2)),
            t -> t[0].gatherNd(indices(1, 1, 0, -1).reshape(2, 2, 1), 1).softmax(1)),
        new Case(
            "scatterNd",
            "rows, repeated",
            shapes(s(3, 2), s(3, 2)),
            t ->
                t[0].scatterNd(indices(1, 0, 1).reshape(3, 1), t[1], ScatterReduction.REPLACE)
                    .softmax(0)),
        new Case(
            "scatterNd",
            "sums",
            shapes(s(3, 2), s(3)),
            t ->
                t[0].scatterNd(
                    indices(1, 0, 1, 0, 2, 1).reshape(3, 2), t[1], ScatterReduction.ADD)),
        new Case(
            "scatter",
            "a value",
            shapes(s(3, 4)),
            t -> t[0].scatter(0, indices(0, 2).reshape(1, 2), 0.5).softmax(1)));
  }
}
