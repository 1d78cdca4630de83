package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarUpdates;
import dev.gridstride.cpu.vector.VectorUpdates;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.GradientDescent;
import dev.gridstride.kernels.StepControl.State;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** All parameters in one parallel loop: chunks of 16K elements, whichever parameter they are of. */
public final class CpuGradientDescent implements GradientDescent.Kernel {
  private static final long CHUNK = 1 << 14;

  private final GradientDescent op;
  private final boolean vector;

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
    int count = operands.get(0).size();
    var memory = new MemorySegment[count][operands.size()];
    var chunks = new Chunks(CHUNK, count);
    for (int i = 0; i < count; i++) {
      for (int k = 0; k < operands.size(); k++) {
        memory[i][k] = operands.get(k).get(i).segment();
      }
      chunks.add(memory[i][0].byteSize() / op.type().bytes());
    }
    chunks.forEach((c, i, from, to) -> update.run(memory[i], from, to));
  }

  @Override
  public void step(Stream stream, List<List<Buffer>> operands, Buffer control) {
    State s = State.of(control.segment());
    if (!s.skip()) {
      step(stream, operands, s.step(), s.learningRate(), s.gradScale());
    }
  }
}
