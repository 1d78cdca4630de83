package dev.gridstride.device;

/**
 * A prepared op on one device. Plans are immutable and may be run by several threads at once.
 *
 * <p>A plan's run methods check every operand on entry (device, lifetime, size), never allocate
 * device memory, and keep the operands from being freed while they run.
 */
public interface Plan extends AutoCloseable {
  /** What this plan carries out. */
  Op<?> op();

  /** Where it runs. */
  Device device();

  /** Bytes of workspace that its run methods need; 0 when none is needed. */
  default long workspaceBytes() {
    return 0;
  }

  /** Which implementation was chosen, and why each one before it in the list was refused. */
  Explanation explain();

  /** Frees what the plan holds on the device; a plan without such things needs no close. */
  @Override
  default void close() {}
}
