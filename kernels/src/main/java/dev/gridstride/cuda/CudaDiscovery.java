package dev.gridstride.cuda;

import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.DeviceProvider.Discovery;
import dev.gridstride.device.GridstrideException;
import java.util.ArrayList;
import java.util.List;

/** What the providers of this package share: a library, then its devices. */
final class CudaDiscovery {
  /** Compute capability that the kernels need, 10 major + minor. */
  private static final int OLDEST = 80;

  private CudaDiscovery() {}

  /** The devices of {@code kind}, or the sentence that says why there are none. */
  static Discovery discover(DeviceKind kind, Libraries libraries) {
    Libraries.Found found = libraries.find(kind.toString());
    Library library = found.library();
    if (library == null) {
      return new Discovery(List.of(), found.reason());
    }
    try {
      int count = library.deviceCount();
      if (count == 0) {
        return new Discovery(List.of(), library.lastError() + advice(kind));
      }
      var devices = new ArrayList<Device>();
      var lines = new ArrayList<String>();
      for (int i = 0; i < count; i++) {
        var device = new CudaDevice(library, kind, i, count > 1);
        // ordinals are CUDA's, so one that is too old hides those behind it
        if (kind == DeviceKind.CUDA && device.capability() < OLDEST) {
          lines.add(device.description() + ": refused, older than compute capability 8.0");
          break;
        }
        devices.add(device);
        lines.add(device.description());
      }
      return new Discovery(devices, String.join("; ", lines));
    } catch (GridstrideException broken) {
      return new Discovery(List.of(), broken.getMessage() + advice(kind));
    }
  }

  private static String advice(DeviceKind kind) {
    return kind == DeviceKind.CUDA ? "; it takes an NVIDIA GPU and a driver for CUDA 13" : "";
  }
}
