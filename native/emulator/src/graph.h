// Streams, and the graphs that they record.
#pragma once
#include <functional>
#include <vector>

#include "internal.h"

struct CUstream_st {
  CUgraph_st* capture = nullptr;  // what its work is recorded in
  bool invalidated = false;       // by a call that a graph can't hold
};

namespace emu {
using Node = std::function<cudaError_t()>;

// Whether the stream records a graph; then the node is added to it.
bool record(cudaStream_t stream, Node node);
// For calls that can't be recorded: an error where the stream records, which ends that graph too.
cudaError_t refuse_in_capture(cudaStream_t stream);
// Memory for the graph that the stream records; null for none.
void* record_allocation(cudaStream_t stream, size_t bytes);
bool record_free(cudaStream_t stream, void* pointer);
// The thread's last error; clears the report of a launch, which is no longer the last one.
cudaError_t done(cudaError_t error);
}  // namespace emu
