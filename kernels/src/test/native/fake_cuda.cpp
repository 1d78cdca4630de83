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
}
