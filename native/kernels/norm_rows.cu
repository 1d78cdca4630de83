// Normalization of contiguous rows with a gamma for each column, where a row fits the registers of
// a group of threads.
//
// | kernel | for |
// |---|---|
// | norm_rows_forward_kernel<T, 32, PACKS> | rows up to 512 and 1024 (f64: half): a warp a row |
// | norm_rows_forward_kernel<T, 256, PACKS> | rows up to 4096 and 16384 (f64: half): a block a row
// | | norm_rows_backward_kernel<T, GROUP, PACKS> | a warp a row up to 512, a block a row from one
// pack a thread up to 8192 (f64: half) | | norm_rows_backward_ahead_kernel<T> | one pack a thread:
// the next row is loaded meanwhile | | norm_rows_parameters_kernel<T> | adds the groups' parts of
// dgamma and dbeta |
//
// A row is read once. In the backward pass a group takes every parts-th row and keeps its share of
// dgamma and dbeta in registers; the parts depend on sizes alone.
#include "norms.h"

namespace gs {
namespace {
template <class T, int GROUP, int PACKS>
__global__ __launch_bounds__(kGroupThreads) void norm_rows_forward_kernel(
    NormRows p, bool vectors, const T* x, const T* gamma, const T* beta, T* y, kx::wide<T>* mean,
    kx::wide<T>* rstd) {  // y may be x
  using W = kx::wide<T>;
  using Held = Run<T, GROUP, PACKS>;
  KX_SHARED(scratch, double[kGroupThreads / 32]);
  const int lane = threadIdx.x % GROUP, cols = (int)p.cols;
  const int64_t stride = (int64_t)gridDim.x * (kGroupThreads / GROUP);
  for (int64_t row = (int64_t)blockIdx.x * (kGroupThreads / GROUP) + threadIdx.x / GROUP;
       row < p.rows; row += stride) {
    Held r;
    r.load(x + row * p.cols, cols, lane, vectors);
    const Stat s = stat_of<W>(r.moments(cols, lane, vectors, p.centered, scratch), p.eps);
    if (lane == 0) {
      if (mean) mean[row] = (W)s.pivot;
      if (rstd) rstd[row] = (W)s.rstd;
    }
    const W pivot = (W)s.pivot, scale = (W)s.rstd, offset = (W)(-s.low * s.rstd);
#pragma unroll
    for (int j = 0; j < PACKS; j++) {
      if (!Held::used(j, cols)) break;
      W g[Held::V], shift[Held::V], out[Held::V];
      Held::load_pack_or(W(1), gamma, j, cols, lane, vectors, g);
      Held::load_pack_or(W(0), beta, j, cols, lane, vectors, shift);
#pragma unroll
      for (int e = 0; e < Held::V; e++) {
        out[e] = ((r.v[j][e] - pivot) * scale + offset) * g[e] + shift[e];
      }
      Held::store_pack(y + row * p.cols, j, cols, lane, vectors, out);
    }
  }
}

// partial: [groups of the grid][2][cols], or null.
template <class T, int GROUP, int PACKS>
__global__ __launch_bounds__(kGroupThreads) void norm_rows_backward_kernel(
    NormRows p, bool vectors, const T* x, const T* gamma, const kx::wide<T>* mean,
    const kx::wide<T>* rstd, const T* dy, T* dx, kx::wide<T>* partial) {  // dx may be x or dy
  using W = kx::wide<T>;
  using Held = Run<T, GROUP, PACKS>;
  KX_SHARED(scratch, double[3 * kGroupThreads / 32]);
  const int lane = threadIdx.x % GROUP, cols = (int)p.cols;
  const int64_t parts = (int64_t)gridDim.x * (kGroupThreads / GROUP);
  const int64_t part = (int64_t)blockIdx.x * (kGroupThreads / GROUP) + threadIdx.x / GROUP;
  W dgamma[PACKS][Held::V] = {}, dbeta[PACKS][Held::V] = {};
  for (int64_t row = part; row < p.rows; row += parts) {
    Held d, g;
    d.load(x + row * p.cols, cols, lane, vectors);
    g.load(dy + row * p.cols, cols, lane, vectors);
    const W pivot = mean ? mean[row] : W(0), r = rstd[row];
    NormSums s{};
#pragma unroll
    for (int j = 0; j < PACKS; j++) {
      W sum = 0, products = 0, deviations = 0, weight[Held::V];
      Held::load_pack_or(W(1), gamma, j, cols, lane, vectors, weight);
#pragma unroll
      for (int e = 0; e < Held::V; e++) {
        if (Held::place(j, e, lane, vectors) < cols) {
          d.v[j][e] -= pivot;
          sum += g.v[j][e] * weight[e];
          products += g.v[j][e] * weight[e] * d.v[j][e];
          deviations += d.v[j][e];
        }
      }
      s.dy += sum, s.dyx += products, s.x += deviations;
    }
    const Stat numbers =
        gradient_of(pivot, r, group_sums<GROUP>(s, p.centered, scratch), (double)cols, p.centered);
    const W low = (W)(-numbers.low * numbers.rstd), b = (W)numbers.b, o = (W)numbers.o;
#pragma unroll
    for (int j = 0; j < PACKS; j++) {
      W weight[Held::V], out[Held::V];
      if (dx) Held::load_pack_or(W(1), gamma, j, cols, lane, vectors, weight);
#pragma unroll
      for (int e = 0; e < Held::V; e++) {
        if (Held::place(j, e, lane, vectors) < cols) {
          dgamma[j][e] += g.v[j][e] * (d.v[j][e] * r + low);
          dbeta[j][e] += g.v[j][e];
          out[e] = g.v[j][e] * weight[e] * r + d.v[j][e] * b + o;
        }
      }
      if (dx) Held::store_pack(dx + row * p.cols, j, cols, lane, vectors, out);
    }
  }
  if (partial) {
#pragma unroll
    for (int j = 0; j < PACKS; j++) {
#pragma unroll
      for (int e = 0; e < Held::V; e++) {
        const int at = Held::place(j, e, lane, vectors);
        if (at < cols) {
          partial[2 * part * p.cols + at] = dgamma[j][e];
          partial[(2 * part + 1) * p.cols + at] = dbeta[j][e];
        }
      }
    }
  }
}

// The same for rows of at most one pack a thread, which are short work for a block.
template <class T>
__global__
__launch_bounds__(kGroupThreads, sizeof(T) == 4 ? 4 : 1) void norm_rows_backward_ahead_kernel(
    NormRows p, bool vectors, const T* x, const T* gamma, const kx::wide<T>* mean,
    const kx::wide<T>* rstd, const T* dy, T* dx, kx::wide<T>* partial) {  // dx may be x or dy
  using W = kx::wide<T>;
  using Held = Run<T, kGroupThreads, 1>;
  constexpr int V = Held::V;
  KX_SHARED(scratch, double[3 * kGroupThreads / 32]);
  const int lane = threadIdx.x, cols = (int)p.cols;
  W dgamma[V] = {}, dbeta[V] = {};
  W next_x[V], next_dy[V], next_pivot = 0, next_r = 0;
  const auto load = [&](int64_t row) {
    Held::load_pack_or(W(0), x + row * p.cols, 0, cols, lane, vectors, next_x);
    Held::load_pack_or(W(0), dy + row * p.cols, 0, cols, lane, vectors, next_dy);
    next_pivot = mean ? mean[row] : W(0), next_r = rstd[row];
  };
  if (blockIdx.x < p.rows) load(blockIdx.x);
  for (int64_t row = blockIdx.x; row < p.rows; row += gridDim.x) {
    const W pivot = next_pivot, r = next_r;
    W d[V], g[V], weight[V], sum = 0, products = 0, deviations = 0;
    Held::load_pack_or(W(1), gamma, 0, cols, lane, vectors, weight);
#pragma unroll
    for (int e = 0; e < V; e++) {  // beyond the end dy is 0
      d[e] = next_x[e] - pivot, g[e] = next_dy[e];
      const W weighted = g[e] * weight[e];
      sum += weighted;
      products += weighted * d[e];
      if (Held::place(0, e, lane, vectors) < cols) deviations += d[e];
    }
    if (row + gridDim.x < p.rows) load(row + gridDim.x);
    const NormSums sums =
        group_sums<kGroupThreads>({sum, products, deviations}, p.centered, scratch);
    const Stat numbers = gradient_of(pivot, r, sums, (double)cols, p.centered);
    const W low = (W)(-numbers.low * numbers.rstd), b = (W)numbers.b, o = (W)numbers.o;
    Held::load_pack_or(W(1), gamma, 0, cols, lane, vectors, weight);  // not kept in registers
#pragma unroll
    for (int e = 0; e < V; e++) {
      dgamma[e] += g[e] * (d[e] * r + low);
      dbeta[e] += g[e];
      g[e] = g[e] * weight[e] * r + d[e] * b + o;
    }
    if (dx) Held::store_pack(dx + row * p.cols, 0, cols, lane, vectors, g);
  }
  if (partial) {
#pragma unroll
    for (int e = 0; e < V; e++) {
      const int at = Held::place(0, e, lane, vectors);
      if (at < cols) {
        partial[2 * blockIdx.x * p.cols + at] = dgamma[e];
        partial[(2 * blockIdx.x + 1) * p.cols + at] = dbeta[e];
      }
    }
  }
}

// A warp has 32 columns, 8 warps share the parts.
template <class T>
__global__ __launch_bounds__(kGroupThreads) void norm_rows_parameters_kernel(
    int64_t parts, int64_t cols, const kx::wide<T>* partial, T* dgamma, T* dbeta) {
  constexpr int kLines = kGroupThreads / 32, kUnroll = 8;
  KX_SHARED(lines, double[2][kLines][32]);
  const int lane = threadIdx.x % 32, line = threadIdx.x / 32;
  for (int64_t first = (int64_t)blockIdx.x * 32; first < cols; first += (int64_t)gridDim.x * 32) {
    const int64_t c = first + lane;
    double sum[2] = {};
    if (c < cols) {
      for (int64_t i = line; i < parts; i += kUnroll * kLines) {
        kx::wide<T> part[2][kUnroll];
#pragma unroll
        for (int u = 0; u < kUnroll; u++) {
          const int64_t at = 2 * (i + u * kLines) * cols + c;
          const bool in = i + u * kLines < parts;
          part[0][u] = in ? partial[at] : 0, part[1][u] = in ? partial[at + cols] : 0;
        }
#pragma unroll
        for (int u = 0; u < kUnroll; u++) sum[0] += part[0][u], sum[1] += part[1][u];
      }
    }
    lines[0][line][lane] = sum[0], lines[1][line][lane] = sum[1];
    __syncthreads();  // the lines are complete
    if (line < 2 && c < cols) {
      double total = lines[line][0][lane];
      for (int l = 1; l < kLines; l++) total += lines[line][l][lane];
      T* to = line == 0 ? dgamma : dbeta;
      if (to) to[c] = kx::from_float<T>((kx::wide<T>)total);
    }
    __syncthreads();  // before the next columns' lines
  }
}

constexpr int kShortBytes = 64, kWarpBytes = 128, kForwardBytes = 256, kBackwardBytes = 128;

template <class T, int GROUP>
constexpr int64_t capacity(int bytes) {
  return (int64_t)GROUP * packs_of<T>(bytes) * Pack<T>::kSize;
}

// Groups of the backward pass: enough to fill any device, few enough that their parts of dgamma
// are small beside the rows.
template <class T>
kx::launch_config backward_config(const NormRows& p, gs_stream stream) {
  const bool warp = p.cols <= capacity<T, 32>(kShortBytes);
  return groups_config(p.rows, warp ? 32 : kGroupThreads, 528, stream);
}
}  // namespace

template <class T>
bool fits_forward(int64_t cols) {
  return cols <= capacity<T, kGroupThreads>(kForwardBytes);
}
template <class T>
bool fits_backward(int64_t cols) {
  return cols <= capacity<T, kGroupThreads>(kBackwardBytes);
}
template <class T>
int64_t row_parts(const NormRows& p) {
  const bool warp = p.cols <= capacity<T, 32>(kShortBytes);
  return (int64_t)backward_config<T>(p, nullptr).grid.x * (warp ? kGroupThreads / 32 : 1);
}

template <class T>
cudaError_t rows_forward(const NormRows& p, const T* x, const T* gamma, const T* beta, T* y,
                         kx::wide<T>* mean, kx::wide<T>* rstd, gs_stream stream) {
  if (p.rows == 0) return cudaSuccess;
  const bool vectors = p.cols % Pack<T>::kSize == 0 && aligned16({x, gamma, beta, y});
  const auto launch = [&](auto kernel, int group) {
    return kx::launch("norm_rows_forward_kernel", kernel,
                      groups_config(p.rows, group, 65536, stream), p, vectors, x, gamma, beta, y,
                      mean, rstd);
  };
  if (p.cols <= capacity<T, 32>(kShortBytes)) {
    return launch(norm_rows_forward_kernel<T, 32, packs_of<T>(kShortBytes)>, 32);
  }
  if (p.cols <= capacity<T, 32>(kWarpBytes)) {
    return launch(norm_rows_forward_kernel<T, 32, packs_of<T>(kWarpBytes)>, 32);
  }
  if (p.cols <= capacity<T, kGroupThreads>(kShortBytes)) {
    return launch(norm_rows_forward_kernel<T, kGroupThreads, packs_of<T>(kShortBytes)>,
                  kGroupThreads);
  }
  return launch(norm_rows_forward_kernel<T, kGroupThreads, packs_of<T>(kForwardBytes)>,
                kGroupThreads);
}

template <class T>
cudaError_t rows_backward(const NormRows& p, const T* x, const T* gamma, const kx::wide<T>* mean,
                          const kx::wide<T>* rstd, const T* dy, T* dx, T* dgamma, T* dbeta,
                          kx::wide<T>* partial, gs_stream stream) {
  using W = kx::wide<T>;
  const bool vectors = p.cols % Pack<T>::kSize == 0 && aligned16({x, gamma, dy, dx});
  const bool parameters = dgamma || dbeta;
  const auto launch = [&](auto kernel, const char* name = "norm_rows_backward_kernel") {
    return kx::launch(name, kernel, backward_config<T>(p, stream), p, vectors, x, gamma, mean, rstd,
                      dy, dx, parameters ? partial : nullptr);
  };
  cudaError_t error;
  if (p.cols <= capacity<T, 32>(kShortBytes)) {
    error = launch(norm_rows_backward_kernel<T, 32, packs_of<T>(kShortBytes)>);
  } else if (p.cols <= kGroupThreads * Pack<T>::kSize) {
    error = launch(norm_rows_backward_ahead_kernel<T>, "norm_rows_backward_ahead_kernel");
  } else if (p.cols <= capacity<T, kGroupThreads>(kShortBytes)) {
    error = launch(norm_rows_backward_kernel<T, kGroupThreads, packs_of<T>(kShortBytes)>);
  } else {
    error = launch(norm_rows_backward_kernel<T, kGroupThreads, packs_of<T>(kBackwardBytes)>);
  }
  if (error != cudaSuccess || !parameters) return error;
  return KX_LAUNCH(norm_rows_parameters_kernel<T>,
                   groups_config((p.cols + 31) / 32, kGroupThreads, 65536, stream), row_parts<T>(p),
                   p.cols, static_cast<const W*>(partial), dgamma, dbeta);
}

#define GS_INSTANTIATE(T)                                                                        \
  template bool fits_forward<T>(int64_t);                                                        \
  template bool fits_backward<T>(int64_t);                                                       \
  template int64_t row_parts<T>(const NormRows&);                                                \
  template cudaError_t rows_forward<T>(const NormRows&, const T*, const T*, const T*, T*,        \
                                       kx::wide<T>*, kx::wide<T>*, gs_stream);                   \
  template cudaError_t rows_backward<T>(const NormRows&, const T*, const T*, const kx::wide<T>*, \
                                        const kx::wide<T>*, const T*, T*, T*, T*, kx::wide<T>*,  \
                                        gs_stream);
GS_INSTANTIATE(float)
GS_INSTANTIATE(double)
GS_INSTANTIATE(kx::bf16)
GS_INSTANTIATE(kx::f16)
#undef GS_INSTANTIATE
}  // namespace gs
