// Device and page-locked memory, copies and fills.
#include <atomic>
#include <cstdint>

#include "status.h"

namespace {
constexpr int kMaxDevices = 64;

// The default pool hands memory back at every synchronisation unless its threshold is raised.
gs_status prepare_pool(cudaMemPool_t* pool) {
  static std::atomic<bool> prepared[kMaxDevices];
  int device = 0;
  if (const gs_status status = gs::check(cudaGetDevice(&device), "malloc")) return status;
  if (pool == nullptr && device < kMaxDevices && prepared[device].load()) return GS_OK;
  cudaMemPool_t found;
  if (const gs_status status =
          gs::check(cudaDeviceGetDefaultMemPool(&found, device), "memory pool")) {
    return status;
  }
  uint64_t threshold = UINT64_MAX;
  if (const gs_status status =
          gs::check(cudaMemPoolSetAttribute(found, cudaMemPoolAttrReleaseThreshold, &threshold),
                    "memory pool")) {
    return status;
  }
  if (device < kMaxDevices) prepared[device].store(true);
  if (pool) *pool = found;
  return GS_OK;
}

gs_status copy(const char* what, void* target, const void* source, int64_t bytes,
               cudaMemcpyKind kind, gs_stream stream) {
  GS_REQUIRE(bytes >= 0, "%s: bytes must not be negative; bytes=%lld", what, (long long)bytes);
  if (bytes == 0) return GS_OK;
  GS_REQUIRE(target && source, "%s: target and source must not be null", what);
  return gs::check(
      cudaMemcpyAsync(target, source, static_cast<size_t>(bytes), kind, gs::stream_of(stream)),
      what);
}
}  // namespace

extern "C" {
gs_status gs_malloc(void** pointer, int64_t bytes, gs_stream stream) {
  GS_REQUIRE(pointer, "malloc: pointer must not be null");
  *pointer = nullptr;
  GS_REQUIRE(bytes >= 0, "malloc: bytes must not be negative; bytes=%lld", (long long)bytes);
  if (bytes == 0) return GS_OK;
  if (const gs_status status = prepare_pool(nullptr)) return status;
  return gs::check(cudaMallocAsync(pointer, static_cast<size_t>(bytes), gs::stream_of(stream)),
                   "malloc");
}

gs_status gs_free(void* pointer, gs_stream stream) {
  if (!pointer) return GS_OK;
  return gs::check(cudaFreeAsync(pointer, gs::stream_of(stream)), "free");
}

gs_status gs_memory_trim(int64_t keep_bytes) {
  GS_REQUIRE(keep_bytes >= 0, "memory_trim: keep_bytes must not be negative; keep_bytes=%lld",
             (long long)keep_bytes);
  cudaMemPool_t pool;
  if (const gs_status status = prepare_pool(&pool)) return status;
  return gs::check(cudaMemPoolTrimTo(pool, static_cast<size_t>(keep_bytes)), "memory_trim");
}

gs_status gs_memory_info(int64_t* free_bytes, int64_t* total_bytes) {
  GS_REQUIRE(free_bytes && total_bytes, "memory_info: results must not be null");
  size_t unused = 0, total = 0;
  const gs_status status = gs::check(cudaMemGetInfo(&unused, &total), "memory_info");
  *free_bytes = static_cast<int64_t>(unused);
  *total_bytes = static_cast<int64_t>(total);
  return status;
}

gs_status gs_host_malloc(void** pointer, int64_t bytes) {
  GS_REQUIRE(pointer, "host_malloc: pointer must not be null");
  *pointer = nullptr;
  GS_REQUIRE(bytes >= 0, "host_malloc: bytes must not be negative; bytes=%lld", (long long)bytes);
  if (bytes == 0) return GS_OK;
  return gs::check(cudaMallocHost(pointer, static_cast<size_t>(bytes)), "host_malloc");
}

gs_status gs_host_free(void* pointer) {
  if (!pointer) return GS_OK;
  return gs::check(cudaFreeHost(pointer), "host_free");
}

gs_status gs_copy_to_device(void* target, const void* source, int64_t bytes, gs_stream stream) {
  return copy("copy_to_device", target, source, bytes, cudaMemcpyHostToDevice, stream);
}
gs_status gs_copy_to_host(void* target, const void* source, int64_t bytes, gs_stream stream) {
  return copy("copy_to_host", target, source, bytes, cudaMemcpyDeviceToHost, stream);
}
gs_status gs_copy_on_device(void* target, const void* source, int64_t bytes, gs_stream stream) {
  return copy("copy_on_device", target, source, bytes, cudaMemcpyDeviceToDevice, stream);
}

gs_status gs_memset(void* target, int32_t value, int64_t bytes, gs_stream stream) {
  GS_REQUIRE(bytes >= 0, "memset: bytes must not be negative; bytes=%lld", (long long)bytes);
  if (bytes == 0) return GS_OK;
  GS_REQUIRE(target, "memset: target must not be null");
  return gs::check(
      cudaMemsetAsync(target, value & 0xff, static_cast<size_t>(bytes), gs::stream_of(stream)),
      "memset");
}
}
