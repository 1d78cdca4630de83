package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarUpdates;
import dev.gridstride.cpu.vector.VectorUpdates;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.GradientDescent;
import dev.gridstride.kernels.StepControl.State;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All parameters in one parallel loop: tasks of one size, whichever parameters they are of. */
public final class CpuGradientDescent implements GradientDescent.Kernel {
  /** The memory of a parameter, its gradient and its state, for the task that a thread is at. */
  private static final ThreadLocal<MemorySegment[]> MEMORY =
      ThreadLocal.withInitial(() -> new MemorySegment[0]);

  private final GradientDescent op;
  private final boolean vector;

  /** Those of the last step: the next one mostly has the same parameters. */
  private volatile @Nullable Batches last;

  /** A kernel for {@code op}. */
  public CpuGradientDescent(GradientDescent op) {
    this.op = op;
    this.vector = Simd.ENABLED && op.type() == DType.F32;
  }

  @Override
  public String details() {
    return vector ? "vectors of f32" : "element by element in f64";
  }

  @Override
  public void step(
      Stream stream,
      List<List<Buffer>> operands,
      long step,
      double learningRate,
      double gradScale) {
    Update update =
        vector
            ? VectorUpdates.of(op, step, learningRate, gradScale)
            : ScalarUpdates.of(op, step, learningRate, gradScale);
    Batches batches = batches(operands.get(0));
    Parallel.forEach(batches.tasks(), new Tasks(operands, update, batches));
  }

  /** One step's tasks. */
  private record Tasks(List<List<Buffer>> operands, Update update, Batches batches)
      implements Parallel.Task, Batches.Body {
    @Override
    public void run(int task) {
      batches.run(task, this);
    }

    @Override
    public void run(int array, long from, long to) {
      MemorySegment[] memory = MEMORY.get();
      if (memory.length != operands.size()) {
        memory = new MemorySegment[operands.size()];
        MEMORY.set(memory);
      }
      for (int k = 0; k < memory.length; k++) {
        memory[k] = operands.get(k).get(array).pinnedSegment();
      }
      update.run(memory, from, to);
      Arrays.fill(memory, Tiles.ZEROS); // keeps nothing alive
    }
  }

  private Batches batches(List<Buffer> params) {
    Batches b = last;
    if (b == null || !b.fits(params, op.type().bytes())) {
      b = Batches.of(params, op.type().bytes());
      last = b;
    }
    return b;
  }

  @Override
  public void step(Stream stream, List<List<Buffer>> operands, Buffer control) {
    State s = State.of(control.pinnedSegment());
    if (!s.skip()) {
      step(stream, operands, s.step(), s.learningRate(), s.gradScale());
    }
  }
}
