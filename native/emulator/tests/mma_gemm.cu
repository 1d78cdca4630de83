// A bf16 GEMM for the emulator's self-test: cp.async in two stages, ldmatrix, mma.sync.
// C[m x n] f32 = A[m x k] B[k x n], row-major; k and n multiples of 8. 128 x 128 x 32 tiles, 8
// warps of 64 x 32, shared memory swizzled by XOR.
#include "kx/kx.h"

namespace {
using kx::bf16;
constexpr int BM = 128, BN = 128, BK = 32, STAGES = 2;

// Chunks of 8 elements; the XOR keeps the 8 rows of an ldmatrix in different banks.
__device__ __forceinline__ int a_offset(int row, int chunk) {
  return row * BK + ((chunk ^ ((row >> 1) & 3)) << 3);
}
__device__ __forceinline__ int b_offset(int row, int chunk) {
  return row * BN + ((chunk ^ (row & 7)) << 3);
}

__global__ __launch_bounds__(256, 2) void mma_gemm_kernel(int m, int n, int k,
                                                          const bf16* __restrict__ a,
                                                          const bf16* __restrict__ b,
                                                          float* __restrict__ c) {
  bf16* as = kx::dynamic_shared<bf16>();
  bf16* bs = as + STAGES * BM * BK;
  const int tid = threadIdx.x, lane = tid & 31, warp = tid >> 5;
  const int wm = (warp & 1) * 64, wn = (warp >> 1) * 32;
  const int m0 = blockIdx.y * BM, n0 = blockIdx.x * BN, tiles = (k + BK - 1) / BK;
  float acc[4][4][4] = {};
  const auto load = [&](int tile, int stage) {
    const int k0 = tile * BK;
#pragma unroll
    for (int i = 0; i < 2; i++) {
      const int e = tid + i * 256, r = e >> 2, chunk = e & 3, gm = m0 + r, gk = k0 + chunk * 8;
      const bool in_a = gm < m && gk < k;
      kx::copy_async<16>(as + stage * BM * BK + a_offset(r, chunk),
                         a + (in_a ? (size_t)gm * k + gk : 0), in_a);
      const int br = e >> 4, bchunk = e & 15, bk = k0 + br, bn = n0 + bchunk * 8;
      const bool in_b = bk < k && bn < n;
      kx::copy_async<16>(bs + stage * BK * BN + b_offset(br, bchunk),
                         b + (in_b ? (size_t)bk * n + bn : 0), in_b);
    }
    kx::copy_async_commit();
  };
  load(0, 0);
  for (int tile = 0; tile < tiles; tile++) {
    if (tile + 1 < tiles) {
      load(tile + 1, (tile + 1) & 1);
    } else {
      kx::copy_async_commit();
    }
    kx::copy_async_wait<1>();
    __syncthreads();  // the other threads' copies of this stage
    const bf16* at = as + (tile & 1) * BM * BK;
    const bf16* bt = bs + (tile & 1) * BK * BN;
#pragma unroll
    for (int kk = 0; kk < BK; kk += 16) {
      uint32_t fa[4][4], fb[2][4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        kx::ldmatrix_x4(fa[i], at + a_offset(wm + i * 16 + (lane & 15), (kk >> 3) + (lane >> 4)));
      }
#pragma unroll
      for (int j = 0; j < 2; j++) {
        kx::ldmatrix_x4<true>(fb[j],
                              bt + b_offset(kk + (lane & 15), ((wn + j * 16) >> 3) + (lane >> 4)));
      }
#pragma unroll
      for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
          kx::mma_bf16(acc[i][j], fa[i], fb[j >> 1][(j & 1) * 2], fb[j >> 1][(j & 1) * 2 + 1]);
        }
      }
    }
    __syncthreads();  // the next iteration overwrites this stage
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const int row = m0 + wm + i * 16 + (lane >> 2) + h * 8;
        const int col = n0 + wn + j * 8 + (lane & 3) * 2;
        if (row < m && col < n) {
          *reinterpret_cast<float2*>(&c[(size_t)row * n + col]) =
              make_float2(acc[i][j][h * 2], acc[i][j][h * 2 + 1]);
        }
      }
    }
  }
}
}  // namespace

extern "C" int test_gemm(int m, int n, int k, const void* a, const void* b, float* c) {
  const dim3 grid((n + BN - 1) / BN, (m + BM - 1) / BM);
  return KX_LAUNCH(
      mma_gemm_kernel,
      (kx::launch_config{grid, dim3(256), STAGES * (BM * BK + BK * BN) * sizeof(bf16)}), m, n, k,
      static_cast<const bf16*>(a), static_cast<const bf16*>(b), c);
}
