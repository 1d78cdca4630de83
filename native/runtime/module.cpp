// The user's own kernels: modules of PTX or machine code.
#include <cstring>

#include "status.h"
#ifndef GRIDSTRIDE_EMULATED
#include <cuda.h>

#include <cstdio>
#include <new>
#endif

namespace {
// ---- what an image is, before the driver, which is not told its size, reads it ----
template <class T>
T at(const unsigned char* image, int64_t offset) {
  T value;
  memcpy(&value, image + offset, sizeof value);
  return value;
}

bool inside(uint64_t offset, uint64_t size, int64_t bytes) {
  const auto all = static_cast<uint64_t>(bytes);
  return offset <= all && size <= all - offset;
}

// A 64-bit ELF file, as cubins are: its tables and sections must lie inside of it.
bool whole_elf(const unsigned char* image, int64_t bytes) {
  constexpr int64_t kHeader = 64, kSection = 64, kSegment = 56;
  constexpr uint32_t kNoBits = 8;  // SHT_NOBITS: takes no room in the file
  if (bytes < kHeader || image[4] != 2) return false;
  const auto segments = at<uint64_t>(image, 32), sections = at<uint64_t>(image, 40);
  const auto segment_count = at<uint16_t>(image, 56), section_count = at<uint16_t>(image, 60);
  if (segment_count && at<uint16_t>(image, 54) != kSegment) return false;
  if (section_count && at<uint16_t>(image, 58) != kSection) return false;
  if (!inside(segments, uint64_t{segment_count} * kSegment, bytes)) return false;
  if (!inside(sections, uint64_t{section_count} * kSection, bytes)) return false;
  for (int i = 0; i < section_count; i++) {
    const int64_t header = static_cast<int64_t>(sections) + i * kSection;
    if (at<uint32_t>(image, header + 4) == kNoBits) continue;
    if (!inside(at<uint64_t>(image, header + 24), at<uint64_t>(image, header + 32), bytes)) {
      return false;
    }
  }
  return section_count != 0;
}

// A fat binary: magic, version, size of its header, size of what follows.
bool whole_fatbin(const unsigned char* image, int64_t bytes) {
  return bytes >= 16 && at<uint16_t>(image, 6) >= 16 &&
         inside(at<uint16_t>(image, 6), at<uint64_t>(image, 8), bytes);
}

// Text of PTX: one zero byte, at the end, and the directive that every module begins with.
bool whole_ptx(const unsigned char* image, int64_t bytes) {
  return memchr(image, 0, static_cast<size_t>(bytes)) == image + bytes - 1 &&
         strstr(reinterpret_cast<const char*>(image), ".version") != nullptr;
}

gs_status check_image(const void* image, int64_t bytes) {
  GS_REQUIRE(image && bytes > 0, "module_load: image must not be empty; bytes=%lld",
             (long long)bytes);
  const auto* b = static_cast<const unsigned char*>(image);
  constexpr unsigned char kFatbin[] = {0x50, 0xed, 0x55, 0xba};
  const char* kind = "PTX text that ends with a zero byte";
  bool whole;
  if (bytes >= 4 && memcmp(b,
                           "\x7f"
                           "ELF",
                           4) == 0) {
    kind = "a whole cubin";
    whole = whole_elf(b, bytes);
  } else if (bytes >= 4 && memcmp(b, kFatbin, 4) == 0) {
    kind = "a whole fat binary";
    whole = whole_fatbin(b, bytes);
  } else {
    whole = whole_ptx(b, bytes);
  }
  GS_REQUIRE(whole, "module_load: image must be %s; bytes=%lld", kind, (long long)bytes);
  return GS_OK;
}
}  // namespace

#ifdef GRIDSTRIDE_EMULATED
namespace {
gs_status unsupported(const char* what) {
  return gs::fail(GS_UNSUPPORTED,
                  "%s: the emulator runs kernels that are compiled for the CPU, neither PTX nor "
                  "machine code of a GPU",
                  what);
}
}  // namespace

extern "C" {
gs_status gs_module_load(gs_module* module, const void* image, int64_t bytes) {
  GS_REQUIRE(module, "module_load: module must not be null");
  *module = nullptr;
  if (const gs_status status = check_image(image, bytes)) return status;
  return unsupported("module_load");
}
gs_status gs_module_unload(gs_module module) {
  return module ? unsupported("module_unload") : GS_OK;
}
gs_status gs_module_function(gs_function* function, gs_module module, const char* name) {
  GS_REQUIRE(function && module && name, "module_function: arguments must not be null");
  *function = nullptr;
  return unsupported("module_function");
}
gs_status gs_function_parameters(gs_function function, int64_t* sizes, int32_t capacity,
                                 int32_t* count) {
  GS_REQUIRE(function && count && capacity >= 0 && (sizes || capacity == 0),
             "function_parameters: function, sizes and count must not be null");
  return unsupported("function_parameters");
}
gs_status gs_function_launch(gs_function function, const uint32_t*, const uint32_t*, int64_t,
                             void**, gs_stream) {
  GS_REQUIRE(function, "function_launch: function must not be null");
  return unsupported("function_launch");
}
}
#else
namespace {
// The driver's functions: found when first needed, so that the library loads without a driver.
struct Driver {
  decltype(&cuGetErrorString) get_error_string;
  decltype(&cuModuleLoadDataEx) load;
  decltype(&cuModuleUnload) unload;
  decltype(&cuModuleGetFunction) get_function;
  decltype(&cuFuncGetParamInfo) get_parameter;
  decltype(&cuFuncSetAttribute) set_attribute;
  decltype(&cuLaunchKernel) launch;
};

template <class F>
gs_status find(F& function, const char* name, unsigned version) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result = cudaDriverEntryPointSymbolNotFound;
  if (const gs_status status = gs::check(
          cudaGetDriverEntryPointByVersion(name, &found, version, cudaEnableDefault, &result),
          "module")) {
    return status;
  }
  if (!found || result != cudaDriverEntryPointSuccess) {
    return gs::fail(GS_UNSUPPORTED, "module: the driver lacks %s of CUDA %u.%u", name,
                    version / 1000, version % 1000 / 10);
  }
  function = reinterpret_cast<F>(found);
  return GS_OK;
}

// Also makes the current device's context the thread's, as driver calls need it.
gs_status driver(const Driver** out) {
  int device = 0;
  if (const gs_status s = gs::check(cudaGetDevice(&device), "module")) return s;
  if (const gs_status s = gs::check(cudaSetDevice(device), "module")) return s;
  thread_local Driver t_driver;
  thread_local bool t_found = false;
  if (!t_found) {
    Driver& d = t_driver;
    if (const gs_status s = find(d.get_error_string, "cuGetErrorString", 6000)) return s;
    if (const gs_status s = find(d.load, "cuModuleLoadDataEx", 2010)) return s;
    if (const gs_status s = find(d.unload, "cuModuleUnload", 2000)) return s;
    if (const gs_status s = find(d.get_function, "cuModuleGetFunction", 2000)) return s;
    if (const gs_status s = find(d.get_parameter, "cuFuncGetParamInfo", 12040)) return s;
    if (const gs_status s = find(d.set_attribute, "cuFuncSetAttribute", 9000)) return s;
    if (const gs_status s = find(d.launch, "cuLaunchKernel", 4000)) return s;
    t_found = true;
  }
  *out = &t_driver;
  return GS_OK;
}

// Codes of the driver and of the runtime are the same numbers.
gs_status check(const Driver& d, CUresult result, const char* what) {
  if (result == CUDA_SUCCESS) return GS_OK;
  const char* text = nullptr;
  if (d.get_error_string(result, &text) != CUDA_SUCCESS || !text) text = "unknown error";
  return gs::fail(static_cast<gs_status>(result), "%s: %s", what, text);
}
}  // namespace

extern "C" {
gs_status gs_module_load(gs_module* module, const void* image, int64_t bytes) {
  GS_REQUIRE(module, "module_load: module must not be null");
  *module = nullptr;
  if (const gs_status status = check_image(image, bytes)) return status;
  const Driver* d = nullptr;
  if (const gs_status status = driver(&d)) return status;
  char log[1500] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
  CUmodule loaded = nullptr;
  const CUresult result = d->load(&loaded, image, 2, options, values);
  if (const gs_status status = check(*d, result, "module_load")) {
    log[sizeof log - 1] = 0;
    if (!log[0]) return status;
    const char* text = nullptr;
    if (d->get_error_string(result, &text) != CUDA_SUCCESS || !text) text = "refused";
    return gs::fail(status, "module_load: %s: %s", text, log);
  }
  *module = loaded;
  return GS_OK;
}

gs_status gs_module_unload(gs_module module) {
  if (!module) return GS_OK;
  const Driver* d = nullptr;
  if (const gs_status status = driver(&d)) return status;
  return check(*d, d->unload(static_cast<CUmodule>(module)), "module_unload");
}

gs_status gs_module_function(gs_function* function, gs_module module, const char* name) {
  GS_REQUIRE(function && module && name, "module_function: arguments must not be null");
  *function = nullptr;
  const Driver* d = nullptr;
  if (const gs_status status = driver(&d)) return status;
  CUfunction found = nullptr;
  const CUresult result = d->get_function(&found, static_cast<CUmodule>(module), name);
  GS_REQUIRE(result != CUDA_ERROR_NOT_FOUND,
             "module_function: the module has no kernel of this name; name=%.200s", name);
  *function = found;
  return check(*d, result, "module_function");
}

gs_status gs_function_parameters(gs_function function, int64_t* sizes, int32_t capacity,
                                 int32_t* count) {
  GS_REQUIRE(function && count && capacity >= 0 && (sizes || capacity == 0),
             "function_parameters: function, sizes and count must not be null");
  *count = 0;
  const Driver* d = nullptr;
  if (const gs_status status = driver(&d)) return status;
  for (int32_t i = 0;; i++) {
    size_t offset = 0, size = 0;
    const CUresult result =
        d->get_parameter(static_cast<CUfunction>(function), static_cast<size_t>(i), &offset, &size);
    if (result == CUDA_ERROR_INVALID_VALUE) {  // past the last one
      *count = i;
      return GS_OK;
    }
    if (const gs_status status = check(*d, result, "function_parameters")) return status;
    if (i < capacity) sizes[i] = static_cast<int64_t>(size);
  }
}

gs_status gs_function_launch(gs_function function, const uint32_t* grid, const uint32_t* block,
                             int64_t shared_bytes, void** arguments, gs_stream stream) {
  GS_REQUIRE(function && grid && block, "function_launch: function and sizes must not be null");
  GS_REQUIRE(shared_bytes >= 0 && shared_bytes <= INT32_MAX,
             "function_launch: shared_bytes must not be negative; shared_bytes=%lld",
             (long long)shared_bytes);
  const Driver* d = nullptr;
  if (const gs_status status = driver(&d)) return status;
  auto* f = static_cast<CUfunction>(function);
  if (shared_bytes != 0) {
    if (const gs_status status =
            check(*d,
                  d->set_attribute(f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                   static_cast<int>(shared_bytes)),
                  "function_launch")) {
      return status;
    }
  }
  return check(*d,
               d->launch(f, grid[0], grid[1], grid[2], block[0], block[1], block[2],
                         static_cast<unsigned>(shared_bytes), static_cast<CUstream>(stream),
                         arguments, nullptr),
               "function_launch");
}
}
#endif
