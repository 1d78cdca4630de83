// The library and its devices.
#include "device.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "status.h"
#ifdef GRIDSTRIDE_EMULATED
#include "emulator/emulator.h"
#endif

namespace {
// The message for why there is no device. CUDA's words for a driver that is missing are those for
// one that is too old.
void explain_absence(cudaError_t error) {
  int driver = 0, needed = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  if (cudaRuntimeGetVersion(&needed) != cudaSuccess) needed = 0;
  if (error == cudaSuccess || error == cudaErrorNoDevice) {
    gs::fail(GS_OK, "no device: the driver finds none");
  } else if (error == cudaErrorInsufficientDriver && driver == 0) {
    gs::fail(GS_OK,
             "no device: no NVIDIA driver is installed (libcuda.so.1 is missing or refuses)");
  } else if (error == cudaErrorInsufficientDriver && driver / 1000 < needed / 1000) {
    gs::fail(GS_OK,
             "no device: the driver is too old: it is for CUDA %d.%d, this library for %d.%d",
             driver / 1000, driver % 1000 / 10, needed / 1000, needed % 1000 / 10);
  } else {
    gs::fail(GS_OK, "no device: %s", cudaGetErrorString(error));
  }
}
}  // namespace

namespace gs {
namespace {
int attribute(cudaDeviceAttr which) {
  int device = 0, value = 0;
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaDeviceGetAttribute(&value, which, device) != cudaSuccess) {
    cudaGetLastError();
    return 0;
  }
  return value;
}
}  // namespace

int device_capability() {
  const int found = 10 * attribute(cudaDevAttrComputeCapabilityMajor) +
                    attribute(cudaDevAttrComputeCapabilityMinor);
  const char* limit = getenv("GRIDSTRIDE_CAPABILITY");
  return limit && *limit ? std::min(found, atoi(limit)) : found;
}
int device_multiprocessors() { return attribute(cudaDevAttrMultiProcessorCount); }
int device_shared_bytes() { return attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin); }
}  // namespace gs

extern "C" {
int32_t gs_abi_version(void) { return GS_ABI_VERSION; }

const char* gs_backend(void) {
#ifdef GRIDSTRIDE_EMULATED
  return emu::is_checked() ? "emulator-checked" : "emulator";
#else
  return "cuda";
#endif
}

gs_status gs_device_count(int32_t* count) {
  GS_REQUIRE(count, "device_count: count must not be null");
  int found = 0;
  const cudaError_t error = cudaGetDeviceCount(&found);
  if (error != cudaSuccess || found == 0) {
    found = 0;
    explain_absence(error);
    cudaGetLastError();
  }
  *count = found;
  return GS_OK;
}

gs_status gs_device_get_properties(int32_t device, gs_device_properties* properties) {
  GS_REQUIRE(properties, "device_get_properties: properties must not be null");
  memset(properties, 0, sizeof *properties);
  cudaDeviceProp p;
  if (const gs_status status =
          gs::check(cudaGetDeviceProperties(&p, device), "device_get_properties")) {
    return status;
  }
  snprintf(properties->name, sizeof properties->name, "%s", p.name);
  properties->memory_bytes = static_cast<int64_t>(p.totalGlobalMem);
  properties->shared_bytes = static_cast<int64_t>(p.sharedMemPerBlockOptin);
  properties->l2_bytes = p.l2CacheSize;
  properties->capability_major = p.major;
  properties->capability_minor = p.minor;
  properties->multiprocessors = p.multiProcessorCount;
  properties->warp_threads = p.warpSize;
  int version = 0;
  if (cudaDriverGetVersion(&version) == cudaSuccess) properties->driver_version = version;
  if (cudaRuntimeGetVersion(&version) == cudaSuccess) properties->runtime_version = version;
  return GS_OK;
}

gs_status gs_device_set(int32_t device) { return gs::check(cudaSetDevice(device), "device_set"); }

gs_status gs_device_get(int32_t* device) {
  GS_REQUIRE(device, "device_get: device must not be null");
  int current = 0;
  const gs_status status = gs::check(cudaGetDevice(&current), "device_get");
  *device = current;
  return status;
}

gs_status gs_device_synchronize(void) {
  return gs::check(cudaDeviceSynchronize(), "device_synchronize");
}
}
