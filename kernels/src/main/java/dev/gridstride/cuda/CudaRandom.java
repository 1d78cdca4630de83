package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Random;
import dev.gridstride.kernels.Random.Distribution;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Random numbers by {@code gs_random_fill}. */
public final class CudaRandom extends CudaKernel implements Random.Kernel {
  private static final MethodHandle RANDOM =
      status("gs_random_fill", HOST, I64, I64, DEVICE, DEVICE);

  private final MemorySegment fill = symbol("gs_random_fill");
  private final MemorySegment description;

  /** A kernel for {@code op}. */
  public CudaRandom(Random op, Device device) {
    super(op.name(), device);
    var s = Struct.of(Abi.RANDOM).set("count", op.count()).set("type", Abi.type(op.type()));
    switch (op.distribution()) {
      case Distribution.Uniform(double low, double high) ->
          s.set("distribution", Abi.UNIFORM).set("a", low).set("b", high);
      case Distribution.Normal(double mean, double std) ->
          s.set("distribution", Abi.NORMAL).set("a", mean).set("b", std);
      case Distribution.Bernoulli(double p) -> s.set("distribution", Abi.BERNOULLI).set("a", p);
      case Distribution.Integers(long low, long high) ->
          s.set("distribution", Abi.INTEGERS).set("low", low).set("high", high);
    }
    this.description = s.memory();
  }

  @Override
  public void run(Stream stream, long seed, long offset, Buffer y) {
    long p = pointer(y);
    launch(stream, s -> (int) RANDOM.invokeExact(fill, description, seed, offset, p, s));
  }
}
