// Passes of a normalization over images: moments, sums for the gradients, and results, with partial
// results for each split of a channel of an image.
//
// | kernel | for |
// |---|---|
// | norm_planes_*_kernel<T, GROUP> | channels first: a warp or a block a split of a plane |
// | norm_columns_*_kernel<T, V> | channels last: V channels a thread, lines of threads share the
// places |
//
// Moments and sums leave one result a split; norms.cu combines them in order.
#include "norms.h"

namespace gs {
namespace {
constexpr int kRunBytes = 64;  // of a thread's registers
// Places of a thread whose elements are in registers together, for V channels of each.
template <int V>
constexpr int kTileOf = V == 8 ? 4 : 8;

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

// The result of one element; scale = rstd, offset = -low rstd.
template <class W>
struct Numbers {
  W pivot, scale, offset, b, o;
  KX_DEVICE explicit Numbers(const Stat& s)
      : pivot((W)s.pivot), scale((W)s.rstd), offset((W)(-s.low * s.rstd)), b((W)s.b), o((W)s.o) {}
  template <NormStep STEP>
  KX_DEVICE W of(W x, W dy, W gamma, W beta) const {
    if constexpr (STEP == kNormForward) return ((x - pivot) * scale + offset) * gamma + beta;
    if constexpr (STEP == kNormBackward) return dy * gamma * scale + (x - pivot) * b + o;
    return dy * gamma * scale;
  }
};

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

// Threads of a line, each with V channels: no more of them than there are channels for.
template <int V>
KX_BOTH int line_width(int64_t channels) {
  int width = 32;
  while (width > 4 && width / 2 * V >= channels) width /= 2;
  return width;
}

// V neighbouring channels of a split of an image: those of a thread's lane.
struct ColumnPart {
  int64_t image, split, n, channel, base, partial;

  KX_DEVICE ColumnPart(const NormShape& p, int64_t item, int64_t tiles, int width, int v) {
    const int64_t part = item / tiles;
    image = part / p.splits, split = part % p.splits;
    channel = (item % tiles * width + threadIdx.x % width) * v;
    n = p.length(split);
    base = (image * p.spatial + split * p.chunk) * p.channels + channel;
    partial = part * p.channels + channel;
  }
};

template <int V, class F>
KX_DEVICE void each_column_part(const NormShape& p, int width, F f) {
  const int64_t tiles = (p.channels + width * V - 1) / (width * V);
  const int64_t items = p.images * p.splits * tiles;
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    f(ColumnPart(p, item, tiles, width, V));
  }
}

template <int V, class T>
KX_DEVICE void load_columns(const T* x, kx::wide<T> (&out)[V]) {
  if constexpr (V == 1) {
    out[0] = kx::to_float(*x);
  } else {
    const Pack<T> pack = *reinterpret_cast<const Pack<T>*>(x);
#pragma unroll
    for (int e = 0; e < V; e++) out[e] = kx::to_float(pack.v[e]);
  }
}

template <int V, class T>
KX_DEVICE void store_columns(T* y, const kx::wide<T> (&in)[V]) {
  if constexpr (V == 1) {
    *y = kx::from_float<T>(in[0]);
  } else {
    Pack<T> pack;
#pragma unroll
    for (int e = 0; e < V; e++) pack.v[e] = kx::from_float<T>(in[e]);
    *reinterpret_cast<Pack<T>*>(y) = pack;
  }
}

// Moments of the first m of the tile's elements in column e, summed in A; share = 1 / m.
template <class A, class W, int TILE, int V>
KX_DEVICE Moments tile_moments(const W (&v)[TILE][V], int e, int m, double share, bool centered) {
  A pivot = 0, sum = 0, squares = 0;
  if (centered) {
#pragma unroll
    for (int t = 0; t < TILE; t++) pivot += t < m ? (A)v[t][e] : A(0);
    pivot *= (A)share;
  }
#pragma unroll
  for (int t = 0; t < TILE; t++) {
    const A d = t < m ? (A)v[t][e] - pivot : A(0);
    sum += d;
    squares += d * d;
  }
  if (!centered) return {(double)m, 0, squares};
  const double total = sum, rest = squares - total * total * share;
  return {(double)m, pivot + total * share, rest < 0 ? 0 : rest};
}

template <class T, int V>
__global__ __launch_bounds__(kGroupThreads, V == 8 ? 1 : 2) void norm_columns_moments_kernel(
    const __grid_constant__ NormShape p, const T* x, Moments* partial) {
  using W = kx::wide<T>;
  constexpr int kTile = kTileOf<V>;
  KX_SHARED(means, double[V][kGroupThreads]);
  KX_SHARED(squares, double[V][kGroupThreads]);
  const int width = line_width<V>(p.channels), lines = kGroupThreads / width;
  const int lane = threadIdx.x % width, line = threadIdx.x / width;
  each_column_part<V>(p, width, [&](const ColumnPart& a) {
    Moments m[V] = {};
    double count = 0;  // of each of them
    if (a.channel < p.channels) {
      for (int64_t first = line; first < a.n; first += kTile * lines) {
        const int places = (int)min((a.n - first + lines - 1) / lines, (int64_t)kTile);
        W v[kTile][V];
#pragma unroll
        for (int t = 0; t < kTile; t++) {
          if (t < places) {
            load_columns<V>(x + a.base + (first + t * lines) * p.channels, v[t]);
          }
        }
        const double inverse = 1. / places, share = places / (count + places);
#pragma unroll
        for (int e = 0; e < V; e++) {
          Moments tile = tile_moments<W>(v, e, places, inverse, p.centered);
          if (!std::is_same_v<W, double> && !finite(tile.squares)) {
            tile = tile_moments<double>(v, e, places, inverse, p.centered);  // beyond f32's range
          }
          m[e] = count == 0 ? tile : combine(m[e], tile, share);
        }
        count += places;
      }
    }
#pragma unroll
    for (int e = 0; e < V; e++) {
      means[e][threadIdx.x] = m[e].mean, squares[e][threadIdx.x] = m[e].squares;
    }
    __syncthreads();  // the lines' moments are complete
    if (line == 0 && a.channel < p.channels) {
      for (int l = 1; l < lines && l < a.n; l++) {
        const double more = (double)((a.n - l + lines - 1) / lines), share = more / (count + more);
#pragma unroll
        for (int e = 0; e < V; e++) {
          const int at = l * width + lane;
          m[e] = combine(m[e], Moments{more, means[e][at], squares[e][at]}, share);
        }
        count += more;
      }
#pragma unroll
      for (int e = 0; e < V; e++) partial[a.partial + e] = m[e];
    }
    __syncthreads();  // before the next part's lines
  });
}

template <class T, int V>
__global__ __launch_bounds__(kGroupThreads,
                             1) void norm_columns_sums_kernel(const __grid_constant__ NormShape p,
                                                              const T* x, const T* dy,
                                                              const kx::wide<T>* mean,
                                                              const Stat* rows, NormSums* partial) {
  using W = kx::wide<T>;
  constexpr int kTile = kTileOf<V>;
  KX_SHARED(all, double[V][kGroupThreads]);
  const int width = line_width<V>(p.channels), lines = kGroupThreads / width;
  const int lane = threadIdx.x % width, line = threadIdx.x / width;
  each_column_part<V>(p, width, [&](const ColumnPart& a) {
    double sums[3][V] = {};
    if (a.channel < p.channels) {
      W pivot[V];
#pragma unroll
      for (int e = 0; e < V; e++) pivot[e] = mean ? mean[p.stat(a.image, a.channel + e)] : W(0);
      for (int64_t first = line; first < a.n; first += kTile * lines) {
        W s[3][V] = {};
        const int64_t end = min(first + kTile * lines, a.n);
        for (int64_t r = first; r < end; r += lines) {
          W v[V], g[V], scale = 1, offset = 0;
          load_columns<V>(x + a.base + r * p.channels, v);
          load_columns<V>(dy + a.base + r * p.channels, g);
          if (rows) {
            const Stat& stat = rows[a.split * p.chunk + r];
            scale = (W)stat.rstd, offset = (W)(-stat.low * stat.rstd);
#pragma unroll
            for (int e = 0; e < V; e++) pivot[e] = (W)stat.pivot;
          }
#pragma unroll
          for (int e = 0; e < V; e++) {
            const W d = (v[e] - pivot[e]) * scale + offset;
            s[0][e] += g[e];
            s[1][e] += g[e] * d;
            s[2][e] += d;
          }
        }
#pragma unroll
        for (int q = 0; q < 3; q++) {
#pragma unroll
          for (int e = 0; e < V; e++) sums[q][e] += s[q][e];
        }
      }
    }
#pragma unroll
    for (int q = 0; q < 3; q++) {
#pragma unroll
      for (int e = 0; e < V; e++) all[e][threadIdx.x] = sums[q][e];
      __syncthreads();  // the lines' sums are complete
      if (line == 0) {
#pragma unroll
        for (int e = 0; e < V; e++) {
          for (int l = 1; l < lines; l++) sums[q][e] += all[e][l * width + lane];
        }
      }
      __syncthreads();  // before the next sums' lines
    }
    if (line == 0 && a.channel < p.channels) {
#pragma unroll
      for (int e = 0; e < V; e++) partial[a.partial + e] = {sums[0][e], sums[1][e], sums[2][e]};
    }
  });
}

template <class T, int V, NormStep STEP>
__global__ __launch_bounds__(kGroupThreads) void norm_columns_apply_kernel(
    const __grid_constant__ NormShape p, const T* x, const T* gamma, const T* beta,
    const Stat* stats, const T* dy, T* y) {  // y may be x or dy
  using W = kx::wide<T>;
  // By registers: more spill, and so does forward with one line of 8.
  constexpr int kUnroll = V < 8 ? 4 : STEP == kNormForward ? 2 : 1;
  const int width = line_width<V>(p.channels), lines = kGroupThreads / width;
  const int line = threadIdx.x / width;
  each_column_part<V>(p, width, [&](const ColumnPart& a) {
    if (a.channel >= p.channels) return;
    W pivot[V], scale[V], offset[V], b[V];  // out = (x - pivot) b + dy scale + offset
#pragma unroll
    for (int e = 0; e < V; e++) {
      const Numbers<W> n(stats[p.stat(a.image, a.channel + e)]);
      const W g = gamma ? (W)kx::to_float(gamma[a.channel + e]) : W(1);
      const W shift = beta ? (W)kx::to_float(beta[a.channel + e]) : W(0);
      pivot[e] = n.pivot, scale[e] = n.scale * g;
      b[e] = STEP == kNormForward ? scale[e] : n.b;
      offset[e] = STEP == kNormForward ? n.offset * g + shift : n.o;
    }
    for (int64_t r = line; r < a.n; r += kUnroll * lines) {
      W v[kUnroll][V], d[kUnroll][V];
#pragma unroll
      for (int u = 0; u < kUnroll; u++) {
        const int64_t at = a.base + (r + u * lines) * p.channels;
        if (r + u * lines < a.n) {
          if (STEP != kNormFrozen) load_columns<V>(x + at, v[u]);
          if (STEP != kNormForward) load_columns<V>(dy + at, d[u]);
        }
      }
#pragma unroll
      for (int u = 0; u < kUnroll; u++) {
        if (r + u * lines >= a.n) break;
#pragma unroll
        for (int e = 0; e < V; e++) {
          W& out = v[u][e];
          if constexpr (STEP == kNormForward) out = (out - pivot[e]) * b[e] + offset[e];
          if constexpr (STEP == kNormBackward) {
            out = d[u][e] * scale[e] + (out - pivot[e]) * b[e] + offset[e];
          }
          if constexpr (STEP == kNormFrozen) out = d[u][e] * scale[e];
        }
        store_columns<V>(y + a.base + (r + u * lines) * p.channels, v[u]);
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
