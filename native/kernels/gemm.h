// What the matrix products share: their arguments, the order of tiles, and what is done to a sum
// before it is stored. gemm.cu checks, chooses and adds the parts of k; gemm_simt.cu, gemm_mma.cu
// and gemm_sm90a.cu multiply.
#pragma once
#include "activations.h"
#include "tiles.h"

namespace gs {
// Blocks along the batch; more products than that are done by blocks in turn.
constexpr int kGemmProductBlocks = 512;

// W: the type of sums, double when the operands are f64, else float.
template <class W>
struct GemmArguments {
  int64_t m, n, k, lda, ldb, ldc, batch, stride_a, stride_b, stride_c;
  const void *a, *b, *bias;
  void *c, *aux;
  W alpha, beta;
  W* partial;     // splits > 1: the sums of each part of k, [splits][batch][m][n]
  int64_t chunk;  // k of a part, a multiple of every kernel's step
  int32_t splits;
  int32_t a_type, b_type, c_type;
  int32_t activation;
  bool trans_a, trans_b;
  bool backward;
  bool plain;    // C = alpha A B: no beta, bias, aux or activation
  int32_t tile;  // side of C's tiles; 256: 256 x 128; wgmma: columns of its tiles of 128 rows
  bool vector_a, vector_b, vector_c;  // 16 bytes of A and B, 4 elements of C and aux at a time
};

// Place of a tile, in tiles.
struct TilePlace {
  int64_t row, col;
};
// Bands of 8 rows of tiles, column by column: neighbours share operands in the L2 cache.
__host__ __device__ constexpr TilePlace tile_place(int64_t index, int64_t rows, int64_t cols) {
  const int64_t band = index / (8 * cols), in_band = index % (8 * cols);
  const int64_t rest = rows - band * 8, height = rest < 8 ? rest : 8;
  return {band * 8 + in_band % height, in_band / height};
}

// Four neighbours of a row in one access.
template <class C>
struct alignas(sizeof(C) < 4 ? 4 * sizeof(C) : 16) Quad {
  C v[4];
};
template <class W, class C>
KX_DEVICE void load_quad(W (&to)[4], const C* from, int count, bool vector) {
  Quad<C> q;
  if (vector) {
    q = *reinterpret_cast<const Quad<C>*>(from);
  } else {
#pragma unroll
    for (int i = 0; i < 4; i++) q.v[i] = i < count ? from[i] : kx::from_float<C>(0);
  }
#pragma unroll
  for (int i = 0; i < 4; i++) to[i] = kx::to_float(q.v[i]);
}
template <class W, class C>
KX_DEVICE void store_quad(C* to, const W (&from)[4], int count, bool vector) {
  Quad<C> q;
#pragma unroll
  for (int i = 0; i < 4; i++) q.v[i] = kx::from_float<C>(from[i]);
  if (vector) {
    *reinterpret_cast<Quad<C>*>(to) = q;
  } else {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (i < count) to[i] = q.v[i];
    }
  }
}

template <class W, class C>
KX_DEVICE void finish_as(const GemmArguments<W>& p, W (&z)[4], int64_t offset, int64_t col,
                         int count) {
  C* c = static_cast<C*>(p.c) + offset;
  C* aux = static_cast<C*>(p.aux) + offset;
  const bool vector = p.vector_c && count == 4;
  W other[4];
#pragma unroll
  for (int i = 0; i < 4; i++) z[i] *= p.alpha;
  if (p.beta != W(0)) {
    load_quad(other, c, count, vector);
#pragma unroll
    for (int i = 0; i < 4; i++) z[i] += p.beta * other[i];
  }
  if (p.backward) {
    load_quad(other, aux, count, vector);
#pragma unroll
    for (int i = 0; i < 4; i++) z[i] *= activation_derivative(p.activation, other[i]);
  } else {
    if (p.bias) {
      load_quad(other, static_cast<const C*>(p.bias) + col, count, false);
#pragma unroll
      for (int i = 0; i < 4; i++) z[i] += other[i];
    }
    if (p.aux) store_quad(aux, z, count, vector);
    if (p.activation != GS_IDENTITY) {
#pragma unroll
      for (int i = 0; i < 4; i++) z[i] = activate(p.activation, z[i]);
    }
  }
  store_quad(c, z, count, vector);
}

// The epilogue of up to four neighbours, from their sums to C. offset: of the first in C.
template <class W>
KX_DEVICE void finish(const GemmArguments<W>& p, W (&z)[4], int64_t offset, int64_t col,
                      int count) {
  if constexpr (std::is_same_v<W, double>) {
    finish_as<W, double>(p, z, offset, col, count);
  } else if (p.c_type == GS_BF16) {
    finish_as<W, kx::bf16>(p, z, offset, col, count);
  } else if (p.c_type == GS_F16) {
    finish_as<W, kx::f16>(p, z, offset, col, count);
  } else {
    finish_as<W, float>(p, z, offset, col, count);
  }
}

// Where a part of k has its sums of a row.
template <class W>
KX_DEVICE W* partial_row(const GemmArguments<W>& p, int64_t split, int64_t product, int64_t row) {
  return p.partial + ((split * p.batch + product) * p.m + row) * p.n;
}

// The lanes' quads of ROWS x COLS sums in the warp's slice of shared memory: of row r, which is
// lane / kQuads and every 32 / kQuads more. PITCH = COLS: the slice is one of slice_place.
template <int COLS, int PITCH, class W>
KX_DEVICE void load_from_slice(W (&z)[4], const W* slice, int r, int quad) {
  load4(z, slice + r * PITCH + (PITCH == COLS ? exchanged_quad(r, quad) : quad) * 4);
}

// Those times alpha to C, without anything else to be done.
template <int ROWS, int COLS, int PITCH, class C, class W>
KX_DEVICE void store_plain_rows(const GemmArguments<W>& p, const W* slice, C* to, int64_t rows,
                                int count) {
  constexpr int kQuads = COLS / 4;
  const int quad = threadIdx.x % kQuads, r0 = threadIdx.x % 32 / kQuads;
  const bool vector = p.vector_c && count == 4;
  to += r0 * p.ldc;
#pragma unroll
  for (int r = 0; r < ROWS; r += 32 / kQuads) {
    W z[4];
    load_from_slice<COLS, PITCH>(z, slice, r0 + r, quad);
#pragma unroll
    for (int i = 0; i < 4; i++) z[i] *= p.alpha;
    if (r0 + r < rows) store_quad(to, z, count, vector);
    to += 32 / kQuads * p.ldc;
  }
}

// ROWS x COLS sums, from the warp's slice of shared memory to C, or to their part's place.
// Neighbouring lanes take neighbouring quads.
template <int ROWS, int COLS, int PITCH, class W>
KX_DEVICE void store_rows(const GemmArguments<W>& p, const W* slice, int64_t product, int64_t split,
                          int64_t row0, int64_t col0) {
  constexpr int kQuads = COLS / 4;  // of a row
  static_assert(32 % kQuads == 0 && ROWS % (32 / kQuads) == 0);
  const int lane = threadIdx.x % 32, quad = lane % kQuads;
  const int64_t col = col0 + quad * 4;
  const int count = (int)min(p.n - col, (int64_t)4);
  if (count <= 0) return;
  if (p.splits == 1 && p.plain) {
    const int64_t first = product * p.stride_c + row0 * p.ldc + col, rows = p.m - row0;
    if constexpr (std::is_same_v<W, double>) {
      store_plain_rows<ROWS, COLS, PITCH>(p, slice, static_cast<double*>(p.c) + first, rows, count);
    } else if (p.c_type == GS_BF16) {
      store_plain_rows<ROWS, COLS, PITCH>(p, slice, static_cast<kx::bf16*>(p.c) + first, rows,
                                          count);
    } else if (p.c_type == GS_F16) {
      store_plain_rows<ROWS, COLS, PITCH>(p, slice, static_cast<kx::f16*>(p.c) + first, rows,
                                          count);
    } else {
      store_plain_rows<ROWS, COLS, PITCH>(p, slice, static_cast<float*>(p.c) + first, rows, count);
    }
    return;
  }
#pragma unroll 1  // one copy of the epilogue's code
  for (int r = lane / kQuads; r < ROWS; r += 32 / kQuads) {
    const int64_t row = row0 + r;
    if (row >= p.m) return;
    W z[4];
    load_from_slice<COLS, PITCH>(z, slice, r, quad);
    if (p.splits > 1) {
      store_quad(partial_row(p, split, product, row) + col, z, count, p.n % 4 == 0);
    } else {
      finish(p, z, product * p.stride_c + row * p.ldc + col, col, count);
    }
  }
}

// The launchers of the kernel files; arguments are complete, sizes are not 0. gemm_simt takes any
// types, gemm_mma bf16, f16 and (rounded to tf32) f32 for both A and B.
cudaError_t gemm_simt(const GemmArguments<float>& p, cudaStream_t stream);
cudaError_t gemm_simt(const GemmArguments<double>& p, cudaStream_t stream);
cudaError_t gemm_mma(const GemmArguments<float>& p, cudaStream_t stream);
// bf16 and f16 whose rows, products and first elements are at multiples of 16 bytes;
// capability 9.0.
cudaError_t gemm_wgmma(const GemmArguments<float>& p, cudaStream_t stream);
}  // namespace gs
