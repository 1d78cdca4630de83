package dev.gridstride.cpu;

import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.DeviceProvider;
import java.util.List;

/** Offers the CPU, which is always there. */
public final class CpuProvider implements DeviceProvider {
  /** Called by the service loader. */
  public CpuProvider() {}

  @Override
  public DeviceKind kind() {
    return DeviceKind.CPU;
  }

  @Override
  public Discovery discover() {
    var cpu = new CpuDevice();
    return new Discovery(List.of(cpu), cpu.description());
  }
}
