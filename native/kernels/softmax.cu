// Softmax and log-softmax over one dimension, forward and backward.
//
// | kernel | for |
// |---|---|
// | softmax_{forward,backward}_held_kernel<T, GROUP, PACKS> | contiguous rows up to 16 KB: in the
// registers of 8 threads, of a warp, or of a block |
// | softmax_{forward,backward}_long_kernel<T, THREADS> | longer rows: a block a row, in shared
// memory as far as they fit |
// | softmax_{forward,backward}_columns_kernel<T> | inner > 1: a thread a position, neighbours
// coalesced; it reads its input twice, the second time mostly from a cache |
#include <algorithm>

#include "kx/kx.h"
#include "rows.h"
#include "status.h"

namespace gs {
namespace {
template <class T>
KX_DEVICE kx::wide<T> backward_dot(const Words& y, const Words& dy, bool log_form) {
  using W = kx::wide<T>;
  constexpr int V = Pack<T>::kSize;
  W p[V], g[V], dot = 0;
  unpack<T>(y, p);
  unpack<T>(dy, g);
#pragma unroll
  for (int e = 0; e < V; e++) dot += log_form ? g[e] : g[e] * p[e];
  return dot;
}
template <class T>
KX_DEVICE Words backward_pack(Words y, Words dy, kx::wide<T> dot, bool log_form) {
  using W = kx::wide<T>;
  constexpr int V = Pack<T>::kSize;
  if constexpr (sizeof(T) == 2) {
#pragma unroll
    for (int i = 0; i < 4; i++) kx::opaque(y.w[i]), kx::opaque(dy.w[i]);
  }
  W p[V], g[V];
  unpack<T>(y, p);
  unpack<T>(dy, g);
#pragma unroll
  for (int e = 0; e < V; e++) {
    g[e] = log_form ? g[e] - exp_for<T>(p[e]) * dot : p[e] * (g[e] - dot);
  }
  return packed<T>(g);
}

template <class T, int GROUP, int PACKS>
__global__ __launch_bounds__(kGroupThreads,
                             1) void softmax_forward_held_kernel(int64_t rows, int64_t size,
                                                                 bool vectors, const T* x, T* y,
                                                                 bool log_form) {  // y may be x
  using W = kx::wide<T>;
  using Held = HeldRow<T, GROUP, PACKS>;
  constexpr int kRows = kGroupThreads / GROUP;
  constexpr bool kKeep = sizeof(T) >= 4;  // exponentials take the place of elements
  KX_SHARED(scratch, W[2 * kGroupThreads / 32]);
  const int lane = threadIdx.x % GROUP;
  for (int64_t first = (int64_t)blockIdx.x * kRows; first < rows;
       first += (int64_t)gridDim.x * kRows) {
    const int64_t row = first + threadIdx.x / GROUP;
    const T* from = x + row * size;
    T* to = y + row * size;
    const RowPacks<T, int> packs(from, row < rows ? size : 0, vectors);
    Held r;
    r.load(packs, from, lane, minus_infinity_of<T>());
    W own;
    const OnlineSum<W> s = r.sum(packs, kKeep && !log_form, &own, scratch);
    const W base = finite_base(own), logarithm = log(s.sum);
    const W factor = (GROUP > 32 ? exp(own - s.max) : W(1)) / s.sum;
    r.each(packs, lane, [&](W(&v)[Held::V], Words&, int k) {
#pragma unroll
      for (int e = 0; e < Held::V; e++) {
        if (log_form) {
          v[e] = v[e] - s.max - logarithm;
        } else {
          v[e] = (kKeep ? v[e] : exp_for<T>(v[e] - base)) * factor;
        }
      }
      packs.store(to, k, packed<T>(v));
    });
  }
}

template <class T, int GROUP, int PACKS>
__global__ __launch_bounds__(kGroupThreads, 1) void softmax_backward_held_kernel(
    int64_t rows, int64_t size, bool vectors, const T* y, const T* dy, T* dx,
    bool log_form) {  // dx may be either
  using W = kx::wide<T>;
  using Held = HeldRow<T, GROUP, PACKS>;
  constexpr int kRows = kGroupThreads / GROUP;
  KX_SHARED(scratch, W[kGroupThreads / 32]);
  const int lane = threadIdx.x % GROUP;
  for (int64_t first = (int64_t)blockIdx.x * kRows; first < rows;
       first += (int64_t)gridDim.x * kRows) {
    const int64_t base = (first + threadIdx.x / GROUP) * size;
    const RowPacks<T, int> packs(y + base, base < rows * size ? size : 0, vectors);
    Held p, g;
    p.load(packs, y + base, lane, kx::from_float<T>(0));
    g.load(packs, dy + base, lane, kx::from_float<T>(0));
    W dot = 0;
#pragma unroll
    for (int j = 0; j < PACKS; j++) {
      if (j * GROUP < packs.count) dot += backward_dot<T>(p.p[j], g.p[j], log_form);
    }
    dot = group_sum<GROUP>(dot, scratch);
#pragma unroll
    for (int j = 0; j < PACKS; j++) {
      if (j * GROUP < packs.count) {
        packs.store(dx + base, j * GROUP + lane, backward_pack<T>(p.p[j], g.p[j], dot, log_form));
      }
    }
  }
}

template <class T, int THREADS>
__global__ __launch_bounds__(THREADS, row_blocks<T>(THREADS)) void softmax_forward_long_kernel(
    int64_t rows, int64_t size, bool vectors, int64_t held, const T* x, T* y,
    bool log_form) {  // y may be x
  using W = kx::wide<T>;
  using Row = LongRow<T, THREADS>;
  KX_SHARED(scratch, W[2 * THREADS / 32]);
  Words* kept = kx::dynamic_shared<Words>();
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T* from = x + row * size;
    T* to = y + row * size;
    const RowPacks<T, int64_t> packs(from, size, vectors);
    const Row r{packs, held};
    const OnlineSum<W> s = r.sum(from, kept, scratch);
    const W logarithm = log(s.sum), factor = W(1) / s.sum;
    for (int64_t k = r.last(); k >= 0; k -= Row::kStep) {
      Words p[Row::kBatch];
      r.again(from, minus_infinity_of<T>(), kept, k, p);
#pragma unroll
      for (int j = 0; j < Row::kBatch; j++) {
        W v[Row::V];
        unpack<T>(p[j], v);
#pragma unroll
        for (int e = 0; e < Row::V; e++) {
          v[e] -= s.max;
          v[e] = log_form ? v[e] - logarithm : exp_for<T>(v[e]) * factor;
        }
        packs.store_streaming(to, k + j * THREADS, packed<T>(v));
      }
    }
  }
}

// held: packs of each of the two rows.
template <class T, int THREADS>
__global__ __launch_bounds__(THREADS, row_blocks<T>(THREADS)) void softmax_backward_long_kernel(
    int64_t rows, int64_t size, bool vectors, int64_t held, const T* y, const T* dy, T* dx,
    bool log_form) {  // dx may be either
  using W = kx::wide<T>;
  using Row = LongRow<T, THREADS, sizeof(T) == 4 ? 4 : 2>;  // by registers
  KX_SHARED(scratch, W[THREADS / 32]);
  Words* kept = kx::dynamic_shared<Words>();
  const T zero = kx::from_float<T>(0);
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const int64_t base = row * size;
    const RowPacks<T, int64_t> packs(y + base, size, vectors);
    const Row r{packs, held};
    W dot = 0;
    r.read(y + base, zero, kept, [&](const Words(&p)[Row::kBatch], int64_t k) {
      Words g[Row::kBatch];
#pragma unroll
      for (int j = 0; j < Row::kBatch; j++) g[j] = packs.load(dy + base, k + j * THREADS, zero);
#pragma unroll
      for (int j = 0; j < Row::kBatch; j++) {
        if (k + j * THREADS < held) kept[held + k + j * THREADS] = g[j];
        dot += backward_dot<T>(p[j], g[j], log_form);
      }
    });
    dot = group_sum<THREADS>(dot, scratch);
    for (int64_t k = r.last(); k >= 0; k -= Row::kStep) {
      Words p[Row::kBatch], g[Row::kBatch];
      r.again(y + base, zero, kept, k, p);
      r.again(dy + base, zero, kept + held, k, g);
#pragma unroll
      for (int j = 0; j < Row::kBatch; j++) {
        packs.store_streaming(dx + base, k + j * THREADS,
                              backward_pack<T>(p[j], g[j], dot, log_form));
      }
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

kx::launch_config columns_config(const gs_softmax& s, gs_stream stream) {
  return {dim3(blocks((s.outer * s.inner + kGroupThreads - 1) / kGroupThreads)),
          dim3(kGroupThreads), 0, stream_of(stream)};
}

// Calls f(group, packs of a thread), both as constants, for rows of so many packs.
template <class T, class F>
cudaError_t with_group(int64_t packs, F f) {
  using std::integral_constant;
  if constexpr (sizeof(T) < 8) {
    if (packs <= 8) return f(integral_constant<int, 8>(), integral_constant<int, 1>());
    if (packs <= 16) return f(integral_constant<int, 8>(), integral_constant<int, 2>());
    if (packs <= 64) return f(integral_constant<int, 32>(), integral_constant<int, 2>());
  }
  if (packs <= 256) return f(integral_constant<int, 32>(), integral_constant<int, 8>());
  return f(integral_constant<int, 256>(), integral_constant<int, 4>());
}
constexpr int64_t kMostHeld = 256 * 4;  // packs

template <class T>
cudaError_t forward(const gs_softmax& s, const void* x, void* y, gs_stream stream) {
  const T* px = static_cast<const T*>(x);
  T* py = static_cast<T*>(y);
  const bool log_form = s.log != 0;
  if (s.inner > 1) {
    return KX_LAUNCH(softmax_forward_columns_kernel<T>, columns_config(s, stream), s.outer, s.size,
                     s.inner, px, py, log_form);
  }
  const bool vectors = same_alignment16(px, py);
  const int64_t packs = most_packs(px, s.size, vectors);
  if (packs <= kMostHeld) {
    return with_group<T>(packs, [&](auto group, auto each) {
      constexpr int GROUP = group, PACKS = each, kRows = kGroupThreads / GROUP;
      const kx::launch_config config{dim3(blocks((s.outer + kRows - 1) / kRows)),
                                     dim3(kGroupThreads), 0, stream_of(stream)};
      return kx::launch("softmax_forward_held_kernel", softmax_forward_held_kernel<T, GROUP, PACKS>,
                        config, s.outer, s.size, vectors, px, py, log_form);
    });
  }
  const int64_t shared = long_row_shared<T>(packs * 16);
  return with_row_threads<T>(packs * 16, [&](auto threads) {
    constexpr int THREADS = threads;
    const kx::launch_config config{dim3(blocks(s.outer)), dim3(THREADS), (size_t)shared,
                                   stream_of(stream)};
    return kx::launch("softmax_forward_long_kernel", softmax_forward_long_kernel<T, THREADS>,
                      config, s.outer, s.size, vectors, shared / 16, px, py, log_form);
  });
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
  const bool vectors = same_alignment16(py, pdy) && same_alignment16(py, pdx);
  const int64_t packs = most_packs(py, s.size, vectors);
  if (packs <= kMostHeld) {
    return with_group<T>(packs, [&](auto group, auto each) {
      constexpr int GROUP = group, PACKS = each, kRows = kGroupThreads / GROUP;
      const kx::launch_config config{dim3(blocks((s.outer + kRows - 1) / kRows)),
                                     dim3(kGroupThreads), 0, stream_of(stream)};
      return kx::launch("softmax_backward_held_kernel",
                        softmax_backward_held_kernel<T, GROUP, PACKS>, config, s.outer, s.size,
                        vectors, py, pdy, pdx, log_form);
    });
  }
  const int64_t shared = long_row_shared<T>(packs * 32);
  return with_row_threads<T>(packs * 32, [&](auto threads) {
    constexpr int THREADS = threads;
    const kx::launch_config config{dim3(blocks(s.outer)), dim3(THREADS), (size_t)shared,
                                   stream_of(stream)};
    return kx::launch("softmax_backward_long_kernel", softmax_backward_long_kernel<T, THREADS>,
                      config, s.outer, s.size, vectors, shared / 32, py, pdy, pdx, log_form);
  });
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
