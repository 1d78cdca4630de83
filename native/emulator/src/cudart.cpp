// The runtime API of shim/cuda_runtime_api.h. Streams are synchronous: every call is done when it
// returns, but for those that record a graph. Copies and fills are checked against the buffers'
// bounds.
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "graph.h"

struct CUevent_st {
  std::chrono::steady_clock::time_point when;
  bool recorded = false;
};
struct CUmemPoolHandle_st {};

namespace {
using Guard = std::lock_guard<std::recursive_mutex>;
thread_local cudaError_t t_last_error = cudaSuccess;
CUmemPoolHandle_st g_pool;

const char* base_string(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    case cudaErrorLaunchTimeout:
      return "the launch timed out and was terminated";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    case cudaErrorCooperativeLaunchTooLarge:
      return "too many blocks in cooperative launch";
    case cudaErrorNotSupported:
      return "operation not supported";
    case cudaErrorIllegalState:
      return "the operation cannot be performed in the present state";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
    default:
      return "unknown error";
  }
}
}  // namespace

namespace emu {
cudaError_t done(cudaError_t error) {
  if (error != cudaSuccess) {
    t_last_error = error;
    set_report("");
  }
  return error;
}
}  // namespace emu
using emu::done;

extern "C" {
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  return done(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
  if (device != 0) return done(cudaErrorInvalidDevice);
  memset(p, 0, sizeof *p);
  strcpy(p->name, emu::is_checked() ? "CUDA emulator (checked)" : "CUDA emulator");
  p->totalGlobalMem = emu::kArenaBytes - emu::kSharedZone;
  p->sharedMemPerBlockOptin = emu::kMaxShared;
  p->warpSize = 32;
  p->multiProcessorCount = 1;
  p->l2CacheSize = 1 << 20;
  p->major = 9;
  p->minor = 0;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp p;
  if (const cudaError_t error = cudaGetDeviceProperties(&p, device)) return error;
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = p.multiProcessorCount;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = p.major;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = p.minor;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = (int)p.sharedMemPerBlockOptin;
      return cudaSuccess;
    default:
      return done(cudaErrorInvalidValue);
  }
}
cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  Guard guard(emu::g_lock);
  size_t used = 0;
  for (const auto& [address, allocation] : emu::g_allocations) used += allocation.capacity;
  *total_bytes = emu::kArenaBytes - emu::kSharedZone;
  *free_bytes = *total_bytes - used;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  Guard guard(emu::g_lock);
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  *pointer = emu::device_allocate(bytes);
  return done(*pointer ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaFree(void* pointer) {
  Guard guard(emu::g_lock);
  return done(!pointer || emu::device_free(pointer) ? cudaSuccess : cudaErrorInvalidValue);
}
cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t stream) {
  if (!stream || !stream->capture || bytes == 0) return cudaMalloc(pointer, bytes);
  *pointer = emu::record_allocation(stream, bytes);
  return done(*pointer ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  if (!stream || !stream->capture || !pointer) return cudaFree(pointer);
  return done(emu::record_free(stream, pointer) ? cudaSuccess : cudaErrorInvalidValue);
}
cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  *pointer = malloc(bytes);
  return done(*pointer || bytes == 0 ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeHost(void* pointer) {
  free(pointer);
  return cudaSuccess;
}
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
  *pool = &g_pool;
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return cudaSuccess; }

cudaError_t cudaMemcpy(void* target, const void* source, size_t bytes, cudaMemcpyKind) {
  Guard guard(emu::g_lock);
  if (bytes == 0) return cudaSuccess;
  if (!emu::range_ok(target, bytes) || !emu::range_ok(source, bytes)) {
    return done(cudaErrorInvalidValue);
  }
  memmove(target, source, bytes);
  uintptr_t to, from;
  if (emu::g_checking && emu::g_arena && emu::in_arena(target, to)) {
    if (emu::in_arena(source, from)) {
      emu::shadow_copy(to, from, bytes);
    } else {
      emu::shadow_set(to, bytes, false, true);
    }
  }
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* target, const void* source, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const auto node = [=] { return cudaMemcpy(target, source, bytes, kind); };
  return emu::record(stream, node) ? cudaSuccess : node();
}
cudaError_t cudaMemset(void* target, int value, size_t bytes) {
  Guard guard(emu::g_lock);
  if (bytes == 0) return cudaSuccess;
  if (!emu::range_ok(target, bytes)) return done(cudaErrorInvalidValue);
  memset(target, value, bytes);
  uintptr_t to;
  if (emu::g_checking && emu::in_arena(target, to)) emu::shadow_set(to, bytes, false, true);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* target, int value, size_t bytes, cudaStream_t stream) {
  const auto node = [=] { return cudaMemset(target, value, bytes); };
  return emu::record(stream, node) ? cudaSuccess : node();
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new CUstream_st();
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) { return emu::refuse_in_capture(stream); }
cudaError_t cudaStreamQuery(cudaStream_t stream) { return emu::refuse_in_capture(stream); }
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t, unsigned) {
  return emu::refuse_in_capture(stream);
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st();
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
// CUDA records events of a capture as dependencies; graphs of one stream have no use for them.
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t error = emu::refuse_in_capture(stream)) return error;
  event->when = std::chrono::steady_clock::now();
  event->recorded = true;
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventQuery(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  if (!start->recorded || !end->recorded) return done(cudaErrorInvalidResourceHandle);
  *milliseconds = std::chrono::duration<float, std::milli>(end->when - start->when).count();
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = t_last_error;
  t_last_error = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() { return t_last_error; }
const char* cudaGetErrorName(cudaError_t error) { return base_string(error); }
// For a launch's error the emulator's report, else CUDA's words.
const char* cudaGetErrorString(cudaError_t error) {
  const char* report = emu::last_report();
  return error != cudaSuccess && *report ? report : base_string(error);
}
}
