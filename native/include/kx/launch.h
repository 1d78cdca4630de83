// Kernel launches with one form on both platforms.
#pragma once
#include "kx/platform.h"

namespace kx {
struct launch_config {
  dim3 grid;
  dim3 block;
  size_t dynamic_bytes = 0;
  cudaStream_t stream = nullptr;
  dim3 cluster = dim3(1, 1, 1);
  bool cooperative = false;
};

// Starts the kernel; returns the launch's error. On the emulator the kernel has run when it
// returns (unless the stream records a graph), and the error may be one of the kernel itself.
template <class... P, class... A>
inline cudaError_t launch([[maybe_unused]] const char* name, void (*kernel)(P...),
                          const launch_config& config, A&&... arguments) {
#ifdef __CUDACC__
  // The 48 KB that need no opt-in hold static and dynamic memory together: ask for any dynamic use.
  if (config.dynamic_bytes != 0) {
    const cudaError_t error = cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                                   cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                   static_cast<int>(config.dynamic_bytes));
    if (error != cudaSuccess) return error;
  }
  const unsigned cluster_size = config.cluster.x * config.cluster.y * config.cluster.z;
  if (cluster_size > 8) {
    const cudaError_t error = cudaFuncSetAttribute(
        reinterpret_cast<const void*>(kernel), cudaFuncAttributeNonPortableClusterSizeAllowed, 1);
    if (error != cudaSuccess) return error;
  }
  cudaLaunchConfig_t launch{};
  launch.gridDim = config.grid;
  launch.blockDim = config.block;
  launch.dynamicSmemBytes = config.dynamic_bytes;
  launch.stream = config.stream;
  cudaLaunchAttribute attributes[2];
  unsigned count = 0;
  if (cluster_size > 1) {
    attributes[count].id = cudaLaunchAttributeClusterDimension;
    attributes[count].val.clusterDim.x = config.cluster.x;
    attributes[count].val.clusterDim.y = config.cluster.y;
    attributes[count].val.clusterDim.z = config.cluster.z;
    count++;
  }
  if (config.cooperative) {
    attributes[count].id = cudaLaunchAttributeCooperative;
    attributes[count].val.cooperative = 1;
    count++;
  }
  launch.attrs = attributes;
  launch.numAttrs = count;
  return cudaLaunchKernelEx(&launch, kernel, static_cast<P>(arguments)...);
#else
  struct Call {
    void (*kernel)(P...);
    std::tuple<std::decay_t<P>...> arguments;
  } call{kernel, {static_cast<P>(arguments)...}};
  emu::Launch launch;
  launch.grid = config.grid;
  launch.block = config.block;
  launch.cluster = config.cluster;
  launch.dynamic_bytes = config.dynamic_bytes;
  launch.cooperative = config.cooperative;
  launch.stream = config.stream;
  const auto thunk = [](void* p) {
    auto* c = static_cast<Call*>(p);
    std::apply(c->kernel, c->arguments);
  };
  const auto copy = [](const void* p) -> std::shared_ptr<void> {
    return std::make_shared<Call>(*static_cast<const Call*>(p));
  };
  return emu::enqueue(launch, name, thunk, &call, copy);
#endif
}

#define KX_LAUNCH(kernel, config, ...) ::kx::launch(#kernel, kernel, config, __VA_ARGS__)
}  // namespace kx
