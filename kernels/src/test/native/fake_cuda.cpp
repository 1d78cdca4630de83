// A library of gridstride.h without a GPU, for tests of what Java makes of broken ones. Its device
// memory is the heap; its faults come when a test asks for them. What is not here is a function
// that does nothing (see FakeLibrary).
#include <stdlib.h>
#include <string.h>

#include "gridstride.h"

#ifndef FAKE_ABI
#define FAKE_ABI GS_ABI_VERSION
#endif
#ifndef FAKE_BACKEND
#define FAKE_BACKEND "cuda"
#endif
#ifndef FAKE_DEVICES
#define FAKE_DEVICES 1
#endif
#ifndef FAKE_CAPABILITY
#define FAKE_CAPABILITY 90
#endif

namespace {
constexpr gs_status kIllegalAddress = 700;
// Set by a launch that "runs into" the fault; from then on every call says so, as CUDA does.
bool g_poisoned = false;
gs_status status() { return g_poisoned ? kIllegalAddress : GS_OK; }
}  // namespace

extern "C" {
int32_t gs_abi_version(void) { return FAKE_ABI; }
const char* gs_backend(void) { return FAKE_BACKEND; }
const char* gs_last_error(void) {
  return g_poisoned
             ? "an illegal memory access was encountered"
             : "no device: the driver is too old: it is for CUDA 12.2, this library for 13.0";
}
gs_status gs_device_count(int32_t* count) {
  *count = FAKE_DEVICES;
  return GS_OK;
}
gs_status gs_device_get_properties(int32_t, gs_device_properties* p) {
  memset(p, 0, sizeof *p);
  strcpy(p->name, "Fake GPU");
  p->memory_bytes = int64_t{80} << 30;
  p->capability_major = FAKE_CAPABILITY / 10;
  p->capability_minor = FAKE_CAPABILITY % 10;
  p->driver_version = 13000;
  return GS_OK;
}
gs_status gs_malloc(void** pointer, int64_t bytes, gs_stream) {
  *pointer = g_poisoned ? nullptr : aligned_alloc(256, (size_t(bytes) + 256) & ~size_t(255));
  return status();
}
gs_status gs_free(void* pointer, gs_stream) {
  free(pointer);
  return status();
}
gs_status gs_host_malloc(void** pointer, int64_t bytes) {
  *pointer = malloc(size_t(bytes));
  return status();
}
gs_status gs_host_free(void* pointer) {
  free(pointer);
  return status();
}
gs_status gs_stream_synchronize(gs_stream) { return status(); }
// Asynchronous: the launch is fine, its fault shows at a later call.
gs_status gs_unary_forward(int32_t, int32_t, int64_t, double, double, const void*, void*,
                           gs_stream) {
  const gs_status now = status();
  g_poisoned = true;
  return now;
}

// One module with one kernel, scale(float* x, float a, int n), which the launch computes.
gs_status gs_module_load(gs_module* module, const void* image, int64_t bytes) {
  // PTX comes with its zero byte
  const bool whole = static_cast<const char*>(image)[bytes - 1] == 0;
  *module = whole ? strdup(static_cast<const char*>(image)) : nullptr;
  return whole ? GS_OK : GS_INVALID_ARGUMENT;
}
gs_status gs_module_unload(gs_module module) {
  free(module);
  return GS_OK;
}
gs_status gs_module_function(gs_function* function, gs_module module, const char* name) {
  const bool known = strcmp(name, "scale") == 0;
  *function = known ? module : nullptr;
  return known ? GS_OK : GS_INVALID_ARGUMENT;
}
gs_status gs_function_parameters(gs_function, int64_t* sizes, int32_t capacity, int32_t* count) {
  const int64_t bytes[] = {8, 4, 4};
  *count = 3;
  for (int32_t i = 0; i < 3 && i < capacity; i++) sizes[i] = bytes[i];
  return GS_OK;
}
gs_status gs_function_launch(gs_function, const uint32_t* grid, const uint32_t* block,
                             int64_t shared_bytes, void** arguments, gs_stream) {
  float* x;
  float a;
  int n;
  memcpy(&x, arguments[0], sizeof x);
  memcpy(&a, arguments[1], sizeof a);
  memcpy(&n, arguments[2], sizeof n);
  const uint64_t threads = uint64_t{grid[0]} * grid[1] * grid[2] * block[0] * block[1] * block[2];
  if (threads < static_cast<uint64_t>(n) || shared_bytes != 64) return GS_INVALID_ARGUMENT;
  for (int i = 0; i < n; i++) x[i] *= a;
  return GS_OK;
}
}
