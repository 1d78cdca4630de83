package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.gridstride.device.DType;
import dev.gridstride.device.DeviceMemoryException;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.optim.Adam;
import dev.gridstride.optim.Optimizer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Memory runs out at each allocation of training in turn: the exception says so, nothing is left
 * open, and the same step succeeds when it is tried again.
 */
final class AllocationFaultsTest {
  private static final FailingDevice DEVICE = new FailingDevice();

  private static Tensor random(SplittableRandom random, long... dims) {
    double[] v = random.doubles(Shape.of(dims).count(), -1, 1).toArray();
    return Tensors.of(DEVICE, v, dims);
  }

  /** Weights of a small network. */
  private static List<Tensor> weights() {
    var random = new SplittableRandom(5);
    var list = new ArrayList<Tensor>();
    long[][] shapes = {{4, 3, 3, 3}, {4}, {4}, {4}, {5, 36}, {5}, {5}, {5}, {7, 5}};
    for (long[] shape : shapes) {
      list.add(random(random, shape).requiresGrad(true));
    }
    return list;
  }

  /** One step of training; most families of ops take part. */
  private static double step(List<Tensor> w, Optimizer optimizer) {
    try (Scope scope = Scope.open()) {
      optimizer.zeroGrad();
      Tensor x = random(new SplittableRandom(6), 2, 3, 8, 8);
      Tensor y = x.conv2d(w.get(0), w.get(1)).batchNorm(w.get(2), w.get(3), 1e-5).relu();
      y = y.maxPool2d(2).permute(0, 2, 3, 1).reshape(2, 36).linear(w.get(4), w.get(5));
      y = y.layerNorm(w.get(6), w.get(7)).pad(new long[] {0, 0}, new long[] {1, 0}, 0);
      Tensor rows = w.get(8).embedding(Tensors.of(DEVICE, new long[] {6, 0, 6}));
      Tensor mixed =
          y.reshape(1, 3, 5).scaledDotProductAttention(rows.reshape(1, 3, 5), y.reshape(1, 3, 5));
      Tensor logits = mixed.reshape(3, 5).add(rows.cumSum(1)).mul(y.softmax(1).add(1));
      Tensor loss = logits.crossEntropy(Tensors.of(DEVICE, new long[] {1, 4, 0}));
      loss = loss.add(Tensors.einsum("ij,ij->", rows, rows).mul(1e-3));
      loss.backward();
      Optimizer.clipGradNorm(w, 1);
      optimizer.step();
      return loss.item();
    }
  }

  @Test
  void eachAllocationOfTrainingFails() {
    long all;
    double expected;
    try (Scope scope = Scope.open()) {
      List<Tensor> w = weights();
      try (var optimizer = new Adam(w, 0.01)) {
        DEVICE.fail(0);
        expected = step(w, optimizer);
        all = DEVICE.allocations();
      }
    }
    assertThat(DEVICE.live()).isZero();
    assertThat(all).isGreaterThan(100);
    for (long n = 1; n <= all; n++) {
      DEVICE.fail(0);
      try (Scope scope = Scope.open()) {
        List<Tensor> w = weights();
        try (var optimizer = new Adam(w, 0.01)) {
          DEVICE.fail(n);
          try {
            step(w, optimizer);
            fail("allocation %d did not fail", n);
          } catch (DeviceMemoryException full) {
            assertThat(full).hasMessageContaining("can't allocate");
          }
          DEVICE.fail(0);
          assertThat(step(w, optimizer)).as("retry after allocation %d", n).isEqualTo(expected);
        }
      }
      assertThat(DEVICE.live()).as("open after allocation %d failed", n).isZero();
    }
  }

  /** Each allocation of each op, forward and backward. */
  @Test
  void eachAllocationOfEachOpFails() {
    int covered = 0;
    for (GradientCases.Case c : GradientCases.all()) {
      covered += eachAllocationFails(c) ? 1 : 0;
    }
    assertThat(covered).isGreaterThan(130);
  }

  /** False for a case with operands on a device of its own. */
  private static boolean eachAllocationFails(GradientCases.Case c) {
    var random = new SplittableRandom(9);
    long all = Long.MAX_VALUE;
    for (long n = 0; n <= all; n++) {
      DEVICE.fail(n);
      try (Scope scope = Scope.open()) {
        var leaves = new Tensor[c.shapes().length];
        for (int i = 0; i < leaves.length; i++) {
          leaves[i] = random(random, c.shapes()[i]).requiresGrad(true);
        }
        Tensor y = c.function().apply(leaves);
        y.backward(Tensors.ones(DEVICE, DType.F64, y.shape().dims()), false);
        assertThat(n).as("%s: an allocation that did not fail", c).isZero();
        all = DEVICE.allocations();
      } catch (DeviceMemoryException full) {
        assertThat(full).as("%s, allocation %d", c, n).hasMessageContaining("can't allocate");
      } catch (InvalidArgumentException elsewhere) {
        assertThat(n).as("%s: %s", c, elsewhere).isZero();
        return false;
      }
      assertThat(DEVICE.live()).as("%s: open after allocation %d failed", c, n).isZero();
    }
    return true;
  }
}
