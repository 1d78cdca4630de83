// Gradients of attention for bf16 and f16 on tensor cores.
//
// | kernel | for |
// |---|---|
// | attention_queries_mma_kernel<T, WIDTH> | dq: 64 queries a block, over tiles of keys |
// | attention_keys_mma_kernel<T, WIDTH> | dk, dv: 64 keys a block, over its heads' queries |
//
// As attention_backward.cu: two kernels that compute the weights anew, so that each element is one
// sum in a fixed order. A warp has 16 rows of the block's tile. Weights and gradients of scores are
// f32, rounded to T before they multiply. The next tile is copied while one is used.
#include "attention_mma.h"

namespace gs {
namespace {
// Rows of the tiles that a block goes through, by registers.
template <int WIDTH>
constexpr int kOthers = WIDTH <= 64 ? 64 : 32;
template <int WIDTH>
constexpr int kOwnTile = kAttentionTile * kMmaPitch<WIDTH>;
template <int WIDTH>
constexpr int kOtherTile = kOthers<WIDTH> * kMmaPitch<WIDTH>;
template <class T, int WIDTH>
constexpr size_t kTileBytes = sizeof(T) * (2 * kOwnTile<WIDTH> + 4 * kOtherTile<WIDTH>);

template <class T, int WIDTH>
__global__ __launch_bounds__(kMmaThreads, 2) void attention_queries_mma_kernel(
    const __grid_constant__ AttentionShape p, bool vectors,
    const __grid_constant__ TileOperands<T> all, T* dq) {
  constexpr int kKeys = kOthers<WIDTH>;
  T* queries = kx::dynamic_shared<T>();
  T* upper = queries + kOwnTile<WIDTH>;  // dy
  T* stages = upper + kOwnTile<WIDTH>;   // keys and values, twice
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, own = 16 * warp;
  const int64_t tiles = attention_tiles(p.queries);
  const int64_t product = blockIdx.x / tiles,
                q0 = (tiles - 1 - blockIdx.x % tiles) * kAttentionTile;
  const TileOperands<T> o = of_product(p, all, product);
  const int64_t visible = p.causal ? min(p.keys, q0 + kAttentionTile) : p.keys;
  const float scale = (float)p.scale * kLog2E;

  const auto load = [&](int64_t k0, int stage) {
    if (k0 < visible) {
      T* keys = stages + stage * 2 * kOtherTile<WIDTH>;
      copy_rows<WIDTH, kKeys>(keys, o.k, k0, p.keys, p.depth, vectors);
      copy_rows<WIDTH, kKeys>(keys + kOtherTile<WIDTH>, o.v, k0, p.keys, p.value_depth, vectors);
    }
    kx::copy_async_commit();
  };
  copy_rows<WIDTH, kAttentionTile>(queries, o.q, q0, p.queries, p.depth, vectors);
  copy_rows<WIDTH, kAttentionTile>(upper, o.dy, q0, p.queries, p.value_depth, vectors);
  load(0, 0);
  float lse[2], delta[2], sums[WIDTH / 8][4] = {};
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const int64_t i = q0 + own + lane / 4 + 8 * h;
    lse[h] = i < p.queries ? o.lse[i] * kLog2E : 0.0f;
    delta[h] = i < p.queries ? o.delta[i] : 0.0f;
  }

  int stage = 0;
  for (int64_t k0 = 0; k0 < visible; k0 += kKeys, stage ^= 1) {
    kx::copy_async_wait<0>();
    __syncthreads();  // this tile has landed; all are done with the one before
    load(k0 + kKeys, stage ^ 1);
    const T* keys = stages + stage * 2 * kOtherTile<WIDTH>;
    const T* values = keys + kOtherTile<WIDTH>;
    float s[kKeys / 8][4] = {}, g[kKeys / 8][4] = {};
    multiply_rows_mma<WIDTH, kKeys>(s, queries + own * kMmaPitch<WIDTH>, keys);
    multiply_rows_mma<WIDTH, kKeys>(g, upper + own * kMmaPitch<WIDTH>, values);
    const bool edge = q0 + kAttentionTile > p.queries || k0 + kKeys > (p.causal ? q0 + 1 : p.keys);
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const int h = e / 2;
        g[n][e] = kx::exp2_fast(s[n][e] * scale - lse[h]) * (g[n][e] - delta[h]);
        if (edge && !p.pair(q0 + own + lane / 4 + 8 * h, k0 + 8 * n + lane % 4 * 2 + e % 2)) {
          g[n][e] = 0;
        }
      }
    }
    add_rows_mma<WIDTH, kKeys>(sums, g, keys);
  }
  const float factor[2] = {(float)p.scale, (float)p.scale};
  store_rows_mma<WIDTH>(dq + product * p.queries * p.depth, sums, factor, q0 + own, p.queries,
                        p.depth);
}

template <class T, int WIDTH>
__global__ __launch_bounds__(kMmaThreads, 2) void attention_keys_mma_kernel(
    const __grid_constant__ AttentionShape p, bool vectors,
    const __grid_constant__ TileOperands<T> all, T* dk, T* dv) {
  constexpr int kQueries = kOthers<WIDTH>;
  KX_SHARED(lse, float[2 * kQueries]);
  KX_SHARED(delta, float[2 * kQueries]);
  T* keys = kx::dynamic_shared<T>();
  T* values = keys + kOwnTile<WIDTH>;
  T* stages = values + kOwnTile<WIDTH>;  // queries and dy, twice
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, own = 16 * warp;
  const int64_t tiles = attention_tiles(p.keys);
  const int64_t product = blockIdx.x / tiles, k0 = blockIdx.x % tiles * kAttentionTile;
  const int64_t first = p.causal ? k0 : 0;
  const int64_t steps = first < p.queries ? (p.queries - first + kQueries - 1) / kQueries : 0;
  const float scale = (float)p.scale * kLog2E;

  // Tile t: the first queries of head 0 and on, then of the next head that shares the keys.
  const auto query = [&](int64_t t) { return first + t % steps * kQueries; };
  const auto load = [&](int64_t t, int stage) {
    if (t < steps * p.sharing) {
      const TileOperands<T> o = of_product(p, all, product * p.sharing + t / steps);
      T* queries = stages + stage * 2 * kOtherTile<WIDTH>;
      const int64_t q0 = query(t);
      copy_rows<WIDTH, kQueries>(queries, o.q, q0, p.queries, p.depth, vectors);
      copy_rows<WIDTH, kQueries>(queries + kOtherTile<WIDTH>, o.dy, q0, p.queries, p.value_depth,
                                 vectors);
      if (threadIdx.x < kQueries) {
        const int64_t i = q0 + threadIdx.x;
        lse[stage * kQueries + threadIdx.x] = i < p.queries ? o.lse[i] * kLog2E : 0.0f;
        delta[stage * kQueries + threadIdx.x] = i < p.queries ? o.delta[i] : 0.0f;
      }
    }
    kx::copy_async_commit();
  };
  const TileOperands<T> o = of_product(p, all, product * p.sharing);
  copy_rows<WIDTH, kAttentionTile>(keys, o.k, k0, p.keys, p.depth, vectors);
  copy_rows<WIDTH, kAttentionTile>(values, o.v, k0, p.keys, p.value_depth, vectors);
  load(0, 0);

  float key_sums[WIDTH / 8][4] = {}, value_sums[WIDTH / 8][4] = {};
  int stage = 0;
  for (int64_t t = 0; t < steps * p.sharing; t++, stage ^= 1) {
    kx::copy_async_wait<0>();
    __syncthreads();  // these queries have landed; all are done with those before
    load(t + 1, stage ^ 1);
    const T* queries = stages + stage * 2 * kOtherTile<WIDTH>;
    const T* upper = queries + kOtherTile<WIDTH>;
    const int64_t q0 = query(t);
    // Rows are keys here, columns queries.
    const bool edge = q0 + kQueries > p.queries || k0 + kAttentionTile > p.keys ||
                      (p.causal && q0 < k0 + kAttentionTile);
    const auto pair = [&](int n, int e) {
      return p.pair(q0 + 8 * n + lane % 4 * 2 + e % 2, k0 + own + lane / 4 + 8 * (e / 2));
    };
    float s[kQueries / 8][4] = {}, g[kQueries / 8][4] = {};
    multiply_rows_mma<WIDTH, kQueries>(s, keys + own * kMmaPitch<WIDTH>, queries);
#pragma unroll
    for (int n = 0; n < kQueries / 8; n++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const int column = stage * kQueries + 8 * n + lane % 4 * 2 + e % 2;
        s[n][e] = kx::exp2_fast(s[n][e] * scale - lse[column]);
        if (edge && !pair(n, e)) s[n][e] = 0;
      }
    }
    add_rows_mma<WIDTH, kQueries>(value_sums, s, upper);
    multiply_rows_mma<WIDTH, kQueries>(g, values + own * kMmaPitch<WIDTH>, upper);
#pragma unroll
    for (int n = 0; n < kQueries / 8; n++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const int column = stage * kQueries + 8 * n + lane % 4 * 2 + e % 2;
        g[n][e] = edge && !pair(n, e) ? 0.0f : s[n][e] * (g[n][e] - delta[column]);
      }
    }
    add_rows_mma<WIDTH, kQueries>(key_sums, g, queries);
  }
  const float factor[2] = {(float)p.scale, (float)p.scale}, one[2] = {1, 1};
  if (dk) {
    store_rows_mma<WIDTH>(dk + product * p.keys * p.depth, key_sums, factor, k0 + own, p.keys,
                          p.depth);
  }
  if (dv) {
    store_rows_mma<WIDTH>(dv + product * p.keys * p.value_depth, value_sums, one, k0 + own, p.keys,
                          p.value_depth);
  }
}

template <class T, int WIDTH>
cudaError_t launch(const AttentionShape& p, const TileOperands<T>& all, T* dq, T* dk, T* dv,
                   gs_stream stream) {
  const bool vectors = attention_vectors<T>(p, {all.q, all.k, all.v, all.dy});
  const auto config = [&](int64_t products, int64_t rows) {
    return kx::launch_config{dim3((unsigned)(products * attention_tiles(rows))), dim3(kMmaThreads),
                             kTileBytes<T, WIDTH>, stream_of(stream)};
  };
  if (dq && p.products * p.queries > 0) {
    const cudaError_t error =
        kx::launch("attention_queries_mma_kernel", attention_queries_mma_kernel<T, WIDTH>,
                   config(p.products, p.queries), p, vectors, all, dq);
    if (error != cudaSuccess) return error;
  }
  if (!(dk || dv) || p.products * p.keys == 0) return cudaSuccess;
  return kx::launch("attention_keys_mma_kernel", attention_keys_mma_kernel<T, WIDTH>,
                    config(p.products / p.sharing, p.keys), p, vectors, all, dk, dv);
}
}  // namespace

template <class T>
cudaError_t attention_backward_mma(const AttentionShape& p, const TileOperands<T>& all, T* dq,
                                   T* dk, T* dv, gs_stream stream) {
  return std::max(p.depth, p.value_depth) <= 64
             ? launch<T, 64>(p, all, dq, dk, dv, stream)
             : launch<T, kAttentionMmaLargest>(p, all, dq, dk, dv, stream);
}

template cudaError_t attention_backward_mma<kx::bf16>(const AttentionShape&,
                                                      const TileOperands<kx::bf16>&, kx::bf16*,
                                                      kx::bf16*, kx::bf16*, gs_stream);
template cudaError_t attention_backward_mma<kx::f16>(const AttentionShape&,
                                                     const TileOperands<kx::f16>&, kx::f16*,
                                                     kx::f16*, kx::f16*, gs_stream);
}  // namespace gs
