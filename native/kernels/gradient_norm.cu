// The norm of all gradients together, clipping by it, and what a step's control block takes from
// it.
//
// | kernel | does |
// |---|---|
// | gradient_squares_kernel<T> | a block sums the squares of one chunk of one array |
// | gradient_norm_kernel | one block adds the chunks in order; norm, factor, control block |
// | gradient_scale_kernel<T> | multiplies all gradients by the factor |
// | step_advance_kernel | one thread: the control block of the next step |
//
// Nothing here needs the host between its launches, so a graph can replay them.
#include <cmath>

#include "chunks.h"
#include "reduce.h"

namespace gs {
namespace {
constexpr int kMaxArrays = 160;
constexpr int64_t kChunk = 16384;  // elements

template <class T>
struct Table {
  int count;
  int end[kMaxArrays];  // chunks up to and including each array
  T* data[kMaxArrays];
  int64_t size[kMaxArrays];
};
static_assert(sizeof(Table<double>) <= 4000, "limit of kernel arguments");

template <class T>
struct Chunk {
  T* data;
  int count, packs;  // elements; 16-byte vectors of them at the begin
};
template <class T>
KX_DEVICE Chunk<T> chunk_of_block(const Table<T>& table) {
  const int array = array_of_block(table.end, table.count);
  const int64_t base = ((int)blockIdx.x - (array > 0 ? table.end[array - 1] : 0)) * kChunk;
  T* data = table.data[array] + base;
  const int count = (int)min(table.size[array] - base, kChunk);
  const bool vectors = reinterpret_cast<uintptr_t>(data) % 16 == 0;
  return {data, count, vectors ? count / Pack<T>::kSize : 0};
}

template <class T>
__global__ __launch_bounds__(kGroupThreads,
                             1) void gradient_squares_kernel(const __grid_constant__ Table<T> table,
                                                             double* partial) {
  KX_SHARED(scratch, double[kGroupThreads / 32]);
  constexpr int V = Pack<T>::kSize;
  const Chunk<T> chunk = chunk_of_block(table);
  double sum = 0;
  for (int i = threadIdx.x; i < chunk.packs; i += kGroupThreads) {
    const Pack<T> e = reinterpret_cast<const Pack<T>*>(chunk.data)[i];
#pragma unroll
    for (int v = 0; v < V; v++) sum += (double)e.v[v] * (double)e.v[v];
  }
  for (int i = chunk.packs * V + threadIdx.x; i < chunk.count; i += kGroupThreads) {
    sum += (double)chunk.data[i] * (double)chunk.data[i];
  }
  sum = group_sum<kGroupThreads>(sum, scratch);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// 1 for an infinite limit; NaN for a NaN.
KX_DEVICE double clip_factor(double norm, double max_norm) {
  const double f = max_norm / (norm + 1e-6);
  return max_norm == -minus_infinity<double>() || f >= 1 ? 1 : f;
}

// norm, factor: null, or where they go. control: null, or takes skip, norm and grad_scale.
__global__ __launch_bounds__(kGroupThreads,
                             1) void gradient_norm_kernel(const double* partial, int64_t parts,
                                                          double max_norm, double* norm,
                                                          double* factor,
                                                          gs_step_control* control) {
  KX_SHARED(scratch, double[kGroupThreads / 32]);
  double sum = 0;
  for (int64_t i = threadIdx.x; i < parts; i += kGroupThreads) sum += partial[i];
  sum = group_sum<kGroupThreads>(sum, scratch);
  if (threadIdx.x != 0) return;
  const double length = sqrt(sum);
  if (norm) *norm = length;
  if (factor) *factor = clip_factor(length, max_norm);
  if (control) {
    const double unscaled = length / control->loss_scale;
    control->norm = unscaled;
    control->grad_scale = clip_factor(unscaled, max_norm) / control->loss_scale;
    control->skip = !(unscaled < -minus_infinity<double>());
  }
}

template <class T>
__global__ __launch_bounds__(kGroupThreads,
                             1) void gradient_scale_kernel(const __grid_constant__ Table<T> table,
                                                           const double* factor) {
  constexpr int V = Pack<T>::kSize;
  const double f = *factor;
  if (f == 1) return;
  const Chunk<T> chunk = chunk_of_block(table);
  for (int i = threadIdx.x; i < chunk.packs; i += kGroupThreads) {
    Pack<T> e = reinterpret_cast<Pack<T>*>(chunk.data)[i];
#pragma unroll
    for (int v = 0; v < V; v++) e.v[v] = (T)((double)e.v[v] * f);
    reinterpret_cast<Pack<T>*>(chunk.data)[i] = e;
  }
  for (int i = chunk.packs * V + threadIdx.x; i < chunk.count; i += kGroupThreads) {
    chunk.data[i] = (T)((double)chunk.data[i] * f);
  }
}

__global__ void step_advance_kernel(gs_step_control* control, double growth, double backoff,
                                    int64_t interval) {
  if (threadIdx.x != 0) return;
  if (control->skip) {
    control->loss_scale *= backoff;
    control->streak = 0;
  } else {
    control->step++;
    control->streak++;
    if (interval > 0 && control->streak >= interval) {
      const double larger = control->loss_scale * growth;
      if (larger < -minus_infinity<double>()) control->loss_scale = larger;
      control->streak = 0;
    }
  }
  control->skip = 0;
}

// ---- launchers ----
int64_t chunks_of(const gs_array& a) { return (a.count + kChunk - 1) / kChunk; }

gs_status check_arrays(const char* op, const gs_array* arrays, int64_t count, int64_t* parts) {
  GS_REQUIRE(count >= 0 && (count == 0 || arrays),
             "%s: gradients must not be null, their number not negative; count=%lld", op,
             (long long)count);
  *parts = 0;
  for (int64_t i = 0; i < count; i++) {
    GS_REQUIRE(arrays[i].count >= 0 && arrays[i].count <= INT32_MAX * kChunk,
               "%s: gradient %lld must have 0 to 2^45 elements; count=%lld", op, (long long)i,
               (long long)arrays[i].count);
    *parts += chunks_of(arrays[i]);
  }
  return GS_OK;
}

gs_status check_operands(const char* op, int32_t type, double max_norm, const gs_array* arrays,
                         int64_t count, const void* workspace) {
  GS_REQUIRE(type == GS_F32 || type == GS_F64, "%s: type must be f32 or f64; type=%d", op, type);
  GS_REQUIRE(max_norm >= 0, "%s: max_norm must not be negative; max_norm=%g", op, max_norm);
  for (int64_t i = 0; i < count; i++) {
    GS_REQUIRE(arrays[i].data || arrays[i].count == 0, "%s: gradient %lld must not be null", op,
               (long long)i);
  }
  GS_REQUIRE(workspace, "%s: workspace must not be null", op);
  return GS_OK;
}

// Calls launch(table, chunks, chunks before) for as many arrays at a time as one launch takes.
template <class T, class F>
cudaError_t for_tables(const gs_array* arrays, int64_t count, F launch) {
  Table<T> table{};
  int64_t chunks = 0, before = 0;
  cudaError_t error = cudaSuccess;
  const auto flush = [&] {
    if (error == cudaSuccess && table.count > 0) error = launch(table, chunks, before);
    before += chunks;
    chunks = table.count = 0;
  };
  for (int64_t i = 0; i < count; i++) {
    if (arrays[i].count == 0) continue;
    const int64_t own = chunks_of(arrays[i]);
    if (table.count == kMaxArrays || chunks + own > INT32_MAX) flush();
    chunks += own;
    table.data[table.count] = static_cast<T*>(arrays[i].data);
    table.size[table.count] = arrays[i].count;
    table.end[table.count++] = (int)chunks;
  }
  flush();
  return error;
}

kx::launch_config blocks(int64_t count, gs_stream stream) {
  return {dim3((unsigned)count), dim3(kGroupThreads), 0, stream_of(stream)};
}

// Workspace: the factor, then the chunks' sums.
constexpr int64_t kHead = 2;

template <class T>
cudaError_t measure(double max_norm, const gs_array* arrays, int64_t count, int64_t parts,
                    double* norm, gs_step_control* control, double* workspace, gs_stream stream) {
  double* partial = workspace + kHead;
  const cudaError_t error =
      for_tables<T>(arrays, count, [&](const Table<T>& table, int64_t chunks, int64_t before) {
        return KX_LAUNCH(gradient_squares_kernel<T>, blocks(chunks, stream), table,
                         partial + before);
      });
  if (error != cudaSuccess) return error;
  return KX_LAUNCH(gradient_norm_kernel, blocks(1, stream), static_cast<const double*>(partial),
                   parts, max_norm, norm, workspace, control);
}

template <class T>
cudaError_t clip(double max_norm, const gs_array* arrays, int64_t count, int64_t parts,
                 double* norm, double* workspace, gs_stream stream) {
  const cudaError_t error =
      measure<T>(max_norm, arrays, count, parts, norm, nullptr, workspace, stream);
  if (error != cudaSuccess || std::isinf(max_norm)) return error;
  return for_tables<T>(arrays, count, [&](const Table<T>& table, int64_t chunks, int64_t) {
    return KX_LAUNCH(gradient_scale_kernel<T>, blocks(chunks, stream), table,
                     static_cast<const double*>(workspace));
  });
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_clip_workspace(const gs_array* gradients, int64_t count, int64_t* bytes) {
  int64_t parts;
  if (const gs_status s = gs::check_arrays("norm", gradients, count, &parts)) return s;
  GS_REQUIRE(bytes, "norm: bytes must not be null");
  *bytes = ((gs::kHead + parts) * 8 + 255) / 256 * 256;
  return GS_OK;
}

extern "C" gs_status gs_clip_norm(int32_t type, double max_norm, const gs_array* gradients,
                                  int64_t count, double* norm, void* workspace, gs_stream stream) {
  int64_t parts;
  if (const gs_status s = gs::check_arrays("clip_norm", gradients, count, &parts)) return s;
  if (const gs_status s =
          gs::check_operands("clip_norm", type, max_norm, gradients, count, workspace)) {
    return s;
  }
  double* work = static_cast<double*>(workspace);
  return gs::check(type == GS_F32
                       ? gs::clip<float>(max_norm, gradients, count, parts, norm, work, stream)
                       : gs::clip<double>(max_norm, gradients, count, parts, norm, work, stream),
                   "clip_norm");
}

extern "C" gs_status gs_step_measure(int32_t type, double max_norm, const gs_array* gradients,
                                     int64_t count, gs_step_control* control, void* workspace,
                                     gs_stream stream) {
  int64_t parts;
  if (const gs_status s = gs::check_arrays("step_measure", gradients, count, &parts)) return s;
  if (const gs_status s =
          gs::check_operands("step_measure", type, max_norm, gradients, count, workspace)) {
    return s;
  }
  GS_REQUIRE(control, "step_measure: control must not be null");
  double* work = static_cast<double*>(workspace);
  return gs::check(
      type == GS_F32
          ? gs::measure<float>(max_norm, gradients, count, parts, nullptr, control, work, stream)
          : gs::measure<double>(max_norm, gradients, count, parts, nullptr, control, work, stream),
      "step_measure");
}

extern "C" gs_status gs_step_advance(gs_step_control* control, double growth, double backoff,
                                     int64_t interval, gs_stream stream) {
  GS_REQUIRE(control, "step_advance: control must not be null");
  GS_REQUIRE(growth >= 1 && backoff > 0 && backoff <= 1 && interval >= 0,
             "step_advance: growth must be at least 1, backoff in (0, 1], interval not negative; "
             "growth=%g, backoff=%g, interval=%lld",
             growth, backoff, (long long)interval);
  const kx::launch_config config{dim3(1), dim3(32), 0, gs::stream_of(stream)};
  return gs::check(KX_LAUNCH(gs::step_advance_kernel, config, control, growth, backoff, interval),
                   "step_advance");
}
