package dev.gridstride.cuda;

import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.DeviceProvider;
import java.util.List;

/** Offers GPUs, where the library is built and a driver is there. */
public final class CudaProvider implements DeviceProvider {
  /** Called by the service loader. */
  public CudaProvider() {}

  @Override
  public DeviceKind kind() {
    return DeviceKind.CUDA;
  }

  @Override
  public List<String> libraries() {
    return List.of(
        "nvrtc: " + Nvrtc.report(),
        "cublaslt: " + CublasLt.report(),
        "cudnn: " + CudnnLibrary.report());
  }

  @Override
  public Discovery discover() {
    return CudaDiscovery.discover(kind(), new Libraries());
  }
}
