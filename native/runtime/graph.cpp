// Graphs: work of a stream, recorded and run again.
#include <new>

#include "status.h"

namespace {
struct Graph {
  cudaGraphExec_t executable = nullptr;
  int64_t size = 0;
};

gs_status instantiate(cudaGraph_t recorded, gs_graph* graph) {
  size_t size = 0;
  if (const gs_status status =
          gs::check(cudaGraphGetNodes(recorded, nullptr, &size), "graph_end")) {
    return status;
  }
  cudaGraphExec_t executable = nullptr;
  if (const gs_status status =
          gs::check(cudaGraphInstantiate(&executable, recorded, 0), "graph_end")) {
    return status;
  }
  auto* made = new (std::nothrow) Graph{executable, static_cast<int64_t>(size)};
  if (!made) {
    cudaGraphExecDestroy(executable);
    return gs::check(cudaErrorMemoryAllocation, "graph_end");
  }
  *graph = made;
  return GS_OK;
}
}  // namespace

extern "C" {
// Relaxed: a host thread may allocate while it records (a pool that grows makes calls that the
// other modes forbid to it); what can't be recorded fails in every mode.
gs_status gs_graph_begin(gs_stream stream) {
  GS_REQUIRE(stream, "graph_begin: stream must not be the default one");
  return gs::check(cudaStreamBeginCapture(gs::stream_of(stream), cudaStreamCaptureModeRelaxed),
                   "graph_begin");
}

gs_status gs_graph_end(gs_stream stream, gs_graph* graph) {
  if (graph) *graph = nullptr;
  GS_REQUIRE(stream, "graph_end: stream must not be the default one");
  cudaGraph_t recorded = nullptr;
  gs_status status = gs::check(cudaStreamEndCapture(gs::stream_of(stream), &recorded), "graph_end");
  if (status == GS_OK && graph) status = instantiate(recorded, graph);
  if (recorded) cudaGraphDestroy(recorded);
  return status;
}

gs_status gs_graph_size(gs_graph graph, int64_t* count) {
  GS_REQUIRE(graph && count, "graph_size: graph and count must not be null");
  *count = static_cast<const Graph*>(graph)->size;
  return GS_OK;
}

gs_status gs_graph_launch(gs_graph graph, gs_stream stream) {
  GS_REQUIRE(graph, "graph_launch: graph must not be null");
  return gs::check(
      cudaGraphLaunch(static_cast<const Graph*>(graph)->executable, gs::stream_of(stream)),
      "graph_launch");
}

gs_status gs_graph_destroy(gs_graph graph) {
  if (!graph) return GS_OK;
  auto* made = static_cast<Graph*>(graph);
  const gs_status status = gs::check(cudaGraphExecDestroy(made->executable), "graph_destroy");
  delete made;
  return status;
}
}
