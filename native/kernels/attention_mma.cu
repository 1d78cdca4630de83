// Attention forward for bf16 and f16 on tensor cores.
//
// | kernel | for |
// |---|---|
// | attention_forward_mma_kernel<T, WIDTH> | rows up to WIDTH: 64 queries a block, 16 a warp |
//
// Scores and sums are f32; a tile's weights go from the accumulators of the first product into the
// operand of the second, rounded to T, without leaving the registers. The next keys are copied
// while the values are multiplied, and the other way round.
#include "attention.h"

namespace gs {
namespace {
constexpr int kThreads = 128;

template <int WIDTH>
constexpr int kPitch = WIDTH + 8;  // rows of eight lanes fall on different banks

// Starts copying rows first.. of [count][width] to a tile of WIDTH columns, zeros beyond.
template <int WIDTH, class T>
KX_DEVICE void copy_rows(T* to, const T* from, int64_t first, int64_t count, int width,
                         bool vectors) {
  if (vectors) {
    for (int i = threadIdx.x; i < kAttentionTile * WIDTH / 8; i += kThreads) {
      const int r = i / (WIDTH / 8), c = i % (WIDTH / 8) * 8;
      const bool inside = first + r < count && c < width;
      kx::copy_async<16>(to + r * kPitch<WIDTH> + c, inside ? from + (first + r) * width + c : from,
                         inside);
    }
  } else {
    for (int i = threadIdx.x; i < kAttentionTile * WIDTH; i += kThreads) {
      const int r = i / WIDTH, c = i % WIDTH;
      const bool inside = first + r < count && c < width;
      to[r * kPitch<WIDTH> + c] = inside ? from[(first + r) * width + c] : kx::from_float<T>(0.0f);
    }
  }
}

template <class T>
KX_DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (std::is_same_v<T, kx::bf16>) {
    kx::mma_bf16(d, a, b0, b1);
  } else {
    kx::mma_f16(d, a, b0, b1);
  }
}
template <class T>
KX_DEVICE uint32_t pack(float x, float y) {
  if constexpr (std::is_same_v<T, kx::bf16>) {
    return kx::pack_bf16(x, y);
  } else {
    return kx::pack_f16(x, y);
  }
}

// Over the four lanes of a row.
template <class Op>
KX_DEVICE float quad_reduce(float v, Op op) {
  v = op(v, __shfl_xor_sync(0xffffffffu, v, 1));
  return op(v, __shfl_xor_sync(0xffffffffu, v, 2));
}

template <class T, int WIDTH>
__global__ __launch_bounds__(kThreads, 1) void attention_forward_mma_kernel(
    const __grid_constant__ AttentionShape p, bool vectors, const T* q, const T* k, const T* v,
    T* y, float* lse) {
  T* queries = kx::dynamic_shared<T>();
  T* keys = queries + kAttentionTile * kPitch<WIDTH>;
  T* values = keys + kAttentionTile * kPitch<WIDTH>;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int64_t tiles = (p.queries + kAttentionTile - 1) / kAttentionTile;
  const int64_t product = blockIdx.x / tiles,
                q0 = (tiles - 1 - blockIdx.x % tiles) * kAttentionTile;
  q += product * p.queries * p.depth, y += product * p.queries * p.value_depth;
  k += product / p.sharing * p.keys * p.depth, v += product / p.sharing * p.keys * p.value_depth;
  const int64_t visible = p.causal ? min(p.keys, q0 + kAttentionTile) : p.keys;
  const float scale = (float)p.scale, low = minus_infinity<float>();

  copy_rows<WIDTH>(queries, q, q0, p.queries, p.depth, vectors);
  copy_rows<WIDTH>(keys, k, 0, p.keys, p.depth, vectors);
  kx::copy_async_commit();
  copy_rows<WIDTH>(values, v, 0, p.keys, p.value_depth, vectors);
  kx::copy_async_commit();

  // Row h of the lane is lane / 4 + 8 h of the warp's 16; its columns are a pair of every eight.
  uint32_t a[WIDTH / 16][4];
  float most[2] = {low, low}, sum[2] = {}, out[WIDTH / 8][4] = {};
  for (int64_t k0 = 0; k0 < visible; k0 += kAttentionTile) {
    const bool more = k0 + kAttentionTile < visible;
    kx::copy_async_wait<1>();
    __syncthreads();  // the keys have landed, and the queries
    if (k0 == 0) {
#pragma unroll
      for (int i = 0; i < WIDTH / 16; i++) {
        kx::ldmatrix_x4(a[i],
                        queries + (16 * warp + lane % 16) * kPitch<WIDTH> + 16 * i + lane / 16 * 8);
      }
    }
    float s[8][4] = {};
#pragma unroll
    for (int i = 0; i < WIDTH / 16; i++) {
#pragma unroll
      for (int n = 0; n < 4; n++) {
        uint32_t b[4];
        kx::ldmatrix_x4(b, keys + (16 * n + lane / 16 * 8 + lane % 8) * kPitch<WIDTH> + 16 * i +
                               lane / 8 % 2 * 8);
        multiply<T>(s[2 * n], a[i], b[0], b[1]);
        multiply<T>(s[2 * n + 1], a[i], b[2], b[3]);
      }
    }
    __syncthreads();  // all have read the keys
    if (more) copy_rows<WIDTH>(keys, k, k0 + kAttentionTile, p.keys, p.depth, vectors);
    kx::copy_async_commit();
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const int64_t i = q0 + 16 * warp + lane / 4 + 8 * h;
      float max = most[h];
#pragma unroll
      for (int n = 0; n < 8; n++) {
#pragma unroll
        for (int e = 0; e < 2; e++) {
          float& score = s[n][2 * h + e];
          score = p.pair(i, k0 + 8 * n + lane % 4 * 2 + e) ? score * scale : low;
          max = larger(max, score);
        }
      }
      max = quad_reduce(max, [](float x, float z) { return larger(x, z); });
      const float factor = max == low ? 1.0f : expf(most[h] - max);
      sum[h] *= factor, most[h] = max;
#pragma unroll
      for (int n = 0; n < 8; n++) {
#pragma unroll
        for (int e = 0; e < 2; e++) {
          float& score = s[n][2 * h + e];
          score = score == low ? 0.0f : expf(score - max);
          sum[h] += score;
        }
      }
#pragma unroll
      for (int n = 0; n < WIDTH / 8; n++) out[n][2 * h] *= factor, out[n][2 * h + 1] *= factor;
    }
    kx::copy_async_wait<1>();
    __syncthreads();  // the values have landed
#pragma unroll
    for (int t = 0; t < 4; t++) {
      const uint32_t weights[4] = {
          pack<T>(s[2 * t][0], s[2 * t][1]), pack<T>(s[2 * t][2], s[2 * t][3]),
          pack<T>(s[2 * t + 1][0], s[2 * t + 1][1]), pack<T>(s[2 * t + 1][2], s[2 * t + 1][3])};
#pragma unroll
      for (int n = 0; n < WIDTH / 16; n++) {
        uint32_t b[4];
        kx::ldmatrix_x4<true>(
            b, values + (16 * t + lane % 16) * kPitch<WIDTH> + 16 * n + lane / 16 * 8);
        multiply<T>(out[2 * n], weights, b[0], b[1]);
        multiply<T>(out[2 * n + 1], weights, b[2], b[3]);
      }
    }
    __syncthreads();  // all have read the values
    if (more) copy_rows<WIDTH>(values, v, k0 + kAttentionTile, p.keys, p.value_depth, vectors);
    kx::copy_async_commit();
  }
  kx::copy_async_wait<0>();
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const int64_t i = q0 + 16 * warp + lane / 4 + 8 * h;
    sum[h] = quad_reduce(sum[h], [](float x, float z) { return x + z; });
    const float factor = visible == 0 ? 0.0f : 1 / sum[h];
    if (i >= p.queries) continue;
    if (lse && lane % 4 == 0) {
      lse[product * p.queries + i] = visible == 0 ? low : most[h] + logf(sum[h]);
    }
#pragma unroll
    for (int n = 0; n < WIDTH / 8; n++) {
#pragma unroll
      for (int e = 0; e < 2; e++) {
        const int c = 8 * n + lane % 4 * 2 + e;
        if (c < p.value_depth) {
          y[i * p.value_depth + c] = kx::from_float<T>(out[n][2 * h + e] * factor);
        }
      }
    }
  }
}
}  // namespace

template <class T>
cudaError_t attention_forward_mma(const AttentionShape& p, const T* q, const T* k, const T* v, T* y,
                                  float* lse, gs_stream stream) {
  const bool vectors = attention_vectors<T>(p, {q, k, v});
  const auto launch = [&](auto width) {
    constexpr int WIDTH = width;
    const kx::launch_config config{dim3((unsigned)(p.products * attention_tiles(p.queries))),
                                   dim3(kThreads), sizeof(T) * 3 * kAttentionTile * kPitch<WIDTH>,
                                   stream_of(stream)};
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
