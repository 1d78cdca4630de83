package dev.gridstride.device;

import java.util.List;

/**
 * A backend's entry: says which devices it has, or why it has none. Found by {@link
 * java.util.ServiceLoader}.
 */
public interface DeviceProvider {
  /** The kind of device that this provider offers. */
  DeviceKind kind();

  /** Looks for devices. Never throws for a machine that lacks them: it gives the reason instead. */
  Discovery discover();

  /**
   * The optional libraries of others that this provider can use: one line each, {@code name:
   * usable: version} or {@code name: refused: reason}. Looks for them; never throws.
   */
  default List<String> libraries() {
    return List.of();
  }

  /**
   * What a provider found.
   *
   * @param devices the usable devices in order of ordinal, empty when there are none
   * @param reason one sentence: what was found, or why nothing was
   */
  record Discovery(List<Device> devices, String reason) {
    /** Copies the list. */
    public Discovery {
      devices = List.copyOf(devices);
    }
  }
}
