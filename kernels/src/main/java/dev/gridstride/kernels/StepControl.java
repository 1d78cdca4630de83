package dev.gridstride.kernels;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/**
 * What changes from step to step of gradient descent, in device memory: a captured graph can replay
 * a step, because nothing of it is a number that Java passed.
 *
 * <pre>{@code
 * try (var control = StepControl.on(device, 1e-3, 1)) {
 *   scaling.measure(stream, grads, control); // norm, clip factor, whether to skip
 *   descent.step(stream, params, grads, states, control);
 *   scaling.advance(stream, control); // number of the next step, loss scale
 * }
 * }</pre>
 *
 * <p>The methods here copy between host and device, and so wait for the device; they can't be
 * called inside a capture, {@link #measuredAs} excepted. Close it to free the memory.
 */
public final class StepControl implements AutoCloseable {
  private static final StructLayout LAYOUT =
      MemoryLayout.structLayout(
          ValueLayout.JAVA_LONG.withName("step"),
          ValueLayout.JAVA_DOUBLE.withName("lr"),
          ValueLayout.JAVA_DOUBLE.withName("grad_scale"),
          ValueLayout.JAVA_LONG.withName("skip"),
          ValueLayout.JAVA_DOUBLE.withName("norm"),
          ValueLayout.JAVA_DOUBLE.withName("loss_scale"),
          ValueLayout.JAVA_LONG.withName("streak"));
  private static final long LR = LAYOUT.byteOffset(MemoryLayout.PathElement.groupElement("lr"));
  private static final long GRAD_SCALE =
      LAYOUT.byteOffset(MemoryLayout.PathElement.groupElement("grad_scale"));
  private static final long LOSS_SCALE =
      LAYOUT.byteOffset(MemoryLayout.PathElement.groupElement("loss_scale"));

  private final Buffer buffer;

  private StepControl(Buffer buffer) {
    this.buffer = buffer;
  }

  /**
   * The contents.
   *
   * @param step number of the next step, from 1
   * @param learningRate of the next step
   * @param gradScale factor of every gradient; {@link StepScaling} sets it
   * @param skip whether steps change nothing; {@link StepScaling} sets it
   * @param norm of all gradients divided by lossScale, before clipping; {@link StepScaling} sets it
   * @param lossScale what the loss is multiplied by before backward, 1 for none
   * @param streak steps since one was skipped or lossScale grew
   */
  public record State(
      long step,
      double learningRate,
      double gradScale,
      boolean skip,
      double norm,
      double lossScale,
      long streak) {
    /** Reads a block in host memory. */
    public static State of(MemorySegment block) {
      checkBlock(block);
      return new State(
          block.get(ValueLayout.JAVA_LONG_UNALIGNED, 0),
          block.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8),
          block.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 16),
          block.get(ValueLayout.JAVA_LONG_UNALIGNED, 24) != 0,
          block.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 32),
          block.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 40),
          block.get(ValueLayout.JAVA_LONG_UNALIGNED, 48));
    }

    private static void checkBlock(MemorySegment block) {
      if (block.byteSize() < LAYOUT.byteSize()) {
        throw InvalidArgumentException.of(
            "stepControl",
            "block",
            "must have at least " + LAYOUT.byteSize() + " bytes",
            "block bytes=%d",
            block.byteSize());
      }
    }

    private void check() {
      if (step < 1 || !(lossScale > 0)) {
        throw InvalidArgumentException.of(
            "stepControl",
            "state",
            "must have a step of at least 1 and a positive lossScale",
            "step=%d, lossScale=%s",
            step,
            lossScale);
      }
    }

    /** Writes a block in host memory. */
    public void to(MemorySegment block) {
      checkBlock(block);
      if (block.isReadOnly()) {
        throw InvalidArgumentException.of(
            "stepControl", "block", "must be writable", "block=%s", block);
      }
      block.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, step);
      block.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8, learningRate);
      block.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 16, gradScale);
      block.set(ValueLayout.JAVA_LONG_UNALIGNED, 24, skip ? 1 : 0);
      block.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 32, norm);
      block.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 40, lossScale);
      block.set(ValueLayout.JAVA_LONG_UNALIGNED, 48, streak);
    }
  }

  /** Before the first step, without clipping. */
  public static StepControl on(Device device, double learningRate, double lossScale) {
    return on(device, new State(1, learningRate, 1 / lossScale, false, 0, lossScale, 0));
  }

  /**
   * A block of these contents, as of a training that goes on.
   *
   * @throws InvalidArgumentException as {@link #set}
   */
  public static StepControl on(Device device, State state) {
    state.check();
    var control = new StepControl(device.allocate(LAYOUT.byteSize()));
    control.set(state);
    return control;
  }

  /** Names, offsets and types of the members in memory. */
  public static StructLayout layout() {
    return LAYOUT;
  }

  /** The block's memory. */
  public Buffer buffer() {
    return buffer;
  }

  /** Reads the contents. */
  public State state() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(LAYOUT);
      buffer.copyTo(block);
      return State.of(block);
    }
  }

  /**
   * Writes the contents.
   *
   * @throws InvalidArgumentException when the step is not at least 1 or the loss scale not positive
   */
  public void set(State state) {
    state.check();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(LAYOUT);
      state.to(block);
      buffer.copyFrom(block);
    }
  }

  /** Writes the learning rate alone, as between two replays. */
  public void learningRate(double value) {
    try (Buffer member = buffer.slice(LR, Double.BYTES)) {
      member.copyFrom(MemorySegment.ofArray(new double[] {value}));
    }
  }

  /**
   * Takes over norm, gradScale and whether to skip from another block on the same device, as a copy
   * on the device: what {@link StepScaling.Plan#measure} found for parameters with several learning
   * rates.
   */
  public void measuredAs(StepControl other) {
    try (Buffer to = buffer.slice(GRAD_SCALE, LOSS_SCALE - GRAD_SCALE);
        Buffer from = other.buffer.slice(GRAD_SCALE, LOSS_SCALE - GRAD_SCALE)) {
      to.copyFrom(from);
    }
  }

  /** The loss scale's memory, one f64: what a loss on the device is multiplied by. */
  public Buffer lossScale() {
    return buffer.slice(LOSS_SCALE, DType.F64.bytes());
  }

  @Override
  public void close() {
    buffer.close();
  }
}
