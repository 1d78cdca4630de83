// Attention forward: softmax(scale q k^T) v, tile by tile, without a matrix of all scores.
//
// | kernel | for |
// |---|---|
// | attention_forward_kernel<T, WIDTH> | value rows up to WIDTH, 64 queries a block |
// | attention_mma.cu | bf16 and f16, rows up to 128: tensor cores |
//
// Scores, weights and sums are f32 (f64 for f64); the running maximum and sum of each query rescale
// what was summed before (Milakov and Gimelshein, 2018; Dao et al., "FlashAttention", 2022).
#include "attention.h"

namespace gs {
namespace {
template <class T, int WIDTH>
__global__ __launch_bounds__(kGroupThreads, 1) void attention_forward_kernel(
    const __grid_constant__ AttentionShape p, bool vectors, const T* q, const T* k, const T* v,
    T* y, kx::wide<T>* lse) {
  using W = kx::wide<T>;
  W* operands = kx::dynamic_shared<W>();
  W* weights = operands + kAttentionOperands;
  const AttentionThread t;
  const int64_t tiles = (p.queries + kAttentionTile - 1) / kAttentionTile;
  // The last queries, which look at most keys with causal, come first.
  const int64_t product = blockIdx.x / tiles,
                q0 = (tiles - 1 - blockIdx.x % tiles) * kAttentionTile;
  q += product * p.queries * p.depth, y += product * p.queries * p.value_depth;
  k += product / p.sharing * p.keys * p.depth, v += product / p.sharing * p.keys * p.value_depth;
  const int64_t visible = p.causal ? min(p.keys, q0 + kAttentionTile) : p.keys;
  const W scale = (W)p.scale, low = minus_infinity<W>();
  W most[4], sum[4], out[4][WIDTH / 16];
#pragma unroll
  for (int r = 0; r < 4; r++) {
    most[r] = low, sum[r] = 0;
#pragma unroll
    for (int j = 0; j < WIDTH / 16; j++) out[r][j] = 0;
  }
  for (int64_t k0 = 0; k0 < visible; k0 += kAttentionTile) {
    W s[4][4];
    multiply_rows(s, operands, q, q0, p.queries, k, k0, p.keys, p.depth, vectors);
#pragma unroll
    for (int r = 0; r < 4; r++) {
      W max = most[r];
#pragma unroll
      for (int c = 0; c < 4; c++) {
        s[r][c] = p.pair(q0 + t.row(r), k0 + t.col(c)) ? s[r][c] * scale : low;
        max = larger(max, s[r][c]);
      }
      max = row_reduce(max, [](W a, W b) { return larger(a, b); });
      // Nothing but -Inf so far: there is nothing to rescale.
      const W factor = max == low ? W(1) : (W)exp(most[r] - max);
      sum[r] *= factor, most[r] = max;
#pragma unroll
      for (int c = 0; c < 4; c++) {
        s[r][c] = s[r][c] == low ? W(0) : (W)exp(s[r][c] - max);
        sum[r] += s[r][c];
      }
#pragma unroll
      for (int j = 0; j < WIDTH / 16; j++) out[r][j] *= factor;
    }
    if (p.depth == 0) __syncthreads();  // the last tile's reads; products of columns have waited
    store_weights(weights, s);
    add_rows<false, WIDTH>(out, weights, operands, v, k0, p.keys, p.value_depth, vectors);
  }
  W factor[4];
#pragma unroll
  for (int r = 0; r < 4; r++) {
    sum[r] = row_reduce(sum[r], [](W a, W b) { return a + b; });
    factor[r] = visible == 0 ? W(0) : W(1) / sum[r];
    const int64_t i = q0 + t.row(r);
    if (lse && t.x == 0 && i < p.queries) {
      lse[product * p.queries + i] = visible == 0 ? low : most[r] + (W)log(sum[r]);
    }
  }
  store_rows<WIDTH>(y, out, factor, q0, p.queries, p.value_depth);
}

template <class T>
cudaError_t forward(const AttentionShape& p, const void* q, const void* k, const void* v, void* y,
                    void* lse, gs_stream stream) {
  using W = kx::wide<T>;
  if constexpr (sizeof(T) == 2) {
    if (std::max(p.depth, p.value_depth) <= kAttentionMmaLargest) {
      return attention_forward_mma<T>(p, static_cast<const T*>(q), static_cast<const T*>(k),
                                      static_cast<const T*>(v), static_cast<T*>(y),
                                      static_cast<W*>(lse), stream);
    }
  }
  const bool vectors = attention_vectors<T>(p, {q, k, v});
  return with_attention_width<T>(p.value_depth, [&](auto width) {
    constexpr int WIDTH = width;
    return kx::launch("attention_forward_kernel", attention_forward_kernel<T, WIDTH>,
                      attention_config<W>(p.products, p.queries, stream), p, vectors,
                      static_cast<const T*>(q), static_cast<const T*>(k), static_cast<const T*>(v),
                      static_cast<T*>(y), static_cast<W*>(lse));
  });
}
}  // namespace

gs_status check_attention(const gs_attention* op, AttentionShape* p) {
  GS_REQUIRE(op, "attention: the description must not be null");
  GS_REQUIRE(op->type >= GS_F32 && op->type <= GS_F16,
             "attention: type must be f32, f64, bf16 or f16; type=%d", op->type);
  GS_REQUIRE(op->products >= 0 && op->queries >= 0 && op->keys >= 0 && op->depth >= 0 &&
                 op->value_depth >= 0,
             "attention: sizes must not be negative; products=%lld, queries=%lld, keys=%lld, "
             "depth=%lld, value_depth=%lld",
             (long long)op->products, (long long)op->queries, (long long)op->keys,
             (long long)op->depth, (long long)op->value_depth);
  GS_REQUIRE(op->sharing > 0 && op->products % op->sharing == 0,
             "attention: sharing must divide the products; sharing=%lld, products=%lld",
             (long long)op->sharing, (long long)op->products);
  const int64_t largest = op->type == GS_F64 ? kAttentionLargestF64 : kAttentionLargest;
  if (op->depth > largest || op->value_depth > largest) {
    return fail(GS_UNSUPPORTED,
                "attention: depth and value_depth beyond %lld are not offered; depth=%lld, "
                "value_depth=%lld",
                (long long)largest, (long long)op->depth, (long long)op->value_depth);
  }
  const int64_t rows = std::max(op->queries, op->keys);
  int64_t all;
  GS_REQUIRE(!__builtin_mul_overflow(op->products, rows, &all) && all <= INT64_MAX / 4096,
             "attention: operands must be addressable; products=%lld, queries=%lld, keys=%lld",
             (long long)op->products, (long long)op->queries, (long long)op->keys);
  if (op->products * attention_tiles(rows) > INT32_MAX) {
    return fail(GS_UNSUPPORTED, "attention: more than 2^31 tiles of 64 rows are not offered");
  }
  *p = {op->products,   op->sharing,          op->queries, op->keys,
        (int)op->depth, (int)op->value_depth, op->scale,   op->causal != 0};
  return GS_OK;
}
}  // namespace gs

extern "C" gs_status gs_attention_forward(const gs_attention* attention, const void* q,
                                          const void* k, const void* v, void* y, void* lse,
                                          gs_stream stream) {
  gs::AttentionShape p;
  if (const gs_status s = gs::check_attention(attention, &p)) return s;
  if (p.products == 0 || p.queries == 0) return GS_OK;
  const bool keys = p.keys > 0;
  GS_REQUIRE((q || p.depth == 0) && (k || p.depth == 0 || !keys) &&
                 (v || p.value_depth == 0 || !keys) && (y || p.value_depth == 0),
             "attention: operands must not be null");
  return gs::check(
      gs::with_float(attention->type,
                     [&](auto t) { return gs::forward<decltype(t)>(p, q, k, v, y, lse, stream); }),
      "attention_forward");
}
