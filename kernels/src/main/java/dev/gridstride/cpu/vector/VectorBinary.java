package dev.gridstride.cpu.vector;

import dev.gridstride.kernels.Binary.Kind;
import jdk.incubator.vector.VectorOperators;

/** The vector form of an elementwise function of two operands; a record, which the JIT trusts. */
record VectorBinary(Kind kind, VectorOperators.Binary operator) {
  static VectorBinary of(Kind kind) {
    return new VectorBinary(
        kind,
        switch (kind) {
          case ADD -> VectorOperators.ADD;
          case SUB -> VectorOperators.SUB;
          case MUL -> VectorOperators.MUL;
          case DIV -> VectorOperators.DIV;
          case MAX -> VectorOperators.MAX;
          case MIN -> VectorOperators.MIN;
          default -> throw new IllegalArgumentException(kind + " has no vector operator");
        });
  }
}
