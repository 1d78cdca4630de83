package dev.gridstride;

import static dev.gridstride.GradientCases.s;
import static dev.gridstride.GradientCases.shapes;

import dev.gridstride.GradientCases.Case;
import java.util.List;

/** Gradient cases of the matrix products. */
final class ProductCases {
  private ProductCases() {}

  static List<Case> all() {
    return List.of(
        new Case(
            "einsum",
            "three terms",
            shapes(s(2, 3), s(3, 4), s(4)),
            t -> Tensors.einsum("ab,bc,c->ba", t)),
        new Case(
            "einsum",
            "diagonal, ellipsis, one side summed",
            shapes(s(3, 2, 2), s(2, 4)),
            t -> Tensors.einsum("...ii,ij->...j", t)),
        new Case("matmul", "matrices", shapes(s(3, 4), s(4, 2)), t -> t[0].matmul(t[1])),
        new Case("matmul", "itself", shapes(s(3, 3)), t -> t[0].matmul(t[0])),
        new Case(
            "matmul",
            "transposed views",
            shapes(s(4, 3), s(2, 4)),
            t -> t[0].transpose().matmul(t[1].transpose())),
        new Case("matmul", "row vector", shapes(s(4), s(4, 2)), t -> t[0].matmul(t[1])),
        new Case("matmul", "column vector", shapes(s(3, 4), s(4)), t -> t[0].matmul(t[1])),
        new Case("matmul", "dot", shapes(s(4), s(4)), t -> t[0].matmul(t[1])),
        new Case("matmul", "batch by matrix", shapes(s(2, 3, 4), s(4, 2)), t -> t[0].matmul(t[1])),
        new Case("matmul", "matrix by batch", shapes(s(3, 4), s(2, 4, 2)), t -> t[0].matmul(t[1])),
        new Case("matmul", "batches", shapes(s(2, 3, 4), s(2, 4, 2)), t -> t[0].matmul(t[1])),
        new Case(
            "matmul",
            "broadcast batches",
            shapes(s(2, 1, 3, 4), s(3, 4, 2)),
            t -> t[0].matmul(t[1])),
        new Case("matmul", "batch by vector", shapes(s(2, 3, 4), s(4)), t -> t[0].matmul(t[1])),
        new Case("linear", "no bias", shapes(s(3, 4), s(2, 4)), t -> t[0].linear(t[1])),
        new Case("linear", "bias", shapes(s(3, 4), s(2, 4), s(2)), t -> t[0].linear(t[1], t[2])),
        new Case(
            "linear",
            "three dimensions",
            shapes(s(2, 3, 4), s(2, 4), s(2)),
            t -> t[0].linear(t[1], t[2])),
        new Case("linear", "vector", shapes(s(4), s(2, 4), s(2)), t -> t[0].linear(t[1], t[2])));
  }
}
