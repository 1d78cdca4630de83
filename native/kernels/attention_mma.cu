// Attention forward for bf16 and f16 on tensor cores.
//
// | kernel | for |
// |---|---|
// | attention_forward_mma_kernel<T, WIDTH> | rows up to WIDTH: 64 queries a block, 16 a warp |
//
// Scores and sums are f32; a tile's weights go from the accumulators of the first product into the
// operand of the second, rounded to T, without leaving the registers. The next keys are copied
// while the values are multiplied, and the other way round. Several blocks share a multiprocessor,
// so that some multiply while others form weights. Exponents are of 2; only tiles at an edge ask
// which pairs count.
#include "attention_mma.h"

namespace gs {
namespace {
// Over the four lanes of a row.
template <class Op>
KX_DEVICE float quad_reduce(float v, Op op) {
  v = op(v, __shfl_xor_sync(0xffffffffu, v, 1));
  return op(v, __shfl_xor_sync(0xffffffffu, v, 2));
}

template <class T, int WIDTH>
__global__ __launch_bounds__(kMmaThreads, WIDTH == 64 ? 3 : 2) void attention_forward_mma_kernel(
    const __grid_constant__ AttentionShape p, bool vectors, const T* q, const T* k, const T* v,
    T* y, float* lse) {
  T* queries = kx::dynamic_shared<T>();
  T* keys = queries + kAttentionTile * kMmaPitch<WIDTH>;
  T* values = keys + kAttentionTile * kMmaPitch<WIDTH>;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int64_t tiles = (p.queries + kAttentionTile - 1) / kAttentionTile;
  const int64_t product = blockIdx.x / tiles,
                q0 = (tiles - 1 - blockIdx.x % tiles) * kAttentionTile;
  q += product * p.queries * p.depth, y += product * p.queries * p.value_depth;
  k += product / p.sharing * p.keys * p.depth, v += product / p.sharing * p.keys * p.value_depth;
  const int64_t visible = p.causal ? min(p.keys, q0 + kAttentionTile) : p.keys;
  const float scale = (float)p.scale * kLog2E, low = minus_infinity<float>();

  copy_rows<WIDTH, kAttentionTile>(queries, q, q0, p.queries, p.depth, vectors);
  copy_rows<WIDTH, kAttentionTile>(keys, k, 0, p.keys, p.depth, vectors);
  kx::copy_async_commit();
  copy_rows<WIDTH, kAttentionTile>(values, v, 0, p.keys, p.value_depth, vectors);
  kx::copy_async_commit();

  // Row h of the lane is lane / 4 + 8 h of the warp's 16; its columns are a pair of every eight.
  float most[2] = {low, low}, sum[2] = {}, out[WIDTH / 8][4] = {};
  for (int64_t k0 = 0; k0 < visible; k0 += kAttentionTile) {
    const bool more = k0 + kAttentionTile < visible;
    kx::copy_async_wait<1>();
    __syncthreads();  // the keys have landed, and the queries
    float s[8][4] = {};
    multiply_rows_mma<WIDTH, kAttentionTile>(s, queries + 16 * warp * kMmaPitch<WIDTH>, keys);
    __syncthreads();  // all have read the keys
    if (more)
      copy_rows<WIDTH, kAttentionTile>(keys, k, k0 + kAttentionTile, p.keys, p.depth, vectors);
    kx::copy_async_commit();
    const bool edge = k0 + kAttentionTile > (p.causal ? min(p.keys, q0 + 1) : p.keys);
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const int64_t i = q0 + 16 * warp + lane / 4 + 8 * h;
      float max = most[h];
#pragma unroll
      for (int n = 0; n < 8; n++) {
#pragma unroll
        for (int e = 0; e < 2; e++) {
          float& score = s[n][2 * h + e];
          score *= scale;
          if (edge && !p.pair(i, k0 + 8 * n + lane % 4 * 2 + e)) score = low;
          max = larger(max, score);
        }
      }
      max = quad_reduce(max, [](float x, float z) { return larger(x, z); });
      const float from = max == low ? 0.0f : max;  // -Inf alone: all weights are 0
      const float factor = kx::exp2_fast(most[h] - from);
      sum[h] *= factor, most[h] = max;
#pragma unroll
      for (int n = 0; n < 8; n++) {
#pragma unroll
        for (int e = 0; e < 2; e++) {
          float& score = s[n][2 * h + e];
          score = kx::exp2_fast(score - from);
          sum[h] += score;
        }
      }
#pragma unroll
      for (int n = 0; n < WIDTH / 8; n++) out[n][2 * h] *= factor, out[n][2 * h + 1] *= factor;
    }
    kx::copy_async_wait<1>();
    __syncthreads();  // the values have landed
    add_rows_mma<WIDTH, kAttentionTile>(out, s, values);
    __syncthreads();  // all have read the values
    if (more)
      copy_rows<WIDTH, kAttentionTile>(values, v, k0 + kAttentionTile, p.keys, p.value_depth,
                                       vectors);
    kx::copy_async_commit();
  }
  kx::copy_async_wait<0>();
  float factor[2];
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const int64_t i = q0 + 16 * warp + lane / 4 + 8 * h;
    sum[h] = quad_reduce(sum[h], [](float x, float z) { return x + z; });
    factor[h] = visible == 0 ? 0.0f : 1 / sum[h];
    if (lse && lane % 4 == 0 && i < p.queries) {
      lse[product * p.queries + i] = visible == 0 ? low : most[h] * kLn2 + logf(sum[h]);
    }
  }
  store_rows_mma<WIDTH>(y, out, factor, q0 + 16 * warp, p.queries, p.value_depth);
}
}  // namespace

template <class T>
cudaError_t attention_forward_mma(const AttentionShape& p, const T* q, const T* k, const T* v, T* y,
                                  float* lse, gs_stream stream) {
  const bool vectors = attention_vectors<T>(p, {q, k, v});
  const auto launch = [&](auto width) {
    constexpr int WIDTH = width;
    const kx::launch_config config{
        dim3((unsigned)(p.products * attention_tiles(p.queries))), dim3(kMmaThreads),
        sizeof(T) * 3 * kAttentionTile * kMmaPitch<WIDTH>, stream_of(stream)};
    return kx::launch("attention_forward_mma_kernel", attention_forward_mma_kernel<T, WIDTH>,
                      config, p, vectors, q, k, v, y, lse);
  };
  if (std::max(p.depth, p.value_depth) <= 64) return launch(std::integral_constant<int, 64>());
  return launch(std::integral_constant<int, kAttentionMmaLargest>());
}

template cudaError_t attention_forward_mma<kx::bf16>(const AttentionShape&, const kx::bf16*,
                                                     const kx::bf16*, const kx::bf16*, kx::bf16*,
                                                     float*, gs_stream);
template cudaError_t attention_forward_mma<kx::f16>(const AttentionShape&, const kx::f16*,
                                                    const kx::f16*, const kx::f16*, kx::f16*,
                                                    float*, gs_stream);
}  // namespace gs
