// Matrix product of bf16 or f16 on Hopper's tensor cores (sm_90a): TMA into a ring of stages,
// mbarriers, wgmma; f32 sums.
//
// | kernel | tile | for |
// |---|---|---|
// | gemm_wgmma_kernel<T, TA, TB, 64> | 128 x 64 x 64, 8 stages | small products |
// | gemm_wgmma_kernel<T, TA, TB, 128> | 128 x 128 x 64, 6 stages | few tiles |
// | gemm_wgmma_kernel<T, TA, TB, 256> | 128 x 256 x 64, 4 stages | many |
//
// Three warpgroups: one thread of the first loads, the other two multiply 64 rows each. One block a
// multiprocessor takes tiles in turn; while the results of one are stored, the loads of the next
// are under way. Operands are read as they lie in memory: wgmma takes tiles whose rows run along k
// and tiles whose rows run along the side, both swizzled over 128 bytes.
#include <algorithm>

#include "device.h"
#include "gemm.h"

namespace gs {
namespace {
constexpr int kRows = 128, kDepth = 64;  // of a tile and a step
constexpr int kThreads = 384, kConsumers = 2;
constexpr int kSpan = 128;             // bytes: the swizzle's, and 64 elements
constexpr int kBox = 64 * kSpan;       // bytes of 64 rows
constexpr int kSliceFloats = 16 * 32;  // results of a warp on their way out
constexpr int kRegistersToLoad = 40, kRegistersToMultiply = 232;
template <int BN>
constexpr int kStages = BN == 256   ? 4
                        : BN == 128 ? 6
                                    : 8;
template <int BN>
constexpr int kStageBytes = (kRows + BN) * kSpan;
template <int BN>
constexpr int kSharedBytes = kStages<BN> * kStageBytes<BN> + 8 * kSliceFloats * 4;

// A tile of one product and one part of k.
struct Work {
  int64_t m0, n0, product, split;
  int k0, steps;
};
template <int BN>
struct Schedule {
  int64_t rows, cols, count;

  KX_DEVICE explicit Schedule(const GemmArguments<float>& p)
      : rows((p.m + kRows - 1) / kRows),
        cols((p.n + BN - 1) / BN),
        count(rows * cols * p.batch * p.splits) {}
  KX_DEVICE Work at(const GemmArguments<float>& p, int64_t index) const {
    const int64_t tiles = rows * cols;
    const TilePlace place = tile_place(index % tiles, rows, cols);
    const int64_t rest = index / tiles, split = rest / p.batch;
    const int64_t k0 = split * p.chunk;
    return {place.row * kRows, place.col * BN,
            rest % p.batch,    split,
            (int)k0,           (int)((min(p.k - k0, p.chunk) + kDepth - 1) / kDepth)};
  }
};

// Place in the ring, and the parity of its use.
template <int STAGES>
struct Ring {
  int stage = 0;
  unsigned parity = 0;

  KX_DEVICE void advance() {
    if (++stage == STAGES) stage = 0, parity ^= 1;
  }
};

// An operand's SIDE rows of 64 along k in one box, or for ALONG_K = false its 64 rows of SIDE
// elements, a box for each 64 of them. side and k: of the first element.
template <bool ALONG_K, int SIDE>
KX_DEVICE void load_operand(char* stage, const kx::tensor_map* map, int64_t side, int k,
                            int64_t product, uint64_t* bar) {
  if constexpr (ALONG_K) {
    kx::tma_load_3d(stage, map, k, (int)side, (int)product, bar);
  } else {
#pragma unroll
    for (int i = 0; i < SIDE; i += 64) {
      kx::tma_load_3d(stage + i * kSpan, map, (int)side + i, k, (int)product, bar);
    }
  }
}

// The operand's 16 k from `step` on, from the 64 rows (or elements of rows) at `tile` on.
template <bool ALONG_K>
KX_DEVICE uint64_t descriptor(const char* tile, int step) {
  if constexpr (ALONG_K) return kx::matrix_descriptor_k128(tile) + 2 * step;
  return kx::matrix_descriptor(tile, kBox, 8 * kSpan, kx::Swizzle::k128) + 16 * kSpan / 16 * step;
}

template <class T, bool TA, bool TB, int BN>
__global__ __launch_bounds__(kThreads, 1) void gemm_wgmma_kernel(
    const __grid_constant__ GemmArguments<float> p, const __grid_constant__ kx::tensor_map map_a,
    const __grid_constant__ kx::tensor_map map_b) {
  constexpr int S = kStages<BN>, kOperandA = kRows * kSpan;
  char* shared = kx::dynamic_shared<char, 1024>();
  KX_SHARED(full, uint64_t[S]);
  KX_SHARED(empty, uint64_t[S]);
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, group = warp / 4;
  if (threadIdx.x == 0) {
    kx::tma_prefetch(&map_a);
    kx::tma_prefetch(&map_b);
    for (int s = 0; s < S; s++) {
      kx::mbarrier_init(&full[s], 1);
      kx::mbarrier_init(&empty[s], kConsumers * 4);
    }
    kx::mbarrier_init_fence();
  }
  __syncthreads();
  const Schedule<BN> schedule(p);
  Ring<S> ring;

  if (group == 0) {
    kx::give_registers_back<kRegistersToLoad>();
    if (threadIdx.x != 0) return;
    const bool one_a = p.stride_a == 0, one_b = p.stride_b == 0;
    for (int64_t index = blockIdx.x; index < schedule.count; index += gridDim.x) {
      const Work w = schedule.at(p, index);
      for (int step = 0; step < w.steps; step++, ring.advance()) {
        char* stage = shared + ring.stage * kStageBytes<BN>;
        uint64_t* bar = &full[ring.stage];
        kx::mbarrier_wait(&empty[ring.stage], ring.parity ^ 1);
        kx::mbarrier_arrive_expect(bar, kStageBytes<BN>);
        const int k = w.k0 + step * kDepth;
        load_operand<!TA, kRows>(stage, &map_a, w.m0, k, one_a ? 0 : w.product, bar);
        load_operand<TB, BN>(stage + kOperandA, &map_b, w.n0, k, one_b ? 0 : w.product, bar);
      }
    }
    return;
  }

  kx::take_registers<kRegistersToMultiply>();
  float* slice = reinterpret_cast<float*>(shared + S * kStageBytes<BN>) + (warp - 4) * kSliceFloats;
  float sums[BN / 2];
  for (int64_t index = blockIdx.x; index < schedule.count; index += gridDim.x) {
    const Work w = schedule.at(p, index);
    int last = 0;
    for (int step = 0; step < w.steps; step++, ring.advance()) {
      const char* a = shared + ring.stage * kStageBytes<BN> + (group - 1) * kBox;
      const char* b = shared + ring.stage * kStageBytes<BN> + kOperandA;
      kx::mbarrier_wait(&full[ring.stage], ring.parity);
      kx::wgmma_fence(sums);
#pragma unroll
      for (int i = 0; i < kDepth / 16; i++) {
        kx::wgmma<BN, T, TA, !TB>(sums, descriptor<!TA>(a, i), descriptor<TB>(b, i), step + i > 0);
      }
      kx::wgmma_commit();
      kx::wgmma_wait_for_others<1>();
      // The step before is done: its stage may be loaded again.
      if (step > 0 && lane == 0) kx::mbarrier_arrive(&empty[last]);
      last = ring.stage;
    }
    kx::wgmma_wait<0>(sums);
    if (lane == 0) kx::mbarrier_arrive(&empty[last]);

    const int64_t row = w.m0 + (group - 1) * 64 + warp % 4 * 16;
#pragma unroll 1  // one copy of the epilogue's code; the sums are registers, hence the inner loop
    for (int turn = 0; turn < BN / 32; turn++) {
#pragma unroll
      for (int t = 0; t < BN / 32; t++) {
        if (t != turn) continue;
#pragma unroll
        for (int j = 0; j < 4; j++) {
#pragma unroll
          for (int h = 0; h < 2; h++) {
            const int i = t * 16 + j * 4 + h * 2;
            *reinterpret_cast<float2*>(slice_place(slice, lane / 4 + h * 8, j * 8 + lane % 4 * 2)) =
                make_float2(sums[i], sums[i + 1]);
          }
        }
      }
      __syncwarp();  // the slice is complete
      store_rows<16, 32, 32>(p, slice, w.product, w.split, row, w.n0 + turn * 32);
      __syncwarp();  // before the slice is overwritten
    }
  }
}

// ---- launchers ----
int map_of(kx::tensor_map* map, const void* base, int64_t rows, int64_t cols, int64_t pitch,
           int64_t batch, int64_t stride, bool along_k, int side) {
  const int64_t count = stride == 0 ? 1 : batch;
  // The driver wants a valid distance even where there is nothing at it.
  const kx::matrices all{base, rows, cols, pitch, count, count == 1 ? pitch : stride};
  return kx::make_tensor_map(map, all, along_k ? side : 64, 64, kx::Swizzle::k128, 3);
}

template <class T, int BN>
cudaError_t launch(const GemmArguments<float>& p, cudaStream_t stream) {
  kx::tensor_map a, b;
  int error = map_of(&a, p.a, p.trans_a ? p.k : p.m, p.trans_a ? p.m : p.k, p.lda, p.batch,
                     p.stride_a, !p.trans_a, kRows);
  if (error == 0) {
    error = map_of(&b, p.b, p.trans_b ? p.n : p.k, p.trans_b ? p.k : p.n, p.ldb, p.batch,
                   p.stride_b, p.trans_b, BN);
  }
  if (error != 0) return static_cast<cudaError_t>(error);
  const int64_t tiles = (p.m + kRows - 1) / kRows * ((p.n + BN - 1) / BN) * p.batch * p.splits;
  const int64_t blocks = std::min(tiles, (int64_t)std::max(device_multiprocessors(), 1));
  const kx::launch_config config{dim3((unsigned)blocks), dim3(kThreads), kSharedBytes<BN>, stream};
  const auto kernel = p.trans_a   ? p.trans_b ? gemm_wgmma_kernel<T, true, true, BN>
                                              : gemm_wgmma_kernel<T, true, false, BN>
                        : p.trans_b ? gemm_wgmma_kernel<T, false, true, BN>
                                  : gemm_wgmma_kernel<T, false, false, BN>;
  return kx::launch("gemm_wgmma_kernel", kernel, config, p, a, b);
}

template <class T>
cudaError_t launch(const GemmArguments<float>& p, cudaStream_t stream) {
  return p.tile == 256   ? launch<T, 256>(p, stream)
         : p.tile == 128 ? launch<T, 128>(p, stream)
                         : launch<T, 64>(p, stream);
}
}  // namespace

cudaError_t gemm_wgmma(const GemmArguments<float>& p, cudaStream_t stream) {
  return p.a_type == GS_BF16 ? launch<kx::bf16>(p, stream) : launch<kx::f16>(p, stream);
}
}  // namespace gs
