// General matrix product without tensor cores: strict f32, and f64.
//
// | kernel | tile | for |
// |---|---|---|
// | gemm_tiled_kernel<T, TA, TB, 1> | 64 x 64 x 8, 4 x 4 a thread | f64; small f32 products |
// | gemm_tiled_kernel<T, TA, TB, 2> | 128 x 128 x 8, 8 x 8 a thread as 4 x 4 quads | f32 |
//
// 256 threads; warps of 32 Q x 16 Q elements. Operands come through a ring of shared-memory stages
// filled by cp.async, A and B both stored k by k, so that a thread reads its rows and columns as
// vectors. One barrier for each step of 8 along k.
#include "activations.h"
#include "kx/kx.h"
#include "status.h"

namespace gs {
namespace {
constexpr int kThreads = 256, kStep = 8, kStages = 4;
// Blocks along the batch; more products than that are done by blocks in turn.
constexpr int kProductBlocks = 1024;

template <class T>
struct GemmArguments {
  int64_t m, n, k, lda, ldb, ldc, batch, stride_a, stride_b, stride_c;
  const T *a, *b, *bias;
  T *c, *aux;
  T alpha, beta;
  int activation;
  bool backward, vector_a, vector_b;
};

template <class T>
KX_DEVICE void load4(T (&to)[4], const T* from) {
  if constexpr (sizeof(T) == 4) {
    const float4 v = *reinterpret_cast<const float4*>(from);
    to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
  } else {
    const double2 v = reinterpret_cast<const double2*>(from)[0];
    const double2 w = reinterpret_cast<const double2*>(from)[1];
    to[0] = v.x, to[1] = v.y, to[2] = w.x, to[3] = w.y;
  }
}
template <class T>
KX_DEVICE void store4(T* to, const T (&from)[4]) {
  if constexpr (sizeof(T) == 4) {
    *reinterpret_cast<float4*>(to) = make_float4(from[0], from[1], from[2], from[3]);
  } else {
    reinterpret_cast<double2*>(to)[0] = make_double2(from[0], from[1]);
    reinterpret_cast<double2*>(to)[1] = make_double2(from[2], from[3]);
  }
}

// Starts copying an operand's tile into stage[kStep][SIDE + 4]: kStep along k, of which k_left
// exist, SIDE along the other dimension, of which side_left exist; zeros outside. K_CONTIGUOUS:
// neighbours along k are neighbours in memory. The padding of 4 keeps the transposing copies free
// of bank conflicts.
template <class T, int SIDE, bool K_CONTIGUOUS>
KX_DEVICE void load_tile(T* stage, const T* tile, int64_t ld, int side_left, int k_left,
                         bool vectors) {
  constexpr int kPitch = SIDE + 4, kVector = 16 / sizeof(T);
  const int tid = threadIdx.x;
  if constexpr (K_CONTIGUOUS) {
    const int kk = tid % kStep, i0 = tid / kStep;
    const T* from = tile + i0 * ld + kk;
#pragma unroll 2  // unrolled further, the addresses spill on sm_80
    for (int i = 0; i < SIDE; i += kThreads / kStep) {
      const bool inside = kk < k_left && i0 + i < side_left;
      kx::copy_async<sizeof(T)>(stage + kk * kPitch + i0 + i, inside ? from : tile, inside);
      from += kThreads / kStep * ld;
    }
  } else if (vectors) {  // side_left is a multiple of kVector
#pragma unroll 1         // as below
    for (int e = tid; e < kStep * SIDE / kVector; e += kThreads) {
      const int kk = e / (SIDE / kVector), i = e % (SIDE / kVector) * kVector;
      const bool inside = kk < k_left && i < side_left;
      kx::copy_async<16>(stage + kk * kPitch + i, inside ? tile + kk * ld + i : tile, inside);
    }
  } else {
    const int k0 = tid / SIDE, i = tid % SIDE;
    const T* from = tile + k0 * ld + i;
#pragma unroll 2
    for (int kk = k0; kk < k0 + kStep; kk += kThreads / SIDE) {
      const bool inside = kk < k_left && i < side_left;
      kx::copy_async<sizeof(T)>(stage + kk * kPitch + i, inside ? from : tile, inside);
      from += kThreads / SIDE * ld;
    }
  }
}

// One element of the result before it is stored.
template <class T>
KX_DEVICE T finish(const GemmArguments<T>& p, T sum, int64_t offset, int64_t col) {
  T z = p.alpha * sum;
  if (p.beta != T(0)) z += p.beta * p.c[offset];
  if (p.backward) return z * activation_derivative(p.activation, p.aux[offset]);
  if (p.bias) z += p.bias[col];
  if (p.aux) p.aux[offset] = z;
  return activate(p.activation, z);
}

// Q: quads of 4 x 4 elements a thread along each dimension.
template <class T, bool TA, bool TB, int Q>
__global__ __launch_bounds__(kThreads,
                             2) void gemm_tiled_kernel(const __grid_constant__ GemmArguments<T> p) {
  constexpr int kTile = 64 * Q, kStageSize = kStep * (kTile + 4);
  // After the last step the stages' memory holds, for each warp, 32 rows of its results.
  constexpr int kSlicePitch = 16 * Q + 4, kSlice = 32 * kSlicePitch;
  constexpr int kStaged = 2 * kStages * kStageSize, kSlices = kThreads / 32 * kSlice;
  constexpr int kShared = kStaged > kSlices ? kStaged : kSlices;
  KX_SHARED(shared, T[kShared]);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int row_in_tile = warp % 2 * 32 * Q + lane / 4 * 4;
  const int col_in_tile = warp / 2 * 16 * Q + lane % 4 * 4;

  // Blocks of 8 rows of tiles, column by column: neighbours share operands in the L2 cache.
  const int64_t rows = (p.m + kTile - 1) / kTile, cols = (p.n + kTile - 1) / kTile;
  const int64_t band = blockIdx.x / (8 * cols), in_band = blockIdx.x % (8 * cols);
  const int64_t height = min(rows - band * 8, (int64_t)8);
  const int64_t m0 = (band * 8 + in_band % height) * kTile, n0 = in_band / height * kTile;
  const int steps = (int)((p.k + kStep - 1) / kStep);
  const int rows_left = (int)min(p.m - m0, (int64_t)kTile);
  const int cols_left = (int)min(p.n - n0, (int64_t)kTile);

  for (int64_t product = blockIdx.y; product < p.batch; product += gridDim.y) {
    const T* a = p.a + product * p.stride_a + m0 * (TA ? 1 : p.lda);
    const T* b = p.b + product * p.stride_b + n0 * (TB ? p.ldb : 1);
    const auto load = [&](int step) {
      if (step < steps) {
        T* as = shared + step % kStages * (2 * kStageSize);
        const int64_t k0 = (int64_t)step * kStep;
        const int k_left = (int)min(p.k - k0, (int64_t)kStep);
        load_tile<T, kTile, !TA>(as, a + k0 * (TA ? p.lda : 1), p.lda, rows_left, k_left,
                                 p.vector_a);
        load_tile<T, kTile, TB>(as + kStageSize, b + k0 * (TB ? 1 : p.ldb), p.ldb, cols_left,
                                k_left, p.vector_b);
      }
      kx::copy_async_commit();  // also when empty: the waits count groups
    };
#pragma unroll 1
    for (int step = 0; step < kStages - 1; step++) load(step);
    T sums[Q][4][Q][4] = {};
    for (int step = 0; step < steps; step++) {
      kx::copy_async_wait<kStages - 2>();
      __syncthreads();  // this stage has landed; all are done with the one loaded next
      load(step + kStages - 1);
      const T* as = shared + step % kStages * (2 * kStageSize);
      const T* bs = as + kStageSize;
#pragma unroll
      for (int kk = 0; kk < kStep; kk++) {
        T av[Q][4], bv[Q][4];
#pragma unroll
        for (int q = 0; q < Q; q++) {
          load4(av[q], as + kk * (kTile + 4) + row_in_tile + q * 32);
          load4(bv[q], bs + kk * (kTile + 4) + col_in_tile + q * 16);
        }
#pragma unroll
        for (int qi = 0; qi < Q; qi++) {
#pragma unroll
          for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int qj = 0; qj < Q; qj++) {
#pragma unroll
              for (int j = 0; j < 4; j++) {
                sums[qi][i][qj][j] = fma(av[qi][i], bv[qj][j], sums[qi][i][qj][j]);
              }
            }
          }
        }
      }
    }
    __syncthreads();  // all have read the last stages, which the slices overwrite
    T* slice = shared + warp * kSlice;
    const int slice_row = lane / 4 * 4, slice_col = lane % 4 * 4;
#pragma unroll
    for (int qi = 0; qi < Q; qi++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int qj = 0; qj < Q; qj++) {
          store4(slice + (slice_row + i) * kSlicePitch + slice_col + qj * 16, sums[qi][i][qj]);
        }
      }
      __syncwarp();
      // Neighbouring lanes take neighbouring columns.
      const int64_t col = n0 + warp / 2 * 16 * Q + lane % (16 * Q);
#pragma unroll 1
      for (int r = lane / (16 * Q); r < 32; r += 2 / Q) {
        const int64_t row = m0 + warp % 2 * 32 * Q + qi * 32 + r;
        if (row < p.m && col < p.n) {
          const int64_t offset = product * p.stride_c + row * p.ldc + col;
          p.c[offset] = finish(p, slice[r * kSlicePitch + lane % (16 * Q)], offset, col);
        }
      }
      __syncwarp();  // before the slice is overwritten
    }
    __syncthreads();  // before the next product's copies overwrite the slices
  }
}

// ---- launchers ----
template <class T, int Q>
cudaError_t launch_tiled(const GemmArguments<T>& p, bool ta, bool tb, gs_stream stream) {
  constexpr int64_t kTile = 64 * Q;
  const int64_t tiles = (p.m + kTile - 1) / kTile * ((p.n + kTile - 1) / kTile);
  const kx::launch_config config{
      dim3((unsigned)tiles, (unsigned)min(p.batch, (int64_t)kProductBlocks)), dim3(kThreads), 0,
      stream_of(stream)};
  const auto kernel =
      ta   ? tb ? gemm_tiled_kernel<T, true, true, Q> : gemm_tiled_kernel<T, true, false, Q>
      : tb ? gemm_tiled_kernel<T, false, true, Q>
           : gemm_tiled_kernel<T, false, false, Q>;
  return kx::launch("gemm_tiled_kernel", kernel, config, p);
}

template <class T>
bool aligned(const T* p, int64_t extent, int64_t ld, int64_t stride) {
  constexpr int64_t kVector = 16 / sizeof(T);
  return reinterpret_cast<uintptr_t>(p) % 16 == 0 && extent % kVector == 0 && ld % kVector == 0 &&
         stride % kVector == 0;
}

// Whether (count - 1) * pitch + columns fits in what offsets can address, in elements.
bool addressable(int64_t count, int64_t pitch, int64_t columns) {
  int64_t product, sum;
  return count == 0 || (!__builtin_mul_overflow(count - 1, pitch, &product) &&
                        !__builtin_add_overflow(product, columns, &sum) && sum <= INT64_MAX / 16);
}

template <class T>
gs_status gemm(const gs_gemm* g, T alpha, const T* a, const T* b, T beta, T* c, const T* bias,
               T* aux, gs_stream stream) {
  GS_REQUIRE(g, "gemm: the description must not be null");
  GS_REQUIRE(g->m >= 0 && g->n >= 0 && g->k >= 0 && g->batch >= 0,
             "gemm: sizes must not be negative; m=%lld, n=%lld, k=%lld, batch=%lld",
             (long long)g->m, (long long)g->n, (long long)g->k, (long long)g->batch);
  const int64_t a_cols = g->trans_a ? g->m : g->k, b_cols = g->trans_b ? g->k : g->n;
  const int64_t a_rows = g->trans_a ? g->k : g->m, b_rows = g->trans_b ? g->n : g->k;
  GS_REQUIRE(g->lda >= a_cols && g->ldb >= b_cols && g->ldc >= g->n,
             "gemm: leading dimensions must be at least the stored columns; lda=%lld (%lld), "
             "ldb=%lld (%lld), ldc=%lld (%lld)",
             (long long)g->lda, (long long)a_cols, (long long)g->ldb, (long long)b_cols,
             (long long)g->ldc, (long long)g->n);
  GS_REQUIRE(g->stride_a >= 0 && g->stride_b >= 0 && g->stride_c >= 0,
             "gemm: strides must not be negative; stride_a=%lld, stride_b=%lld, stride_c=%lld",
             (long long)g->stride_a, (long long)g->stride_b, (long long)g->stride_c);
  GS_REQUIRE(addressable(a_rows, g->lda, a_cols) && addressable(b_rows, g->ldb, b_cols) &&
                 addressable(g->m, g->ldc, g->n) && addressable(g->batch, g->stride_a, 0) &&
                 addressable(g->batch, g->stride_b, 0) && addressable(g->batch, g->stride_c, 0),
             "gemm: operands must be addressable; m=%lld, n=%lld, k=%lld, batch=%lld",
             (long long)g->m, (long long)g->n, (long long)g->k, (long long)g->batch);
  GS_REQUIRE(g->batch <= 1 || g->m == 0 || g->n == 0 || g->stride_c >= (g->m - 1) * g->ldc + g->n,
             "gemm: products must not overlap in C; stride_c=%lld", (long long)g->stride_c);
  GS_REQUIRE(g->activation >= GS_IDENTITY && g->activation <= GS_GELU_TANH,
             "gemm: activation must be one of GS_IDENTITY..GS_GELU_TANH; activation=%d",
             g->activation);
  GS_REQUIRE(!g->backward || (!g->add_bias && !g->save_aux),
             "gemm: a backward form neither adds a bias nor saves aux");
  if (g->m == 0 || g->n == 0 || g->batch == 0) return GS_OK;
  const int64_t k = alpha == T(0) ? 0 : g->k;
  GS_REQUIRE(c, "gemm: c must not be null");
  GS_REQUIRE(k == 0 || (a && b), "gemm: a and b must not be null");
  GS_REQUIRE(!g->add_bias || bias, "gemm: bias must not be null with add_bias");
  GS_REQUIRE(!(g->save_aux || g->backward) || aux,
             "gemm: aux must not be null with save_aux or backward");

  GemmArguments<T> p{};
  p.m = g->m, p.n = g->n, p.k = k;
  p.lda = g->lda, p.ldb = g->ldb, p.ldc = g->ldc;
  p.batch = g->batch, p.stride_a = g->stride_a, p.stride_b = g->stride_b, p.stride_c = g->stride_c;
  p.a = a, p.b = b, p.c = c;
  p.bias = g->add_bias ? bias : nullptr;
  p.aux = g->save_aux || g->backward ? aux : nullptr;
  p.alpha = alpha, p.beta = beta;
  p.activation = g->activation;
  p.backward = g->backward != 0;
  p.vector_a = aligned(a, g->m, g->lda, g->stride_a);
  p.vector_b = aligned(b, g->n, g->ldb, g->stride_b);
  // Large tiles do twice the work for a byte loaded, small ones fill the device when C is small.
  const bool large = sizeof(T) == 4 && (p.m + 127) / 128 * ((p.n + 127) / 128) * p.batch >= 64;
  const int64_t side = large ? 128 : 64;
  const int64_t tile_rows = (p.m + side - 1) / side, tile_cols = (p.n + side - 1) / side;
  if (tile_rows > INT32_MAX / tile_cols || p.k > INT32_MAX) {
    return fail(
        GS_UNSUPPORTED,
        "gemm: C has more than 2^31 - 1 tiles, or k is above 2^31 - 1; m=%lld, n=%lld, k=%lld",
        (long long)p.m, (long long)p.n, (long long)p.k);
  }
  if constexpr (sizeof(T) == 4) {
    if (large) {
      return check(launch_tiled<T, 2>(p, g->trans_a, g->trans_b, stream), "gemm");
    }
  }
  return check(launch_tiled<T, 1>(p, g->trans_a, g->trans_b, stream), "gemm");
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_gemm_f32(const gs_gemm* gemm, float alpha, const float* a, const float* b,
                                 float beta, float* c, const float* bias, float* aux,
                                 gs_stream stream) {
  return gs::gemm(gemm, alpha, a, b, beta, c, bias, aux, stream);
}
extern "C" gs_status gs_gemm_f64(const gs_gemm* gemm, double alpha, const double* a,
                                 const double* b, double beta, double* c, const double* bias,
                                 double* aux, gs_stream stream) {
  return gs::gemm(gemm, alpha, a, b, beta, c, bias, aux, stream);
}
