#include "status.h"

#include <cstdarg>
#include <cstdio>

namespace {
// No allocation: a message must be possible when memory is short.
thread_local char t_message[2048];
}  // namespace

namespace gs {
gs_status fail(gs_status status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(t_message, sizeof t_message, format, arguments);
  va_end(arguments);
  return status;
}

gs_status check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return GS_OK;
  const gs_status status =
      fail(static_cast<gs_status>(error), "%s: %s", what, cudaGetErrorString(error));
  cudaGetLastError();  // or an unrelated later launch would be blamed for it
  return status;
}
}  // namespace gs

extern "C" const char* gs_last_error(void) { return t_message; }
