package dev.gridstride.testing;

import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceException;
import java.util.List;
import org.opentest4j.TestAbortedException;

/** The emulator for tests that are about CUDA devices; without one they are skipped. */
public final class Emulator {
  private Emulator() {}

  /** Whether the tests are run over a GPU: {@code -Dgridstride.test.device=cuda}. */
  public static boolean isForGpu() {
    return System.getProperty("gridstride.test.device", "").equals("cuda");
  }

  /** The GPU where the tests are run over it, else the emulator. */
  public static Device orGpu() {
    return isForGpu() ? Device.cuda(0) : device();
  }

  /** The emulator; {@code -Dgridstride.require=emulator} makes its absence a failure. */
  public static Device device() {
    try {
      return Device.emulator();
    } catch (DeviceException absent) {
      if (List.of(System.getProperty("gridstride.require", "").split(",")).contains("emulator")) {
        throw absent;
      }
      throw new TestAbortedException(absent.getMessage());
    }
  }
}
