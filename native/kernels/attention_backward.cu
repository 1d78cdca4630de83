// Gradients of attention, in passes without atomics: the weights are computed anew from the
// forward's log-sum-exp.
//
// | kernel | for |
// |---|---|
// | attention_delta_kernel<T> | sum(dy y) of each query: a warp a query |
// | attention_queries_kernel<T, WIDTH> | dq: 64 queries a block, over tiles of keys |
// | attention_keys_kernel<T, WIDTH> | dk and dv: 64 keys a block, over its heads' tiles of queries
// |
//
// bf16 and f16 up to a depth of 128: by attention_backward_mma.cu, after the first kernel. Each
// element of a gradient is one sum in a fixed order. Dao et al., "FlashAttention", 2022.
#include "attention_mma.h"

namespace gs {
namespace {
template <class T>
__global__ __launch_bounds__(kGroupThreads) void attention_delta_kernel(int64_t rows, int width,
                                                                        const T* y, const T* dy,
                                                                        kx::wide<T>* delta) {
  using W = kx::wide<T>;
  const int lane = threadIdx.x % 32;
  for (int64_t row = (int64_t)blockIdx.x * (kGroupThreads / 32) + threadIdx.x / 32; row < rows;
       row += (int64_t)gridDim.x * (kGroupThreads / 32)) {
    W sum = 0;
    for (int c = lane; c < width; c += 32) {
      sum += (W)kx::to_float(y[row * width + c]) * (W)kx::to_float(dy[row * width + c]);
    }
    sum = group_sum<32>(sum, (W*)nullptr);
    if (lane == 0) delta[row] = sum;
  }
}

// Weights of a tile, and the gradients of its scores before the scale.
template <class T, class W>
KX_DEVICE void tile_gradients(const AttentionShape& p, const TileOperands<T>& o, int64_t q0,
                              int64_t k0, W* operands, bool vectors, W (&weight)[4][4],
                              W (&gradient)[4][4]) {
  const AttentionThread t;
  multiply_rows(weight, operands, o.q, q0, p.queries, o.k, k0, p.keys, p.depth, vectors);
  multiply_rows(gradient, operands, o.dy, q0, p.queries, o.v, k0, p.keys, p.value_depth, vectors);
#pragma unroll
  for (int r = 0; r < 4; r++) {
    const int64_t i = q0 + t.row(r);
    const W lse = i < p.queries ? o.lse[i] : W(0), delta = i < p.queries ? o.delta[i] : W(0);
#pragma unroll
    for (int c = 0; c < 4; c++) {
      const bool pair = p.pair(i, k0 + t.col(c));
      weight[r][c] = pair ? (W)exp(weight[r][c] * (W)p.scale - lse) : W(0);
      gradient[r][c] = pair ? weight[r][c] * (gradient[r][c] - delta) : W(0);
    }
  }
}

template <class W, int WIDTH>
KX_DEVICE void clear(W (&sums)[4][WIDTH]) {
#pragma unroll
  for (int r = 0; r < 4; r++) {
#pragma unroll
    for (int j = 0; j < WIDTH; j++) sums[r][j] = 0;
  }
}

template <class T, int WIDTH>
__global__ __launch_bounds__(kGroupThreads, 1) void attention_queries_kernel(
    const __grid_constant__ AttentionShape p, bool vectors,
    const __grid_constant__ TileOperands<T> all, T* dq) {
  using W = kx::wide<T>;
  W* operands = kx::dynamic_shared<W>();
  W* weights = operands + kAttentionOperands;
  const int64_t tiles = (p.queries + kAttentionTile - 1) / kAttentionTile;
  const int64_t product = blockIdx.x / tiles,
                q0 = (tiles - 1 - blockIdx.x % tiles) * kAttentionTile;
  const TileOperands<T> o = of_product(p, all, product);
  const int64_t visible = p.causal ? min(p.keys, q0 + kAttentionTile) : p.keys;
  W sums[4][WIDTH / 16];
  clear(sums);
  for (int64_t k0 = 0; k0 < visible; k0 += kAttentionTile) {
    W weight[4][4], gradient[4][4];
    tile_gradients(p, o, q0, k0, operands, vectors, weight, gradient);
    __syncthreads();  // the last tile's reads of the weights
    store_weights(weights, gradient);
    add_rows<false, WIDTH>(sums, weights, operands, o.k, k0, p.keys, p.depth, vectors);
  }
  const W scale = (W)p.scale, factor[4] = {scale, scale, scale, scale};
  store_rows<WIDTH>(dq + product * p.queries * p.depth, sums, factor, q0, p.queries, p.depth);
}

// Which of the gradients a launch computes.
enum KeyGradients { kKeyGradients = 1, kValueGradients = 2, kBothGradients = 3 };

template <class T, int WIDTH, int WHICH>
__global__ __launch_bounds__(kGroupThreads, 1) void attention_keys_kernel(
    const __grid_constant__ AttentionShape p, bool vectors,
    const __grid_constant__ TileOperands<T> all, T* dk, T* dv) {
  using W = kx::wide<T>;
  W* operands = kx::dynamic_shared<W>();
  W* weights = operands + kAttentionOperands;
  const int64_t tiles = (p.keys + kAttentionTile - 1) / kAttentionTile;
  const int64_t product = blockIdx.x / tiles, k0 = blockIdx.x % tiles * kAttentionTile;
  W keys[4][WIDTH / 16], values[4][WIDTH / 16];
  clear(keys), clear(values);
  for (int64_t head = product * p.sharing; head < (product + 1) * p.sharing; head++) {
    const TileOperands<T> o = of_product(p, all, head);
    for (int64_t q0 = p.causal ? k0 : 0; q0 < p.queries; q0 += kAttentionTile) {
      W weight[4][4], gradient[4][4];
      tile_gradients(p, o, q0, k0, operands, vectors, weight, gradient);
      if constexpr ((WHICH & kValueGradients) != 0) {
        __syncthreads();  // the last tile's reads of the weights
        store_weights(weights, weight);
        add_rows<true, WIDTH>(values, weights, operands, o.dy, q0, p.queries, p.value_depth,
                              vectors);
      }
      if constexpr ((WHICH & kKeyGradients) != 0) {
        __syncthreads();  // before the gradients overwrite the weights
        store_weights(weights, gradient);
        add_rows<true, WIDTH>(keys, weights, operands, o.q, q0, p.queries, p.depth, vectors);
      }
    }
  }
  const W scale = (W)p.scale, factor[4] = {scale, scale, scale, scale}, one[4] = {1, 1, 1, 1};
  if ((WHICH & kKeyGradients) != 0 && dk)
    store_rows<WIDTH>(dk + product * p.keys * p.depth, keys, factor, k0, p.keys, p.depth);
  if ((WHICH & kValueGradients) != 0 && dv) {
    store_rows<WIDTH>(dv + product * p.keys * p.value_depth, values, one, k0, p.keys,
                      p.value_depth);
  }
}

struct BackwardOperands {
  const void *q, *k, *v, *y, *lse, *dy;
  void *dq, *dk, *dv, *workspace;
};

template <class T>
cudaError_t backward(const AttentionShape& p, const BackwardOperands& b, gs_stream stream) {
  using W = kx::wide<T>;
  const bool vectors = attention_vectors<T>(p, {b.q, b.k, b.v, b.dy});
  W* delta = static_cast<W*>(b.workspace);
  const TileOperands<T> o{static_cast<const T*>(b.q),   static_cast<const T*>(b.k),
                          static_cast<const T*>(b.v),   static_cast<const T*>(b.dy),
                          static_cast<const W*>(b.lse), delta};
  const int64_t rows = p.products * p.queries;
  cudaError_t error = cudaSuccess;
  if (rows > 0) {
    const int64_t wanted = (rows + kGroupThreads / 32 - 1) / (kGroupThreads / 32);
    const kx::launch_config config{dim3((unsigned)std::min(wanted, (int64_t)65536)),
                                   dim3(kGroupThreads), 0, stream_of(stream)};
    error = KX_LAUNCH(attention_delta_kernel<T>, config, rows, p.value_depth,
                      static_cast<const T*>(b.y), o.dy, delta);
  }
  if constexpr (sizeof(T) == 2) {
    if (std::max(p.depth, p.value_depth) <= kAttentionMmaLargest) {
      if (error != cudaSuccess) return error;
      return attention_backward_mma<T>(p, o, static_cast<T*>(b.dq), static_cast<T*>(b.dk),
                                       static_cast<T*>(b.dv), stream);
    }
  }
  if (error == cudaSuccess && b.dq && rows > 0) {
    error = with_attention_width<T>(p.depth, [&](auto width) {
      constexpr int WIDTH = width;
      return kx::launch("attention_queries_kernel", attention_queries_kernel<T, WIDTH>,
                        attention_config<W>(p.products, p.queries, stream), p, vectors, o,
                        static_cast<T*>(b.dq));
    });
  }
  if (error == cudaSuccess && (b.dk || b.dv) && p.products * p.keys > 0) {
    error = with_attention_width<T>(std::max(p.depth, p.value_depth), [&](auto width) {
      constexpr int WIDTH = width;
      const auto launch = [&](auto kernel) {
        return kx::launch("attention_keys_kernel", kernel,
                          attention_config<W>(p.products / p.sharing, p.keys, stream), p, vectors,
                          o, static_cast<T*>(b.dk), static_cast<T*>(b.dv));
      };
      // The sums of both fit the registers only up to here.
      if constexpr (sizeof(W) * WIDTH <= 512) {
        return launch(attention_keys_kernel<T, WIDTH, kBothGradients>);
      } else {
        cudaError_t done = cudaSuccess;
        if (b.dk) done = launch(attention_keys_kernel<T, WIDTH, kKeyGradients>);
        if (done != cudaSuccess || !b.dv) return done;
        return launch(attention_keys_kernel<T, WIDTH, kValueGradients>);
      }
    });
  }
  return error;
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_attention_workspace(const gs_attention* attention, int64_t* bytes) {
  gs::AttentionShape p;
  if (const gs_status s = gs::check_attention(attention, &p)) return s;
  GS_REQUIRE(bytes, "attention: bytes must not be null");
  *bytes = p.products * p.queries * (attention->type == GS_F64 ? 8 : 4);
  return GS_OK;
}

extern "C" gs_status gs_attention_backward(const gs_attention* attention, const void* q,
                                           const void* k, const void* v, const void* y,
                                           const void* lse, const void* dy, void* dq, void* dk,
                                           void* dv, void* workspace, gs_stream stream) {
  gs::AttentionShape p;
  if (const gs_status s = gs::check_attention(attention, &p)) return s;
  const bool queries = p.products * p.queries > 0, keys = p.products * p.keys > 0;
  GS_REQUIRE((!queries || ((q || p.depth == 0) && ((y && dy) || p.value_depth == 0) && lse)) &&
                 (!keys || ((k || p.depth == 0) && (v || p.value_depth == 0))),
             "attention: operands must not be null");
  GS_REQUIRE(!queries || workspace, "attention: the workspace must not be null");
  const gs::BackwardOperands b{q, k, v, y, lse, dy, dq, dk, dv, workspace};
  return gs::check(gs::with_float(attention->type,
                                  [&](auto t) { return gs::backward<decltype(t)>(p, b, stream); }),
                   "attention_backward");
}
