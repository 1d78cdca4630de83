// Passes of a normalization over images: moments, sums for the gradients, and results, with partial
// results for each split of a channel of an image.
//
// | kernel | for |
// |---|---|
// | norm_planes_*_kernel<T, GROUP> | channels first: a warp or a block a split of a plane |
// | norm_columns_*_kernel<T, V> | channels last: V channels a thread, lines share the places |
//
// Moments and sums leave one result a split; norms.cu combines them in order.
#include "norm_columns.h"

namespace gs {
namespace {
constexpr int kRunBytes = 64;  // of a thread's registers
template <class T, int GROUP>
using PlaneRun = Run<T, GROUP, packs_of<T>(kRunBytes)>;

// A split of a plane.
struct PlanePart {
  int64_t image, channel, split, n, inside, base, partial;

  KX_DEVICE PlanePart(const NormShape& p, int64_t item) {
    const int64_t plane = item / p.splits;
    split = item % p.splits;
    image = plane / p.channels, channel = plane % p.channels;
    n = p.length(split), inside = split * p.chunk, base = plane * p.spatial + inside;
    partial = (image * p.splits + split) * p.channels + channel;
  }
};

template <int GROUP, class F>
KX_DEVICE void each_plane_part(const NormShape& p, F f) {
  const int64_t items = p.images * p.channels * p.splits;
  for (int64_t item = (int64_t)blockIdx.x * (kGroupThreads / GROUP) + threadIdx.x / GROUP;
       item < items; item += (int64_t)gridDim.x * (kGroupThreads / GROUP)) {
    f(PlanePart(p, item));
  }
}

template <class T, int GROUP>
__global__ __launch_bounds__(kGroupThreads,
                             1) void norm_planes_moments_kernel(const __grid_constant__ NormShape p,
                                                                bool vectors, const T* x,
                                                                Moments* partial) {
  using Held = PlaneRun<T, GROUP>;
  KX_SHARED(scratch, double[kGroupThreads / 32]);
  const int lane = threadIdx.x % GROUP;
  each_plane_part<GROUP>(p, [&](const PlanePart& a) {
    Moments m{};
    for (int64_t i = 0; i < a.n; i += Held::kCapacity) {
      const int n = (int)min(a.n - i, (int64_t)Held::kCapacity);
      Held r;
      r.load(x + a.base + i, n, lane, vectors);
      m = combine(m, r.moments(n, lane, vectors, p.centered, scratch));
    }
    if (lane == 0) partial[a.partial] = m;
  });
}

template <class T, int GROUP>
__global__ __launch_bounds__(kGroupThreads, 1) void norm_planes_sums_kernel(
    const __grid_constant__ NormShape p, bool vectors, const T* x, const T* dy, const T* weights,
    const kx::wide<T>* mean, NormSums* partial) {
  using W = kx::wide<T>;
  using Held = PlaneRun<T, GROUP>;
  KX_SHARED(scratch, double[kGroupThreads / 32]);
  const int lane = threadIdx.x % GROUP;
  each_plane_part<GROUP>(p, [&](const PlanePart& a) {
    const W pivot = mean ? mean[p.stat(a.image, a.channel)] : W(0);
    NormSums s{};
    for (int64_t i = 0; i < a.n; i += Held::kCapacity) {
      const int n = (int)min(a.n - i, (int64_t)Held::kCapacity);
      Held d, g;
      d.load(x + a.base + i, n, lane, vectors);
      g.load(dy + a.base + i, n, lane, vectors);
#pragma unroll
      for (int j = 0; j < Held::kPacks; j++) {
        if (!Held::used(j, n)) break;
        W sum = 0, products = 0, deviations = 0, weight[Held::V];
        Held::load_pack_or(W(1), weights ? weights + a.inside + i : nullptr, j, n, lane, vectors,
                           weight);
#pragma unroll
        for (int e = 0; e < Held::V; e++) {
          if (Held::place(j, e, lane, vectors) < n) {
            const W v = d.v[j][e] - pivot;
            sum += g.v[j][e] * weight[e];
            products += g.v[j][e] * weight[e] * v;
            deviations += v;
          }
        }
        s.dy += sum, s.dyx += products, s.x += deviations;
      }
    }
    s.dy = group_sum<GROUP>(s.dy, scratch);
    s.dyx = group_sum<GROUP>(s.dyx, scratch);
    s.x = group_sum<GROUP>(s.x, scratch);
    if (lane == 0) partial[a.partial] = s;
  });
}

template <class T, int GROUP, NormStep STEP>
__global__ __launch_bounds__(kGroupThreads) void norm_planes_apply_kernel(
    const __grid_constant__ NormShape p, bool vectors, bool per_element, const T* x, const T* gamma,
    const T* beta, const Stat* stats, const T* dy, T* y) {  // y may be x or dy
  using W = kx::wide<T>;
  using Held = PlaneRun<T, GROUP>;
  const int lane = threadIdx.x % GROUP;
  each_plane_part<GROUP>(p, [&](const PlanePart& a) {
    const Numbers<W> numbers(stats[p.stat(a.image, a.channel)]);
    const W g = gamma && !per_element ? (W)kx::to_float(gamma[a.channel]) : W(1);
    const W b = beta && !per_element ? (W)kx::to_float(beta[a.channel]) : W(0);
    for (int64_t i = 0; i < a.n; i += Held::kCapacity) {
      const int n = (int)min(a.n - i, (int64_t)Held::kCapacity);
      const int64_t at = a.base + i;
      const T* gammas = gamma && per_element ? gamma + a.inside + i : nullptr;
      const T* betas = beta && per_element ? beta + a.inside + i : nullptr;
#pragma unroll
      for (int j = 0; j < Held::kPacks; j++) {
        if (!Held::used(j, n)) break;
        W v[Held::V] = {}, d[Held::V] = {}, scale[Held::V], shift[Held::V];
        if (STEP != kNormFrozen) Held::load_pack(x + at, j, n, lane, vectors, v);
        if (STEP != kNormForward) Held::load_pack(dy + at, j, n, lane, vectors, d);
        Held::load_pack_or(g, gammas, j, n, lane, vectors, scale);
        Held::load_pack_or(b, betas, j, n, lane, vectors, shift);
#pragma unroll
        for (int e = 0; e < Held::V; e++) {
          v[e] = numbers.template of<STEP>(v[e], d[e], scale[e], shift[e]);
        }
        Held::store_pack(y + at, j, n, lane, vectors, v);
      }
    }
  });
}

// ---- launchers ----
constexpr int64_t kWarpPlane = 512;
constexpr int64_t kPlaces = 64;  // of a split of a channels-last image, at least

template <class T>
int64_t plane_capacity(int64_t spatial) {
  return spatial <= kWarpPlane ? PlaneRun<T, 32>::kCapacity : PlaneRun<T, kGroupThreads>::kCapacity;
}

// Calls f with the size of the groups that planes are for.
template <class F>
cudaError_t with_group(const NormShape& p, F f) {
  if (p.spatial <= kWarpPlane) return f(std::integral_constant<int, 32>());
  return f(std::integral_constant<int, kGroupThreads>());
}
template <int GROUP>
kx::launch_config planes_config(const NormShape& p, gs_stream stream) {
  return groups_config(p.images * p.channels * p.splits, GROUP, 65536, stream);
}
template <class T>
bool plane_vectors(const NormShape& p, std::initializer_list<const void*> pointers) {
  return p.spatial % Pack<T>::kSize == 0 && aligned16(pointers);
}

// Calls f with the channels of a thread.
template <class T, class F>
cudaError_t with_columns(const NormShape& p, std::initializer_list<const void*> pointers, F f) {
  constexpr int V = Pack<T>::kSize;
  if (p.channels % V == 0 && aligned16(pointers)) return f(std::integral_constant<int, V>());
  return f(std::integral_constant<int, 1>());
}
template <int V>
kx::launch_config columns_config(const NormShape& p, gs_stream stream) {
  const int64_t each = line_width<V>(p.channels) * V, tiles = (p.channels + each - 1) / each;
  return groups_config(p.images * p.splits * tiles, kGroupThreads, 65536, stream);
}
}  // namespace

template <class T>
void set_splits(NormShape* p) {
  const int64_t one = 1, unit = p->last ? kPlaces : plane_capacity<T>(p->spatial);
  const int64_t tiles = p->last ? (p->channels + 31) / 32 : p->channels;
  const int64_t wanted = 2048 / std::max(p->images * tiles, one);
  const int64_t splits = std::clamp(wanted, one, std::max(p->spatial / unit, one));
  p->chunk = std::max((p->spatial + splits - 1) / splits, one);
  p->chunk = (p->chunk + unit - 1) / unit * unit;
  p->splits = std::max((p->spatial + p->chunk - 1) / p->chunk, one);
}

template <class T>
cudaError_t moments_pass(const NormShape& p, const T* x, Moments* partial, gs_stream stream) {
  if (p.last) {
    return with_columns<T>(p, {x}, [&](auto v) {
      constexpr int V = v;
      return kx::launch("norm_columns_moments_kernel", norm_columns_moments_kernel<T, V>,
                        columns_config<V>(p, stream), p, x, partial);
    });
  }
  return with_group(p, [&](auto group) {
    constexpr int GROUP = group;
    return kx::launch("norm_planes_moments_kernel", norm_planes_moments_kernel<T, GROUP>,
                      planes_config<GROUP>(p, stream), p, plane_vectors<T>(p, {x}), x, partial);
  });
}

template <class T>
cudaError_t sums_pass(const NormShape& p, const T* x, const T* dy, const T* weights,
                      const kx::wide<T>* mean, const Stat* rows, NormSums* partial,
                      gs_stream stream) {
  if (p.last) {
    return with_columns<T>(p, {x, dy}, [&](auto v) {
      constexpr int V = v;
      return kx::launch("norm_columns_sums_kernel", norm_columns_sums_kernel<T, V>,
                        columns_config<V>(p, stream), p, x, dy, mean, rows, partial);
    });
  }
  return with_group(p, [&](auto group) {
    constexpr int GROUP = group;
    return kx::launch("norm_planes_sums_kernel", norm_planes_sums_kernel<T, GROUP>,
                      planes_config<GROUP>(p, stream), p, plane_vectors<T>(p, {x, dy, weights}), x,
                      dy, weights, mean, partial);
  });
}

template <class T>
cudaError_t apply_pass(const NormShape& p, NormStep step, bool per_element, const T* x,
                       const T* gamma, const T* beta, const Stat* stats, const T* dy, T* y,
                       gs_stream stream) {
  const auto with_step = [&](auto f) {
    if (step == kNormForward) return f(std::integral_constant<NormStep, kNormForward>());
    if (step == kNormBackward) return f(std::integral_constant<NormStep, kNormBackward>());
    return f(std::integral_constant<NormStep, kNormFrozen>());
  };
  if (p.last) {
    return with_columns<T>(p, {x, dy, y}, [&](auto v) {
      constexpr int V = v;
      return with_step([&](auto s) {
        constexpr NormStep STEP = s;
        return kx::launch("norm_columns_apply_kernel", norm_columns_apply_kernel<T, V, STEP>,
                          columns_config<V>(p, stream), p, x, gamma, beta, stats, dy, y);
      });
    });
  }
  const bool vectors =
      plane_vectors<T>(p, {x, dy, y}) && (!per_element || aligned16({gamma, beta}));
  return with_group(p, [&](auto group) {
    constexpr int GROUP = group;
    return with_step([&](auto s) {
      constexpr NormStep STEP = s;
      return kx::launch("norm_planes_apply_kernel", norm_planes_apply_kernel<T, GROUP, STEP>,
                        planes_config<GROUP>(p, stream), p, vectors, per_element, x, gamma, beta,
                        stats, dy, y);
    });
  });
}

#define GS_INSTANTIATE(T)                                                                   \
  template void set_splits<T>(NormShape*);                                                  \
  template cudaError_t moments_pass<T>(const NormShape&, const T*, Moments*, gs_stream);    \
  template cudaError_t sums_pass<T>(const NormShape&, const T*, const T*, const T*,         \
                                    const kx::wide<T>*, const Stat*, NormSums*, gs_stream); \
  template cudaError_t apply_pass<T>(const NormShape&, NormStep, bool, const T*, const T*,  \
                                     const T*, const Stat*, const T*, T*, gs_stream);
GS_INSTANTIATE(float)
GS_INSTANTIATE(double)
GS_INSTANTIATE(kx::bf16)
GS_INSTANTIATE(kx::f16)
#undef GS_INSTANTIATE
}  // namespace gs
