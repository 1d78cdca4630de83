package dev.gridstride.examples.readme;

import dev.gridstride.Scope;
import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import java.util.Arrays;

/** Tensor level: ops record themselves, backward brings the gradients. */
public final class TensorLevel {
  private TensorLevel() {}

  /** One forward and backward pass of a softmax classifier. */
  public static void main(String[] args) {
    Device device = Device.best();
    try (var scope = Scope.open()) { // frees everything made inside
      var x = Tensors.of(device, new float[] {1, 2, 3, 4}, 2, 2);
      var w = Tensors.of(device, new float[] {0.5f, -0.5f, 0.1f, 0.2f}, 2, 2).requiresGrad(true);
      var labels = Tensors.of(device, new long[] {0, 1});
      var loss = x.linear(w).relu().crossEntropy(labels);
      loss.backward();
      System.out.println(loss.item() + " " + Arrays.toString(w.grad().toFloatArray()));
    }
  }
}
