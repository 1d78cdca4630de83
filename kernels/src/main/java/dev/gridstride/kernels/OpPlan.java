package dev.gridstride.kernels;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Explanation;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Plan;
import dev.gridstride.device.Stream;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the plans of all ops share: the selection of a kernel and the checks of operands.
 *
 * <p>A run method checks the stream and each operand, pins the operands, calls the kernel, unpins.
 * The checks are here, once, so that no kernel has to trust its caller.
 *
 * @param <S> the op's description
 * @param <K> the op's kernel contract
 */
abstract class OpPlan<S extends Op<?>, K extends DeviceKernel> implements Plan {
  /** The description. */
  protected final S op;

  /** The chosen kernel. */
  protected final K kernel;

  private final Device device;
  private final Implementations.Selection<K> selection;

  OpPlan(S op, Device device, Implementations<S, K> implementations) {
    this.op = op;
    this.device = device;
    this.selection = implementations.select(op, device);
    this.kernel = selection.kernel();
  }

  @Override
  public final S op() {
    return op;
  }

  @Override
  public final Device device() {
    return device;
  }

  @Override
  public final long workspaceBytes() {
    return kernel.workspaceBytes();
  }

  @Override
  public final Explanation explain() {
    return new Explanation(
        op.name(),
        device.name(),
        selection.name(),
        kernel.details(),
        workspaceBytes(),
        selection.refused());
  }

  @Override
  public final void close() {
    kernel.close();
  }

  /** The stream must be of this plan's device. */
  protected final void checkStream(Stream stream) {
    if (!stream.device().equals(device)) {
      throw InvalidArgumentException.of(
          op.name(),
          "stream",
          "must belong to the plan's device",
          "stream device=%s, plan device=%s",
          stream.device().name(),
          device.name());
    }
  }

  /**
   * The buffer must be of this device, open, and hold {@code elements} elements of {@code type}, at
   * a multiple of their size.
   */
  protected final void check(String argument, Buffer buffer, DType type, long elements) {
    Objects.requireNonNull(buffer, argument);
    if (!buffer.device().equals(device)) {
      throw InvalidArgumentException.of(
          op.name(),
          argument,
          "must live on the plan's device",
          "%s device=%s, plan device=%s",
          argument,
          buffer.device().name(),
          device.name());
    }
    buffer.checkOpen(op.name());
    if (buffer.bytes() < type.bytes(elements)) {
      throw InvalidArgumentException.of(
          op.name(),
          argument,
          "must hold at least " + elements + " elements of " + type,
          "needed bytes=%d, %s bytes=%d",
          type.bytes(elements),
          argument,
          buffer.bytes());
    }
    // A GPU ends its context on an access that is not aligned.
    if ((buffer.devicePointer() & (type.bytes() - 1)) != 0) {
      throw InvalidArgumentException.of(
          op.name(),
          argument,
          "must lie at a multiple of its element size",
          "%s address=0x%x, element bytes=%d",
          argument,
          buffer.devicePointer(),
          type.bytes());
    }
  }

  /** As {@link #check}, for an operand that may be left out. */
  protected final void checkOptional(
      String argument, @Nullable Buffer buffer, DType type, long elements) {
    if (buffer != null) {
      check(argument, buffer, type, elements);
    }
  }

  /** As {@link #check}, for buffer {@code index} of a list, of any number of whole elements. */
  protected final void checkElements(String list, int index, Buffer buffer, DType type) {
    check(list, buffer, type, 0);
    if (buffer.bytes() % type.bytes() != 0) {
      throw InvalidArgumentException.of(
          op.name(),
          list + "[" + index + "]",
          "must be a multiple of the element size",
          "bytes=%d",
          buffer.bytes());
    }
  }

  /** The workspace must be given, of this device and large enough, when one is needed. */
  protected final void checkWorkspace(@Nullable Buffer workspace) {
    long needed = workspaceBytes();
    if (needed == 0) {
      return;
    }
    if (workspace == null) {
      throw InvalidArgumentException.of(
          op.name(), "workspace", "must be given", "needed bytes=%d, workspace=null", needed);
    }
    check("workspace", workspace, DType.U8, needed);
  }

  /** Two operands that the kernel reads and writes at different times must not share memory. */
  protected final void checkDisjoint(
      String output, @Nullable Buffer out, String input, @Nullable Buffer in) {
    if (out != null && in != null && out.overlaps(in)) {
      throw InvalidArgumentException.of(
          op.name(), output, "must not overlap " + input, "%s=%s, %s=%s", output, out, input, in);
    }
  }

  /** Equal memory or none in common: an op that works element by element may write in place. */
  protected final void checkSameOrDisjoint(
      String output, @Nullable Buffer out, String input, @Nullable Buffer in) {
    if (out != null && in != null && out.devicePointer() != in.devicePointer()) {
      checkDisjoint(output, out, input, in);
    }
  }
}
