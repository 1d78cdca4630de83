/** Ops on raw buffers: devices, plans, and the CPU implementations. Knows no tensors. */
module dev.gridstride.kernels {
  requires static jdk.incubator.vector;
  requires static jcublas;
  requires static jcuda;
  requires static jcudnn;
  requires static org.jspecify;

  exports dev.gridstride.device;
  exports dev.gridstride.jcuda;
  exports dev.gridstride.kernels;

  uses dev.gridstride.device.DeviceProvider;

  provides dev.gridstride.device.DeviceProvider with
      dev.gridstride.cpu.CpuProvider,
      dev.gridstride.cuda.CudaProvider,
      dev.gridstride.cuda.EmulatorProvider;
}
