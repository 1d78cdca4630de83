// Streams and events.
#include "status.h"

namespace {
cudaEvent_t event_of(gs_event event) { return static_cast<cudaEvent_t>(event); }

gs_status ready(cudaError_t error, const char* what) {
  if (error != cudaErrorNotReady) return gs::check(error, what);
  cudaGetLastError();
  return gs::fail(GS_NOT_READY, "%s: not ready", what);
}
}  // namespace

extern "C" {
gs_status gs_stream_create(gs_stream* stream) {
  GS_REQUIRE(stream, "stream_create: stream must not be null");
  cudaStream_t created = nullptr;
  const gs_status status =
      gs::check(cudaStreamCreateWithFlags(&created, cudaStreamNonBlocking), "stream_create");
  *stream = created;
  return status;
}
gs_status gs_stream_destroy(gs_stream stream) {
  if (!stream) return GS_OK;
  return gs::check(cudaStreamDestroy(gs::stream_of(stream)), "stream_destroy");
}
gs_status gs_stream_synchronize(gs_stream stream) {
  return gs::check(cudaStreamSynchronize(gs::stream_of(stream)), "stream_synchronize");
}
gs_status gs_stream_query(gs_stream stream) {
  return ready(cudaStreamQuery(gs::stream_of(stream)), "stream_query");
}
gs_status gs_stream_wait(gs_stream stream, gs_event event) {
  GS_REQUIRE(event, "stream_wait: event must not be null");
  return gs::check(cudaStreamWaitEvent(gs::stream_of(stream), event_of(event), 0), "stream_wait");
}

gs_status gs_event_create(gs_event* event, int32_t timing) {
  GS_REQUIRE(event, "event_create: event must not be null");
  cudaEvent_t created = nullptr;
  const gs_status status = gs::check(
      cudaEventCreateWithFlags(&created, timing ? cudaEventDefault : cudaEventDisableTiming),
      "event_create");
  *event = created;
  return status;
}
gs_status gs_event_destroy(gs_event event) {
  if (!event) return GS_OK;
  return gs::check(cudaEventDestroy(event_of(event)), "event_destroy");
}
gs_status gs_event_record(gs_event event, gs_stream stream) {
  GS_REQUIRE(event, "event_record: event must not be null");
  return gs::check(cudaEventRecord(event_of(event), gs::stream_of(stream)), "event_record");
}
gs_status gs_event_synchronize(gs_event event) {
  GS_REQUIRE(event, "event_synchronize: event must not be null");
  return gs::check(cudaEventSynchronize(event_of(event)), "event_synchronize");
}
gs_status gs_event_query(gs_event event) {
  GS_REQUIRE(event, "event_query: event must not be null");
  return ready(cudaEventQuery(event_of(event)), "event_query");
}
gs_status gs_event_elapsed(float* milliseconds, gs_event start, gs_event end) {
  GS_REQUIRE(milliseconds && start && end, "event_elapsed: arguments must not be null");
  return gs::check(cudaEventElapsedTime(milliseconds, event_of(start), event_of(end)),
                   "event_elapsed");
}
}
