package dev.gridstride.kernels;

/** What every backend's prepared kernel can say of itself; each op adds its run methods. */
public interface DeviceKernel {
  /** Bytes of workspace that a run needs. */
  default long workspaceBytes() {
    return 0;
  }

  /** What the kernel chose for itself, as tile sizes; for {@code explain()}. */
  default String details() {
    return "";
  }

  /** Frees what the kernel holds on the device. */
  default void close() {}
}
