package dev.gridstride.device;

/** The kinds of device that a {@link DeviceProvider} can offer. */
public enum DeviceKind {
  /** A CUDA GPU. */
  CUDA,
  /** The processor that runs the Java program. */
  CPU,
  /** The CUDA kernels executed by the CPU, for testing. */
  EMULATOR;

  /** The name in lower case, as the command line writes it. */
  @Override
  public String toString() {
    return switch (this) {
      case CUDA -> "cuda";
      case CPU -> "cpu";
      case EMULATOR -> "emulator";
    };
  }
}
