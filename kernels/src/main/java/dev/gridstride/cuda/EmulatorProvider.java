package dev.gridstride.cuda;

import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.DeviceProvider;

/** Offers the CUDA kernels on the CPU, where the emulator is built. */
public final class EmulatorProvider implements DeviceProvider {
  /** Called by the service loader. */
  public EmulatorProvider() {}

  @Override
  public DeviceKind kind() {
    return DeviceKind.EMULATOR;
  }

  @Override
  public Discovery discover() {
    return CudaDiscovery.discover(kind(), new Libraries());
  }
}
