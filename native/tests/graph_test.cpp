// Graphs: what is recorded, that runs read present values, memory of a graph, refusals.
#include "abi.h"

namespace {
// One momentum-free SGD step on p with gradient g, by a graph of several operations.
void test_descent(Checks& checks, gs_stream stream) {
  const std::vector<float> start = {1, 2, 3, 4, 5}, gradient = {1, -1, 0.5f, 0, 2};
  const auto n = static_cast<int64_t>(start.size());
  Array<float> p(start), g(gradient), total(1);
  gs_descent step{};
  step.method = GS_SGD;
  step.type = GS_F32;
  step.step = 1;
  step.lr = 0.5;
  step.grad_scale = 1;
  gs_graph graph = nullptr;
  int64_t size = 0;
  {
    // The description and the table are the caller's and gone when the graph runs.
    const gs_parameter parameter{p.data(), g.data(), {}, n};
    void* workspace = nullptr;
    const bool recorded =
        gs_graph_begin(stream) == GS_OK && gs_malloc(&workspace, 20, stream) == GS_OK &&
        gs_copy_on_device(workspace, g.data(), 20, stream) == GS_OK &&
        gs_descent_step(&step, &parameter, 1, nullptr, stream) == GS_OK &&
        gs_memset(g.data(), 0, 4, stream) == GS_OK && gs_free(workspace, stream) == GS_OK;
    checks.that(recorded, gs_last_error());
    step.lr = 100;
  }
  checks.that(gs_graph_end(stream, &graph) == GS_OK && graph, gs_last_error());
  checks.that(gs_graph_size(graph, &size) == GS_OK && size == 5, "5 operations");
  std::vector<float> now = p.get(checks, "recorded");
  for (size_t i = 0; i < start.size(); i++) checks.close(now[i], start[i], 0, "not done yet");
  for (int run = 1; run <= 3; run++) {
    checks.that(gs_graph_launch(graph, run == 2 ? nullptr : stream) == GS_OK, gs_last_error());
    checks.that(gs_device_synchronize() == GS_OK, gs_last_error());
    now = p.get(checks, "run");
    for (size_t i = 0; i < start.size(); i++) {
      // The first run also clears g[0].
      const float steps = i == 0 ? 1 : static_cast<float>(run);
      checks.close(now[i], start[i] - 0.5f * steps * gradient[i], 0, "run " + std::to_string(run));
    }
  }
  g.set({4, 4, 4, 4, 4});
  checks.that(gs_graph_launch(graph, stream) == GS_OK && gs_device_synchronize() == GS_OK,
              gs_last_error());
  const std::vector<float> last = p.get(checks, "new gradient");
  for (size_t i = 0; i < start.size(); i++) checks.close(last[i], now[i] - 2, 0, "new gradient");
  checks.that(gs_graph_destroy(graph) == GS_OK && gs_graph_destroy(nullptr) == GS_OK, "destroy");
}

// Workspaces of a graph start undefined in every run, and don't overlap each other.
void test_memory(Checks& checks, gs_stream stream) {
  Array<int> x(std::vector<int>{7, 8, 9}), y(3);
  void *first = nullptr, *second = nullptr;
  gs_graph graph = nullptr;
  const bool recorded = gs_graph_begin(stream) == GS_OK && gs_malloc(&first, 12, stream) == GS_OK &&
                        gs_malloc(&second, 12, stream) == GS_OK &&
                        gs_copy_on_device(first, x.data(), 12, stream) == GS_OK &&
                        gs_memset(second, 0, 12, stream) == GS_OK &&
                        gs_copy_on_device(y.data(), first, 12, stream) == GS_OK &&
                        gs_free(first, stream) == GS_OK && gs_free(second, stream) == GS_OK &&
                        gs_graph_end(stream, &graph) == GS_OK;
  checks.that(recorded && first != second, gs_last_error());
  for (int run = 0; run < 2; run++) {
    x.set({run, run + 1, run + 2});
    checks.that(gs_graph_launch(graph, stream) == GS_OK && gs_stream_synchronize(stream) == GS_OK,
                gs_last_error());
    const std::vector<int> got = y.get(checks, "memory");
    for (int i = 0; i < 3; i++) checks.close(got[i], run + i, 0, "memory");
  }
  gs_graph_destroy(graph);
}

void test_refusals(Checks& checks, gs_stream stream) {
  refused(checks, gs_graph_begin(nullptr), GS_INVALID_ARGUMENT, "must not be the default one");
  refused(checks, gs_graph_end(nullptr, nullptr), GS_INVALID_ARGUMENT, "the default one");
  refused(checks, gs_graph_launch(nullptr, stream), GS_INVALID_ARGUMENT, "graph must not be null");
  refused(checks, gs_graph_size(nullptr, nullptr), GS_INVALID_ARGUMENT, "must not be null");
  gs_graph graph = &checks;
  checks.that(gs_graph_end(stream, &graph) > 0 && !graph, "end without begin");
  checks.that(gs_graph_begin(stream) == GS_OK && gs_graph_begin(stream) > 0, "begin twice");
  checks.that(gs_graph_end(stream, nullptr) == GS_OK, "dropped");

  checks.that(gs_graph_begin(stream) == GS_OK && gs_stream_synchronize(stream) > 0,
              "synchronises in a recording");
  graph = &checks;
  checks.that(gs_graph_end(stream, &graph) > 0 && !graph, "a void recording");
  checks.that(gs_stream_synchronize(stream) == GS_OK, "the stream goes on");
}
}  // namespace

int main() {
  require_device();
  Checks checks("graph");
  gs_stream stream = nullptr;
  checks.that(gs_stream_create(&stream) == GS_OK, gs_last_error());
  test_descent(checks, stream);
  test_memory(checks, stream);
  test_refusals(checks, stream);
  gs_stream_destroy(stream);
  return checks.finish();
}
