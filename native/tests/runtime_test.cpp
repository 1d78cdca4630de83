// Devices, memory, streams, events, refusals.
#include "abi.h"

int main() {
  Checks checks("runtime");
  checks.that(gs_abi_version() == GS_ABI_VERSION, "ABI version");
  refused(checks, gs_device_count(nullptr), GS_INVALID_ARGUMENT, "count must not be null");
  int32_t count = -1;
  checks.that(gs_device_count(&count) == GS_OK && count >= 0, "device_count");
  if (count == 0) {
    checks.that(std::string(gs_last_error()).find("no device: ") == 0, "says why there is none");
    printf("%s\n", gs_last_error());
    void* p = &count;
    checks.that(gs_malloc(&p, 16, nullptr) > 0 && p == nullptr, "malloc without a device");
    return checks.failed() ? checks.finish() : 77;
  }
  gs_device_properties properties;
  checks.that(gs_device_get_properties(0, &properties) == GS_OK, gs_last_error());
  checks.that(properties.name[0] && properties.memory_bytes > 0 && properties.warp_threads == 32 &&
                  properties.capability_major >= 8,
              "properties");
  checks.that(gs_device_get_properties(count, &properties) > 0, "device that does not exist");
  checks.that(gs_device_set(count) > 0 && gs_device_set(0) == GS_OK, "device_set");
  int32_t current = -1;
  checks.that(gs_device_get(&current) == GS_OK && current == 0, "device_get");
  printf("%s: %s\n", gs_backend(), properties.name);

  void* p = nullptr;
  refused(checks, gs_malloc(nullptr, 1, nullptr), GS_INVALID_ARGUMENT, "pointer must not be null");
  refused(checks, gs_malloc(&p, -1, nullptr), GS_INVALID_ARGUMENT, "bytes=-1");
  checks.that(gs_malloc(&p, 0, nullptr) == GS_OK && p == nullptr, "malloc of nothing");
  checks.that(gs_malloc(&p, int64_t(1) << 50, nullptr) > 0 && p == nullptr, "malloc of too much");
  checks.that(gs_free(nullptr, nullptr) == GS_OK, "free of null");
  int64_t unused = 0, total = 0;
  checks.that(gs_memory_info(&unused, &total) == GS_OK && 0 < unused && unused <= total, "info");
  checks.that(gs_memory_trim(0) == GS_OK, "trim");

  gs_stream stream = nullptr;
  checks.that(gs_stream_create(&stream) == GS_OK && stream, gs_last_error());
  gs_event start, end, untimed;
  checks.that(gs_event_create(&start, 1) == GS_OK && gs_event_create(&end, 1) == GS_OK &&
                  gs_event_create(&untimed, 0) == GS_OK,
              "event_create");
  const int64_t n = 100003;
  void *device, *other, *pinned;
  checks.that(gs_malloc(&device, n, stream) == GS_OK && gs_malloc(&other, n, stream) == GS_OK &&
                  gs_host_malloc(&pinned, n) == GS_OK,
              "allocation");
  auto* bytes = static_cast<unsigned char*>(pinned);
  for (int64_t i = 0; i < n; i++) bytes[i] = static_cast<unsigned char>(i * 7);
  bool enqueued = gs_event_record(start, stream) == GS_OK &&
                  gs_copy_to_device(device, pinned, n, stream) == GS_OK &&
                  gs_memset(static_cast<char*>(device) + 5, 0x1ff, 7, stream) == GS_OK &&
                  gs_copy_on_device(other, device, n, stream) == GS_OK &&
                  gs_event_record(untimed, stream) == GS_OK &&
                  gs_stream_wait(nullptr, untimed) == GS_OK &&
                  gs_copy_to_host(pinned, other, n, stream) == GS_OK &&
                  gs_event_record(end, stream) == GS_OK && gs_stream_synchronize(stream) == GS_OK;
  checks.that(enqueued, gs_last_error());
  for (int64_t i = 0; i < n; i++) {
    const int want = i >= 5 && i < 12 ? 0xff : static_cast<unsigned char>(i * 7);
    if (!checks.close(bytes[i], want, 0, "byte " + std::to_string(i))) break;
  }
  float milliseconds = -1;
  checks.that(gs_event_elapsed(&milliseconds, start, end) == GS_OK && milliseconds >= 0, "elapsed");
  checks.that(gs_stream_query(stream) == GS_OK && gs_event_query(end) == GS_OK &&
                  gs_event_synchronize(end) == GS_OK && gs_device_synchronize() == GS_OK,
              "queries");
  refused(checks, gs_copy_to_device(device, pinned, -1, stream), GS_INVALID_ARGUMENT, "bytes=-1");
  refused(checks, gs_copy_to_device(nullptr, pinned, 1, stream), GS_INVALID_ARGUMENT, "null");
  refused(checks, gs_memset(nullptr, 0, 1, stream), GS_INVALID_ARGUMENT, "null");
  refused(checks, gs_event_record(nullptr, stream), GS_INVALID_ARGUMENT, "null");
  checks.that(gs_copy_to_host(nullptr, nullptr, 0, stream) == GS_OK, "copy of nothing");
  checks.that(gs_free(device, stream) == GS_OK && gs_free(other, stream) == GS_OK &&
                  gs_host_free(pinned) == GS_OK && gs_event_destroy(start) == GS_OK &&
                  gs_event_destroy(end) == GS_OK && gs_event_destroy(untimed) == GS_OK &&
                  gs_stream_destroy(stream) == GS_OK,
              gs_last_error());
  return checks.finish();
}
