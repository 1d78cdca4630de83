// What the attention kernels share: the shape, and products of tiles by a block's 16 x 16 threads.
#pragma once
#include "elementwise.h"
#include "reduce.h"

namespace gs {
struct AttentionShape {
  int64_t products, sharing, queries, keys;
  int depth, value_depth;
  double scale;
  bool causal;

  // Whether query i looks at key j.
  KX_DEVICE bool pair(int64_t i, int64_t j) const {
    return i < queries && j < keys && (!causal || j <= i);
  }
};

// What a gradient reads; of all products, or of one.
template <class T>
struct TileOperands {
  const T *q, *k, *v, *dy;
  const kx::wide<T>*lse, *delta;
};

template <class T>
KX_DEVICE TileOperands<T> of_product(const AttentionShape& p, const TileOperands<T>& o,
                                     int64_t product) {
  const int64_t keys = product / p.sharing * p.keys;
  return {o.q + product * p.queries * p.depth, o.k + keys * p.depth,
          o.v + keys * p.value_depth,          o.dy + product * p.queries * p.value_depth,
          o.lse + product * p.queries,         o.delta + product * p.queries};
}

constexpr int kAttentionTile = 64;   // queries and keys of a tile
constexpr int kAttentionDepth = 32;  // columns of both operands in shared memory together
constexpr int kAttentionRows = 16;   // rows of an operand in shared memory together
constexpr int kAttentionLargest = 256, kAttentionLargestF64 = 64;  // depths, by registers

// Shared memory in elements: two operands side by side, or whole rows of one; then the weights.
constexpr int kAttentionPitch = kAttentionDepth + 1, kWeightPitch = kAttentionTile + 1;
constexpr int kAttentionOperands = 2 * kAttentionTile * kAttentionPitch;
static_assert(kAttentionRows * kAttentionLargest <= kAttentionOperands);
template <class W>
constexpr size_t attention_shared() {
  return sizeof(W) * (kAttentionOperands + kAttentionTile * kWeightPitch);
}

// A thread has rows 4 y + r and columns x + 16 c of a tile.
struct AttentionThread {
  int x, y;
  KX_DEVICE AttentionThread() : x(threadIdx.x % 16), y(threadIdx.x / 16) {}
  KX_DEVICE int row(int r) const { return 4 * y + r; }
  KX_DEVICE int col(int c) const { return x + 16 * c; }
};

// Over the 16 threads of a row; each gets the same.
template <class W, class Op>
KX_DEVICE W row_reduce(W v, Op op) {
#pragma unroll
  for (int o = 8; o > 0; o >>= 1) v = op(v, __shfl_xor_sync(0xffffffffu, v, o));
  return v;
}

// Rows first.. and columns column.. of a row-major [count][width], zeros beyond.
template <int ROWS, int COLS, class T, class W>
KX_DEVICE void load_tile(W* to, int pitch, const T* from, int64_t first, int64_t count, int column,
                         int width, bool vectors) {
  constexpr int V = Pack<T>::kSize;
  if (vectors) {
    for (int i = threadIdx.x; i < ROWS * COLS / V; i += kGroupThreads) {
      const int r = i / (COLS / V), c = i % (COLS / V) * V;
      Pack<T> pack{};
      const bool inside = first + r < count && column + c < width;
      if (inside) {
        pack = *reinterpret_cast<const Pack<T>*>(from + (first + r) * width + column + c);
      }
#pragma unroll
      for (int e = 0; e < V; e++) {
        to[r * pitch + c + e] = inside ? (W)kx::to_float(pack.v[e]) : W(0);
      }
    }
  } else {
    for (int i = threadIdx.x; i < ROWS * COLS; i += kGroupThreads) {
      const int r = i / COLS, c = i % COLS;
      const bool inside = first + r < count && column + c < width;
      to[r * pitch + c] = inside ? (W)kx::to_float(from[(first + r) * width + column + c]) : W(0);
    }
  }
}

// The products of rows of a tile of left with rows of a tile of right, both [..][width].
template <class T, class W>
KX_DEVICE void multiply_rows(W (&out)[4][4], W* operands, const T* left, int64_t left_first,
                             int64_t lefts, const T* right, int64_t right_first, int64_t rights,
                             int width, bool vectors) {
  const AttentionThread t;
  W *a = operands, *b = operands + kAttentionTile * kAttentionPitch;
#pragma unroll
  for (int r = 0; r < 4; r++) {
#pragma unroll
    for (int c = 0; c < 4; c++) out[r][c] = 0;
  }
  for (int column = 0; column < width; column += kAttentionDepth) {
    __syncthreads();  // all are done with the operands before
    load_tile<kAttentionTile, kAttentionDepth>(a, kAttentionPitch, left, left_first, lefts, column,
                                               width, vectors);
    load_tile<kAttentionTile, kAttentionDepth>(b, kAttentionPitch, right, right_first, rights,
                                               column, width, vectors);
    __syncthreads();  // both operands are complete
#pragma unroll 4
    for (int k = 0; k < kAttentionDepth; k++) {
      W av[4], bv[4];
#pragma unroll
      for (int r = 0; r < 4; r++) av[r] = a[t.row(r) * kAttentionPitch + k];
#pragma unroll
      for (int c = 0; c < 4; c++) bv[c] = b[t.col(c) * kAttentionPitch + k];
#pragma unroll
      for (int r = 0; r < 4; r++) {
#pragma unroll
        for (int c = 0; c < 4; c++) out[r][c] += av[r] * bv[c];
      }
    }
  }
}

// sums[r][j] += the weights of row r times the rows of `from`, or with TRANSPOSED of column r.
template <bool TRANSPOSED, int WIDTH, class T, class W>
KX_DEVICE void add_rows(W (&sums)[4][WIDTH / 16], const W* weights, W* operands, const T* from,
                        int64_t first, int64_t count, int width, bool vectors) {
  const AttentionThread t;
  for (int k0 = 0; k0 < kAttentionTile && first + k0 < count; k0 += kAttentionRows) {
    __syncthreads();  // the weights are complete; all are done with the operands before
    load_tile<kAttentionRows, WIDTH>(operands, WIDTH, from, first + k0, count, 0, width, vectors);
    __syncthreads();  // the rows are complete
#pragma unroll 2
    for (int k = 0; k < kAttentionRows; k++) {
      W w[4];
#pragma unroll
      for (int r = 0; r < 4; r++) {
        w[r] = TRANSPOSED ? weights[(k0 + k) * kWeightPitch + t.row(r)]
                          : weights[t.row(r) * kWeightPitch + k0 + k];
      }
#pragma unroll
      for (int j = 0; j < WIDTH / 16; j++) {
        const W v = operands[k * WIDTH + t.col(j)];
#pragma unroll
        for (int r = 0; r < 4; r++) sums[r][j] += w[r] * v;
      }
    }
  }
}

template <class W>
KX_DEVICE void store_weights(W* weights, const W (&v)[4][4]) {
  const AttentionThread t;
#pragma unroll
  for (int r = 0; r < 4; r++) {
#pragma unroll
    for (int c = 0; c < 4; c++) weights[t.row(r) * kWeightPitch + t.col(c)] = v[r][c];
  }
}

// Stores factor * sums as rows first.. of [count][width].
template <int WIDTH, class T, class W>
KX_DEVICE void store_rows(T* to, const W (&sums)[4][WIDTH / 16], const W (&factor)[4],
                          int64_t first, int64_t count, int width) {
  const AttentionThread t;
#pragma unroll
  for (int r = 0; r < 4; r++) {
#pragma unroll
    for (int j = 0; j < WIDTH / 16; j++) {
      if (first + t.row(r) < count && t.col(j) < width) {
        to[(first + t.row(r)) * width + t.col(j)] = kx::from_float<T>(sums[r][j] * factor[r]);
      }
    }
  }
}

__host__ __device__ constexpr int64_t attention_tiles(int64_t rows) {
  return (rows + kAttentionTile - 1) / kAttentionTile;
}
template <class W>
kx::launch_config attention_config(int64_t products, int64_t rows, gs_stream stream) {
  return {dim3((unsigned)(products * attention_tiles(rows))), dim3(kGroupThreads),
          attention_shared<W>(), stream_of(stream)};
}

// Calls f with the width of the kernels that rows of this width need.
template <class T, class F>
cudaError_t with_attention_width(int width, F f) {
  if constexpr (!std::is_same_v<T, double>) {
    if (width > 128) return f(std::integral_constant<int, kAttentionLargest>());
    if (width > 64) return f(std::integral_constant<int, 128>());
  }
  return f(std::integral_constant<int, 64>());
}

template <class T>
bool attention_vectors(const AttentionShape& p, std::initializer_list<const void*> pointers) {
  return p.depth % Pack<T>::kSize == 0 && p.value_depth % Pack<T>::kSize == 0 &&
         aligned16(pointers);
}

// Checks a description.
gs_status check_attention(const gs_attention* op, AttentionShape* p);

// ---- attention_mma.cu: bf16 and f16, depths up to kAttentionMmaLargest ----
constexpr int kAttentionMmaLargest = 128;
template <class T>
cudaError_t attention_forward_mma(const AttentionShape& p, const T* q, const T* k, const T* v, T* y,
                                  float* lse, gs_stream stream);
}  // namespace gs
