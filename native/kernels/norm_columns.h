// Kernels of a normalization over images whose channels lie last: V channels a thread, lines of
// threads share the places. Launched by norm_images.cu.
#pragma once
#include "norms.h"

namespace gs {
namespace {
// Places of a thread whose elements are in registers together, for V channels of each.
template <int V>
constexpr int kTileOf = V == 8 ? 4 : 8;

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
}  // namespace
}  // namespace gs
