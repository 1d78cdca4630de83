package dev.gridstride.examples.readme;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.Epilogue;
import dev.gridstride.kernels.Epilogue.Activation;
import dev.gridstride.kernels.Gemm;
import java.lang.foreign.MemorySegment;

/** Op level: describe the work once, run the plan as often as you like. */
public final class OpLevel {
  private OpLevel() {}

  /** A linear layer with ReLU, {@code relu(A B^T + bias)}, in one pass. */
  public static void main(String[] args) {
    Device device = Device.best();
    var spec = Gemm.of(64, 10, 128).transB().with(Epilogue.bias().then(Activation.RELU));
    try (var a = device.allocate(DType.F32, 64 * 128);
        var b = device.allocate(DType.F32, 10 * 128);
        var bias = device.allocate(DType.F32, 10);
        var c = device.allocate(DType.F32, 64 * 10)) {
      a.fill((byte) 0);
      b.fill((byte) 0);
      bias.copyFrom(MemorySegment.ofArray(new float[] {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8}));
      var plan = device.plan(spec);
      plan.run(device.defaultStream(), 1, a, b, 0, c, bias, null, null);
      System.out.println(plan.explain()); // which implementation, and why not the others
    }
  }
}
