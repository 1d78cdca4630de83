// Softmax and log-softmax over one dimension, forward and backward.
//
// | kernel | for |
// |---|---|
// | softmax_{forward,backward}_rows_kernel<T, 32> | contiguous rows up to 1024: a warp a row |
// | softmax_{forward,backward}_rows_kernel<T, 256> | longer rows: a block a row |
// | softmax_{forward,backward}_columns_kernel<T> | inner > 1: a thread a position, neighbours
// coalesced |
//
// Each reads its input twice; the second time mostly from a cache.
#include <algorithm>

#include "kx/kx.h"
#include "reduce.h"
#include "status.h"

namespace gs {
namespace {
constexpr int64_t kWarpRow = 1024;

template <class T, int GROUP>
__global__ __launch_bounds__(kGroupThreads,
                             1) void softmax_forward_rows_kernel(int64_t rows, int64_t size,
                                                                 const T* x, T* y,
                                                                 bool log_form) {  // y may be x
  using W = kx::wide<T>;
  KX_SHARED(scratch, W[kGroupThreads / 32]);
  const int lane = threadIdx.x % GROUP;
  const int64_t stride = (int64_t)gridDim.x * (kGroupThreads / GROUP);
  for (int64_t row = (int64_t)blockIdx.x * (kGroupThreads / GROUP) + threadIdx.x / GROUP;
       row < rows; row += stride) {
    const T* from = x + row * size;
    T* to = y + row * size;
    OnlineSum<W> s;
    for (int64_t i = lane; i < size; i += GROUP) s.add(kx::to_float(from[i]));
    s.template combine<GROUP>(scratch);
    const W logarithm = log(s.sum), factor = W(1) / s.sum;
    for (int64_t i = lane; i < size; i += GROUP) {
      const W v = kx::to_float(from[i]) - s.max;
      to[i] = kx::from_float<T>(log_form ? v - logarithm : exp(v) * factor);
    }
  }
}

template <class T, int GROUP>
__global__ __launch_bounds__(kGroupThreads) void softmax_backward_rows_kernel(
    int64_t rows, int64_t size, const T* y, const T* dy, T* dx,
    bool log_form) {  // dx may be either
  using W = kx::wide<T>;
  KX_SHARED(scratch, W[kGroupThreads / 32]);
  const int lane = threadIdx.x % GROUP;
  const int64_t stride = (int64_t)gridDim.x * (kGroupThreads / GROUP);
  for (int64_t row = (int64_t)blockIdx.x * (kGroupThreads / GROUP) + threadIdx.x / GROUP;
       row < rows; row += stride) {
    const int64_t base = row * size;
    W dot = 0;
    for (int64_t i = base + lane; i < base + size; i += GROUP) {
      const W g = kx::to_float(dy[i]);
      dot += log_form ? g : g * (W)kx::to_float(y[i]);
    }
    dot = group_sum<GROUP>(dot, scratch);
    for (int64_t i = base + lane; i < base + size; i += GROUP) {
      const W g = kx::to_float(dy[i]), p = kx::to_float(y[i]);
      dx[i] = kx::from_float<T>(log_form ? g - exp(p) * dot : p * (g - dot));
    }
  }
}

template <class T>
__global__ __launch_bounds__(kGroupThreads,
                             1) void softmax_forward_columns_kernel(int64_t outer, int64_t size,
                                                                    int64_t inner, const T* x, T* y,
                                                                    bool log_form) {
  using W = kx::wide<T>;
  for (int64_t p = (int64_t)blockIdx.x * kGroupThreads + threadIdx.x; p < outer * inner;
       p += (int64_t)gridDim.x * kGroupThreads) {
    const int64_t base = p / inner * size * inner + p % inner;
    OnlineSum<W> s;
    for (int64_t c = 0; c < size; c++) s.add(kx::to_float(x[base + c * inner]));
    s.finish();
    const W logarithm = log(s.sum), factor = W(1) / s.sum;
    for (int64_t c = 0; c < size; c++) {
      const W v = kx::to_float(x[base + c * inner]) - s.max;
      y[base + c * inner] = kx::from_float<T>(log_form ? v - logarithm : exp(v) * factor);
    }
  }
}

template <class T>
__global__ __launch_bounds__(kGroupThreads) void softmax_backward_columns_kernel(
    int64_t outer, int64_t size, int64_t inner, const T* y, const T* dy, T* dx, bool log_form) {
  using W = kx::wide<T>;
  for (int64_t p = (int64_t)blockIdx.x * kGroupThreads + threadIdx.x; p < outer * inner;
       p += (int64_t)gridDim.x * kGroupThreads) {
    const int64_t base = p / inner * size * inner + p % inner;
    W dot = 0;
    for (int64_t c = 0; c < size; c++) {
      const W g = kx::to_float(dy[base + c * inner]);
      dot += log_form ? g : g * (W)kx::to_float(y[base + c * inner]);
    }
    for (int64_t c = 0; c < size; c++) {
      const int64_t i = base + c * inner;
      const W g = kx::to_float(dy[i]), q = kx::to_float(y[i]);
      dx[i] = kx::from_float<T>(log_form ? g - exp(q) * dot : q * (g - dot));
    }
  }
}

// ---- launchers ----
// Enough blocks to fill any device; more rows are done in turn.
unsigned blocks(int64_t wanted) { return (unsigned)std::min(wanted, (int64_t)65536); }

kx::launch_config rows_config(const gs_softmax& s, int group, gs_stream stream) {
  const int64_t rows_a_block = kGroupThreads / group;
  return {dim3(blocks((s.outer + rows_a_block - 1) / rows_a_block)), dim3(kGroupThreads), 0,
          stream_of(stream)};
}
kx::launch_config columns_config(const gs_softmax& s, gs_stream stream) {
  return {dim3(blocks((s.outer * s.inner + kGroupThreads - 1) / kGroupThreads)),
          dim3(kGroupThreads), 0, stream_of(stream)};
}

template <class T>
cudaError_t forward(const gs_softmax& s, const void* x, void* y, gs_stream stream) {
  const T* px = static_cast<const T*>(x);
  T* py = static_cast<T*>(y);
  const bool log_form = s.log != 0;
  if (s.inner > 1) {
    return KX_LAUNCH(softmax_forward_columns_kernel<T>, columns_config(s, stream), s.outer, s.size,
                     s.inner, px, py, log_form);
  }
  if (s.size <= kWarpRow) {
    return kx::launch("softmax_forward_rows_kernel", softmax_forward_rows_kernel<T, 32>,
                      rows_config(s, 32, stream), s.outer, s.size, px, py, log_form);
  }
  return kx::launch("softmax_forward_rows_kernel", softmax_forward_rows_kernel<T, kGroupThreads>,
                    rows_config(s, kGroupThreads, stream), s.outer, s.size, px, py, log_form);
}

template <class T>
cudaError_t backward(const gs_softmax& s, const void* y, const void* dy, void* dx,
                     gs_stream stream) {
  const T *py = static_cast<const T*>(y), *pdy = static_cast<const T*>(dy);
  T* pdx = static_cast<T*>(dx);
  const bool log_form = s.log != 0;
  if (s.inner > 1) {
    return KX_LAUNCH(softmax_backward_columns_kernel<T>, columns_config(s, stream), s.outer, s.size,
                     s.inner, py, pdy, pdx, log_form);
  }
  if (s.size <= kWarpRow) {
    return kx::launch("softmax_backward_rows_kernel", softmax_backward_rows_kernel<T, 32>,
                      rows_config(s, 32, stream), s.outer, s.size, py, pdy, pdx, log_form);
  }
  return kx::launch("softmax_backward_rows_kernel", softmax_backward_rows_kernel<T, kGroupThreads>,
                    rows_config(s, kGroupThreads, stream), s.outer, s.size, py, pdy, pdx, log_form);
}

gs_status check_softmax(const gs_softmax* s, bool pointers) {
  GS_REQUIRE(s, "softmax: the description must not be null");
  int64_t count;
  GS_REQUIRE(s->outer >= 0 && s->size >= 0 && s->inner >= 0 &&
                 !__builtin_mul_overflow(s->outer, s->size, &count) &&
                 !__builtin_mul_overflow(count, s->inner, &count) && count <= INT64_MAX / 16,
             "softmax: sizes must not be negative and their product addressable; outer=%lld, "
             "size=%lld, inner=%lld",
             (long long)s->outer, (long long)s->size, (long long)s->inner);
  GS_REQUIRE(s->type >= GS_F32 && s->type <= GS_F16,
             "softmax: type must be f32, f64, bf16 or f16; type=%d", s->type);
  GS_REQUIRE(count == 0 || pointers, "softmax: operands must not be null");
  return GS_OK;
}
bool empty(const gs_softmax& s) { return s.outer == 0 || s.size == 0 || s.inner == 0; }
}  // namespace
}  // namespace gs

extern "C" gs_status gs_softmax_forward(const gs_softmax* softmax, const void* x, void* y,
                                        gs_stream stream) {
  if (const gs_status status = gs::check_softmax(softmax, x && y)) return status;
  if (gs::empty(*softmax)) return GS_OK;
  switch (softmax->type) {
    case GS_F32:
      return gs::check(gs::forward<float>(*softmax, x, y, stream), "softmax_forward");
    case GS_F64:
      return gs::check(gs::forward<double>(*softmax, x, y, stream), "softmax_forward");
    case GS_BF16:
      return gs::check(gs::forward<kx::bf16>(*softmax, x, y, stream), "softmax_forward");
    default:
      return gs::check(gs::forward<kx::f16>(*softmax, x, y, stream), "softmax_forward");
  }
}

extern "C" gs_status gs_softmax_backward(const gs_softmax* softmax, const void* y, const void* dy,
                                         void* dx, gs_stream stream) {
  if (const gs_status status = gs::check_softmax(softmax, y && dy && dx)) return status;
  if (gs::empty(*softmax)) return GS_OK;
  switch (softmax->type) {
    case GS_F32:
      return gs::check(gs::backward<float>(*softmax, y, dy, dx, stream), "softmax_backward");
    case GS_F64:
      return gs::check(gs::backward<double>(*softmax, y, dy, dx, stream), "softmax_backward");
    case GS_BF16:
      return gs::check(gs::backward<kx::bf16>(*softmax, y, dy, dx, stream), "softmax_backward");
    default:
      return gs::check(gs::backward<kx::f16>(*softmax, y, dy, dx, stream), "softmax_backward");
  }
}
