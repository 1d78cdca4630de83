// A bf16 GEMM for the emulator's self-test: TMA into a ring of stages, mbarriers, wgmma.
// C[m x n] f32 = A[m x k] B[n x k]^T, row-major; k a multiple of 8. 64 x 64 x 64 tiles. Warps 0-3
// multiply, warp 4 loads.
#include "kx/kx.h"

namespace {
constexpr int BM = 64, BN = 64, BK = 64, STAGES = 3;

__global__ __launch_bounds__(160) void wgmma_gemm_kernel(int m, int n, int k,
                                                         const __grid_constant__ kx::tensor_map ta,
                                                         const __grid_constant__ kx::tensor_map tb,
                                                         float* __restrict__ c) {
  auto* as = kx::dynamic_shared<kx::bf16, 1024>();
  auto* bs = as + STAGES * BM * BK;
  KX_SHARED(full, uint64_t[STAGES]);
  KX_SHARED(empty, uint64_t[STAGES]);
  const int tid = threadIdx.x, warp = tid >> 5, lane = tid & 31;
  const int m0 = blockIdx.y * BM, n0 = blockIdx.x * BN, tiles = (k + BK - 1) / BK;
  if (tid == 0) {
    for (int s = 0; s < STAGES; s++) {
      kx::mbarrier_init(&full[s], 1);
      kx::mbarrier_init(&empty[s], 4);
    }
    kx::mbarrier_init_fence();
  }
  __syncthreads();
  if (warp == 4) {
    if (lane == 0) {
      for (int tile = 0; tile < tiles; tile++) {
        const int s = tile % STAGES, use = tile / STAGES;
        kx::mbarrier_wait(&empty[s], (use & 1) ^ 1);
        kx::mbarrier_arrive_expect(&full[s], (BM + BN) * BK * 2);
        kx::tma_load_2d(as + s * BM * BK, &ta, tile * BK, m0, &full[s]);
        kx::tma_load_2d(bs + s * BN * BK, &tb, tile * BK, n0, &full[s]);
      }
    }
    return;
  }
  float acc[32] = {};
  for (int tile = 0; tile < tiles; tile++) {
    const int s = tile % STAGES, use = tile / STAGES;
    kx::mbarrier_wait(&full[s], use & 1);
    kx::wgmma_fence(acc);
#pragma unroll
    for (int step = 0; step < BK / 16; step++) {
      kx::wgmma<64, kx::bf16>(acc, kx::matrix_descriptor_k128(as + s * BM * BK) + 2 * step,
                              kx::matrix_descriptor_k128(bs + s * BN * BK) + 2 * step);
    }
    kx::wgmma_commit();
    kx::wgmma_wait<0>(acc);
    if (lane == 0) kx::mbarrier_arrive(&empty[s]);
  }
#pragma unroll
  for (int i = 0; i < 32; i++) {
    const int row = m0 + warp * 16 + (lane >> 2) + ((i >> 1) & 1) * 8;
    const int col = n0 + (i >> 2) * 8 + (lane & 3) * 2 + (i & 1);
    if (row < m && col < n) c[(size_t)row * n + col] = acc[i];
  }
}
}  // namespace

extern "C" int test_gemm(int m, int n, int k, const void* a, const void* b, float* c) {
  kx::tensor_map ta, tb;
  if (const int error = kx::make_tensor_map_bf16(&ta, a, m, k, BM, BK)) return error;
  if (const int error = kx::make_tensor_map_bf16(&tb, b, n, k, BN, BK)) return error;
  const dim3 grid((n + BN - 1) / BN, (m + BM - 1) / BM);
  return KX_LAUNCH(wgmma_gemm_kernel,
                   (kx::launch_config{grid, dim3(160), STAGES * (BM + BN) * BK * 2}), m, n, k, ta,
                   tb, c);
}
