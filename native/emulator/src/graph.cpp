// Graphs: the launches, copies and fills of one stream, recorded with their arguments.
#include "graph.h"

#include <algorithm>
#include <cstring>

// Memory that the graph allocates has its addresses for the life of the graph.
struct CUgraph_st {
  std::vector<emu::Node> nodes;
  std::vector<void*> allocated, freed;
  int references = 1;
};
struct CUgraphExec_st {
  CUgraph_st* graph;
};

namespace {
using Guard = std::lock_guard<std::recursive_mutex>;

void release(CUgraph_st* graph) {
  if (--graph->references > 0) return;
  for (void* p : graph->allocated) emu::device_free(p);
  delete graph;
}
}  // namespace

namespace emu {
bool record(cudaStream_t stream, Node node) {
  Guard guard(g_lock);
  if (!stream || !stream->capture) return false;
  stream->capture->nodes.push_back(std::move(node));
  return true;
}

cudaError_t refuse_in_capture(cudaStream_t stream) {
  Guard guard(g_lock);
  if (!stream || !stream->capture) return cudaSuccess;
  stream->invalidated = true;
  return done(cudaErrorStreamCaptureUnsupported);
}

void* record_allocation(cudaStream_t stream, size_t bytes) {
  Guard guard(g_lock);
  void* p = device_allocate(bytes);
  if (!p) return nullptr;
  CUgraph_st* graph = stream->capture;
  graph->allocated.push_back(p);
  // Each run finds the memory as a fresh allocation: with nothing of the run before.
  graph->nodes.push_back([p, bytes] {
    memset(p, 0xff, bytes);
    if (g_checking) shadow_set(arena_offset(p), bytes, true, false);
    return cudaSuccess;
  });
  return p;
}

bool record_free(cudaStream_t stream, void* pointer) {
  Guard guard(g_lock);
  CUgraph_st* graph = stream->capture;
  const auto has = [pointer](const std::vector<void*>& list) {
    return std::find(list.begin(), list.end(), pointer) != list.end();
  };
  if (!has(graph->allocated) || has(graph->freed)) return false;
  graph->freed.push_back(pointer);
  graph->nodes.push_back([] { return cudaSuccess; });
  return true;
}

cudaError_t enqueue(const Launch& launch, const char* name, void (*thunk)(void*), void* args,
                    CopyArgs copy) {
  if (launch.stream && launch.stream->capture) {
    record(launch.stream, [launch, name, thunk, kept = copy(args)] {
      return run_grid(launch, name, thunk, kept.get());
    });
    return cudaSuccess;
  }
  return run_grid(launch, name, thunk, args);
}
}  // namespace emu

extern "C" {
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  Guard guard(emu::g_lock);
  if (!stream) return emu::done(cudaErrorStreamCaptureUnsupported);
  if (stream->capture) return emu::done(cudaErrorIllegalState);
  stream->capture = new CUgraph_st();
  stream->invalidated = false;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  Guard guard(emu::g_lock);
  *graph = nullptr;
  if (!stream || !stream->capture) return emu::done(cudaErrorIllegalState);
  CUgraph_st* recorded = stream->capture;
  stream->capture = nullptr;
  if (stream->invalidated) {
    release(recorded);
    return emu::done(cudaErrorStreamCaptureInvalidated);
  }
  *graph = recorded;
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  if (nodes) return emu::done(cudaErrorNotSupported);
  *count = graph->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  Guard guard(emu::g_lock);
  release(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  Guard guard(emu::g_lock);
  *executable = nullptr;
  // A graph that leaves memory allocated could run only once.
  if (graph->freed.size() != graph->allocated.size()) return emu::done(cudaErrorInvalidValue);
  graph->references++;
  *executable = new CUgraphExec_st{graph};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  Guard guard(emu::g_lock);
  if (const cudaError_t error = emu::refuse_in_capture(stream)) return error;
  for (const emu::Node& node : executable->graph->nodes) {
    if (const cudaError_t error = node()) return error;
  }
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  Guard guard(emu::g_lock);
  release(executable->graph);
  delete executable;
  return cudaSuccess;
}
}
