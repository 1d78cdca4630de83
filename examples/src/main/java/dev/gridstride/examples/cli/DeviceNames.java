package dev.gridstride.examples.cli;

import dev.gridstride.device.Device;
import dev.gridstride.device.GridstrideException;
import dev.gridstride.examples.UsageException;

/** The names of devices on the command line. */
final class DeviceNames {
  private DeviceNames() {}

  /**
   * The device that {@code --device} names.
   *
   * @throws UsageException when there is no such name or device
   */
  static Device find(String name) {
    try {
      if (name.matches("cuda:\\d{1,4}")) {
        return Device.cuda(Integer.parseInt(name.substring("cuda:".length())));
      }
      return switch (name) {
        case "auto" -> Device.best();
        case "cpu" -> Device.cpu();
        case "cuda" -> Device.cuda(0);
        case "emulator" -> Device.emulator();
        default ->
            throw new UsageException(
                "--device must be auto, cpu, cuda, cuda:N or emulator; given " + name);
      };
    } catch (GridstrideException e) {
      throw new UsageException("--device " + name + ": " + e.getMessage(), e);
    }
  }
}
