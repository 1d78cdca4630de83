package dev.gridstride.device;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/** Finds the devices of all providers, once. */
final class Devices {
  private static final System.Logger LOG = System.getLogger("dev.gridstride");

  private record Found(DeviceKind kind, List<Device> devices, String reason) {}

  /** Loaded on first use, so that an explicit choice of one device asks every backend only once. */
  private static final class Holder {
    static final List<Found> FOUND = discover();
  }

  private static final class Best {
    static final Device CHOSEN = choose();
  }

  private Devices() {}

  private static List<Found> discover() {
    var found = new ArrayList<Found>();
    var loader = ServiceLoader.load(DeviceProvider.class, Devices.class.getClassLoader());
    for (DeviceProvider provider : loader) {
      var discovery = provider.discover();
      found.add(new Found(provider.kind(), discovery.devices(), discovery.reason()));
    }
    found.sort(Comparator.comparing(Found::kind));
    return List.copyOf(found);
  }

  private static Device choose() {
    var refused = new StringBuilder();
    for (Found f : Holder.FOUND) {
      if (f.kind() == DeviceKind.EMULATOR) {
        continue; // a test tool, never a choice
      }
      if (!f.devices().isEmpty()) {
        Device device = f.devices().getFirst();
        LOG.log(
            Level.INFO,
            "gridstride: using " + device.name() + " (" + device.description() + ")" + refused);
        return device;
      }
      refused.append("; ").append(f.kind()).append(" refused: ").append(f.reason());
    }
    throw new DeviceException("no device: the CPU backend is not on the module or class path");
  }

  static Device best() {
    return Best.CHOSEN;
  }

  static Device get(DeviceKind kind, int ordinal) {
    for (Found f : Holder.FOUND) {
      if (f.kind() == kind) {
        if (ordinal >= 0 && ordinal < f.devices().size()) {
          return f.devices().get(ordinal);
        }
        throw new DeviceException(
            "device " + kind + ":" + ordinal + " is not available: " + f.reason());
      }
    }
    throw new DeviceException(
        "device "
            + kind
            + ":"
            + ordinal
            + " is not available: no backend for "
            + kind
            + " is installed");
  }

  static List<Device> all() {
    return Holder.FOUND.stream().flatMap(f -> f.devices().stream()).toList();
  }

  static List<String> libraries() {
    return ServiceLoader.load(DeviceProvider.class, Devices.class.getClassLoader()).stream()
        .flatMap(provider -> provider.get().libraries().stream())
        .toList();
  }

  static List<String> report() {
    return Holder.FOUND.stream().map(f -> f.kind() + ": " + f.reason()).toList();
  }
}
