// How C ABI functions answer: statuses with messages.
#pragma once
#include <cuda_runtime_api.h>

#include "gridstride.h"

namespace gs {
// Records the message of the calling thread and returns the status.
gs_status fail(gs_status status, const char* format, ...) __attribute__((format(printf, 2, 3)));

// The status of a CUDA call made for `what`; CUDA's words become the message.
gs_status check(cudaError_t error, const char* what);

inline cudaStream_t stream_of(gs_stream stream) { return static_cast<cudaStream_t>(stream); }
}  // namespace gs

// Returns GS_INVALID_ARGUMENT from the calling function unless the rule holds; the message, "op:
// rule; what was given", follows.
#define GS_REQUIRE(rule, ...)                                       \
  do {                                                              \
    if (!(rule)) return gs::fail(GS_INVALID_ARGUMENT, __VA_ARGS__); \
  } while (0)
