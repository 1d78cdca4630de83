package dev.gridstride.bench;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** Our contender on buffers: operands by name, and the work as a {@link Runnable} over them. */
final class Buffers implements Contender {
  final Device cpu = Device.cpu();
  final Stream stream = cpu.defaultStream();
  final DType type;
  private final Problem problem;
  private final Map<String, Buffer> results = new HashMap<>();
  private final List<Buffer> owned = new ArrayList<>();
  private final Runnable work;

  /**
   * Prepares the work.
   *
   * @param setup makes the buffers and plans, and returns what a run does
   */
  Buffers(Case c, Problem problem, Function<Buffers, Runnable> setup) {
    this.problem = problem;
    type = DType.valueOf(c.dtype().toUpperCase(Locale.ROOT));
    work = setup.apply(this);
  }

  /** A buffer with the operand's numbers in the case's type. */
  Buffer in(String name) {
    return problem.input(name).values() instanceof int[] indices
        ? copy(MemorySegment.ofArray(indices))
        : of(problem.floats(name));
  }

  /** A buffer with these numbers in the case's type. */
  Buffer of(float[] values) {
    return switch (type) {
      case F64 -> copy(MemorySegment.ofArray(Data.widened(values)));
      case BF16 -> copy(MemorySegment.ofArray(Data.bf16(values)));
      default -> copy(MemorySegment.ofArray(values));
    };
  }

  private Buffer copy(MemorySegment values) {
    Buffer b = bytes(values.byteSize());
    b.copyFrom(values);
    return b;
  }

  /** A buffer that holds a result, of the case's type. */
  Buffer out(String name, long count) {
    return result(name, zeros(count));
  }

  /** Names a buffer as a result. */
  Buffer result(String name, Buffer b) {
    results.put(name, b);
    return b;
  }

  /** A buffer of zeros in the case's type. */
  Buffer zeros(long count) {
    Buffer b = bytes(count * type.bytes());
    b.fill((byte) 0);
    return b;
  }

  /** A buffer of this many bytes. */
  Buffer bytes(long count) {
    Buffer b = cpu.allocate(count);
    owned.add(b);
    return b;
  }

  @Override
  public void run() {
    work.run();
  }

  @Override
  public double[] result(String name) {
    MemorySegment s = results.get(name).segment();
    return switch (type) {
      case F64 -> s.toArray(ValueLayout.JAVA_DOUBLE);
      case BF16 -> Data.widened(s.toArray(ValueLayout.JAVA_SHORT));
      default -> Data.widened(s.toArray(ValueLayout.JAVA_FLOAT));
    };
  }

  @Override
  public void close() {
    owned.forEach(Buffer::close);
  }
}
