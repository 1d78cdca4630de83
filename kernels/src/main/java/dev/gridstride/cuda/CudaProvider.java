package dev.gridstride.cuda;

import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.DeviceProvider;
import dev.gridstride.jcuda.JCudaVendors;
import java.util.ArrayList;
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
    var lines = new ArrayList<String>();
    lines.add("nvrtc: " + Nvrtc.report());
    lines.add("cublaslt: " + CublasLt.report());
    lines.add("cudnn: " + CudnnLibrary.report());
    lines.addAll(JCudaVendors.report());
    return lines;
  }

  @Override
  public Discovery discover() {
    return CudaDiscovery.discover(kind(), new Libraries());
  }
}
