package dev.gridstride.cuda;

import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.GridstrideException;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.DeviceKernel;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the implementations by vendors' libraries answer, in the order of what it costs to ask. */
public final class VendorSupport {
  private VendorSupport() {}

  /**
   * What {@code info} says of a library, in one line.
   *
   * @param name as it is shown; null when it can't be used
   * @param present how it is there: "is installed"
   * @param reason why it can't be used
   */
  public static String report(@Nullable String name, String present, String reason) {
    if (name == null) {
      return "refused: " + reason;
    }
    boolean gpu = Device.all().stream().anyMatch(d -> d.kind() == DeviceKind.CUDA);
    return gpu
        ? "usable: " + name
        : "refused: " + name + " " + present + ", but there is no CUDA device";
  }

  /**
   * Whether a library takes a description, and why not.
   *
   * @param missing why the library can't be used; empty when it can
   * @param described what the description says without the library
   * @param make asks the library, for what it finds depends on the GPU
   */
  static Support of(
      Device device, String missing, Supplier<Support> described, Supplier<DeviceKernel> make) {
    if (device.kind() != DeviceKind.CUDA) {
      return Support.no("it runs on GPUs only");
    }
    if (!missing.isEmpty()) {
      return Support.no(missing);
    }
    if (described.get() instanceof Support.Unsupported no) {
      return no;
    }
    try {
      make.get().close();
      return Support.YES;
    } catch (GridstrideException refused) {
      return Support.no(String.valueOf(refused.getMessage()));
    }
  }
}
