// Matrix product on tensor cores by mma.sync (sm_80): bf16 and f16, and f32 rounded to tf32; f32
// sums.
//
// | kernel | tile | for |
// |---|---|---|
// | gemm_mma_kernel<T, TA, TB, 2> | 64 x 64, 4 warps of 32 x 32 | few tiles |
// | gemm_mma_kernel<T, TA, TB, 4> | 128 x 128, 8 warps of 64 x 32 | many |
//
// Operands come through a ring of four shared-memory stages (mma_tiles.h) filled by cp.async, one
// barrier a step.
#include <algorithm>

#include "gemm.h"
#include "mma_tiles.h"

namespace gs {
namespace {
constexpr int kStages = 4;

// How a thread copies its chunks of an operand's steps: one place in the first step, the others at
// fixed distances, so that little is kept in registers.
template <class T, bool ALONG_K, int SIDE, int THREADS>
struct OperandLoader {
  static constexpr int kRowChunks = ALONG_K ? kStepBytes / 16 : SIDE / kChunk<T>;
  static constexpr int kChunks = SIDE * kStepBytes / 16, kRows = THREADS / kRowChunks;
  static_assert(kChunks % THREADS == 0 && THREADS % kRowChunks == 0);
  const Bits<T>* at;

  // first: the tile's first element.
  KX_DEVICE void begin(const Bits<T>* first, int64_t ld) {
    at = first + (int)threadIdx.x / kRowChunks * ld + (int)threadIdx.x % kRowChunks * kChunk<T>;
  }

  // Starts copying a step; of the tile's SIDE elements side_left exist, of the step's depth k_left;
  // zeros outside. vectors: every chunk is aligned and wholly inside or outside; else elements are
  // loaded one by one. any: an address that may be read.
  KX_DEVICE void load(char* stage, int step, int64_t ld, int side_left, int k_left, bool vectors,
                      const void* any) const {
    const int row = (int)threadIdx.x / kRowChunks, chunk = (int)threadIdx.x % kRowChunks;
    const int rows_left = ALONG_K ? side_left : k_left;
    const int left = (ALONG_K ? k_left : side_left) - chunk * kChunk<T>;  // of a row
    const Bits<T>* from = at + (int64_t)step * kDepth<T> * (ALONG_K ? 1 : ld);
    if (vectors) {
#pragma unroll
      for (int r = 0; r < kChunks / kRowChunks; r += kRows) {
        const bool inside = row + r < rows_left && left > 0;
        kx::copy_async<16>(stage + chunk_offset<T, ALONG_K, SIDE>(row + r, chunk),
                           inside ? from + r * ld : any, inside);
      }
    } else {
#pragma unroll 1
      for (int r = 0; r < kChunks / kRowChunks; r += kRows) {
        uint32_t words[4] = {};
#pragma unroll
        for (int j = 0; j < kChunk<T>; j++) {
          const uint32_t bits = row + r < rows_left && j < left ? from[r * ld + j] : 0;
          words[j * sizeof(T) / 4] |= bits << (j * sizeof(T) % 4 * 8);
        }
        *reinterpret_cast<uint4*>(stage + chunk_offset<T, ALONG_K, SIDE>(row + r, chunk)) =
            make_uint4(words[0], words[1], words[2], words[3]);
      }
    }
  }
};

// MI: blocks of 16 rows of a warp. Warps lie 2 down; 2 or 4 across, of 32 columns each.
template <int MI>
constexpr int kSide = 32 * MI;
template <int MI>
constexpr int kThreads = 64 * MI;
template <int MI>
constexpr int kStageBytes = 2 * kSide<MI> * kStepBytes;

template <class T, bool TA, bool TB, int MI>
__global__ __launch_bounds__(kThreads<MI>, 512 / kThreads<MI>) void gemm_mma_kernel(
    const __grid_constant__ GemmArguments<float> p) {
  constexpr int kTile = kSide<MI>, kOperand = kStageBytes<MI> / 2;
  char* shared = kx::dynamic_shared<char, 128>();
  const int warp = threadIdx.x / 32;
  const int warp_row = warp % 2 * 16 * MI, warp_col = warp / 2 * 32;

  const int64_t tile_rows = (p.m + kTile - 1) / kTile, tile_cols = (p.n + kTile - 1) / kTile;
  const TilePlace place = tile_place(blockIdx.x, tile_rows, tile_cols);
  const int64_t m0 = place.row * kTile, n0 = place.col * kTile;
  const int64_t k_begin = blockIdx.z * p.chunk;
  const int depth = (int)min(p.k - k_begin, p.chunk), steps = (depth + kDepth<T> - 1) / kDepth<T>;
  const int rows_left = (int)min(p.m - m0, (int64_t)kTile);
  const int cols_left = (int)min(p.n - n0, (int64_t)kTile);

  for (int64_t product = blockIdx.y; product < p.batch; product += gridDim.y) {
    OperandLoader<T, !TA, kTile, kThreads<MI>> a;
    OperandLoader<T, TB, kTile, kThreads<MI>> b;
    a.begin(static_cast<const Bits<T>*>(p.a) + product * p.stride_a +
                (TA ? k_begin * p.lda + m0 : m0 * p.lda + k_begin),
            p.lda);
    b.begin(static_cast<const Bits<T>*>(p.b) + product * p.stride_b +
                (TB ? n0 * p.ldb + k_begin : k_begin * p.ldb + n0),
            p.ldb);
    const auto load = [&](int step) {
      if (step < steps) {
        char* stage = shared + step % kStages * kStageBytes<MI>;
        const int k_left = depth - step * kDepth<T>;
        a.load(stage, step, p.lda, rows_left, k_left, p.vector_a, p.a);
        b.load(stage + kOperand, step, p.ldb, cols_left, k_left, p.vector_b, p.b);
      }
      kx::copy_async_commit();  // also when empty: the waits count groups
    };
#pragma unroll 1
    for (int step = 0; step < kStages - 1; step++) load(step);
    float sums[MI][4][4] = {};
#pragma unroll 1
    for (int step = 0; step < steps; step++) {
      kx::copy_async_wait<kStages - 2>();
      __syncthreads();  // this stage has landed; all are done with the one loaded next
      load(step + kStages - 1);
      const char* as = shared + step % kStages * kStageBytes<MI>;
      const char* bs = as + kOperand;
#pragma unroll
      for (int half = 0; half < 2; half++) {
        uint32_t fa[MI][4], fb[2][4];
#pragma unroll
        for (int i = 0; i < MI; i++) {
          load_fragment<T, !TA, kTile, false>(fa[i], as, warp_row + i * 16, half);
        }
#pragma unroll
        for (int j = 0; j < 2; j++) {
          load_fragment<T, TB, kTile, true>(fb[j], bs, warp_col + j * 16, half);
        }
#pragma unroll
        for (int i = 0; i < MI; i++) {
#pragma unroll
          for (int j = 0; j < 4; j++) {
            multiply<T>(sums[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
          }
        }
      }
    }
    __syncthreads();  // all have read the last stages, which the slices overwrite
    float* slice = reinterpret_cast<float*>(shared) + warp * 16 * MI * 32;
    store_fragments(slice, sums);
    __syncwarp();  // the slice is complete
    store_rows<16 * MI, 32, 32>(p, slice, product, blockIdx.z, m0 + warp_row, n0 + warp_col);
    __syncthreads();  // before the next product's copies overwrite the slices
  }
}

// ---- launchers ----
template <class T, int MI>
cudaError_t launch(const GemmArguments<float>& p, cudaStream_t stream) {
  static_assert(kStages * kStageBytes<MI> >= kSide<MI> * kSide<MI> * 4, "the slices' place");
  const int64_t tiles = (p.m + kSide<MI> - 1) / kSide<MI> * ((p.n + kSide<MI> - 1) / kSide<MI>);
  const kx::launch_config config{
      dim3((unsigned)tiles, (unsigned)std::min(p.batch, (int64_t)kGemmProductBlocks),
           (unsigned)p.splits),
      dim3(kThreads<MI>), kStages * kStageBytes<MI>, stream};
  const auto kernel = p.trans_a   ? p.trans_b ? gemm_mma_kernel<T, true, true, MI>
                                              : gemm_mma_kernel<T, true, false, MI>
                        : p.trans_b ? gemm_mma_kernel<T, false, true, MI>
                                  : gemm_mma_kernel<T, false, false, MI>;
  return kx::launch("gemm_mma_kernel", kernel, config, p);
}

template <class T>
cudaError_t launch(const GemmArguments<float>& p, cudaStream_t stream) {
  return p.tile == 128 ? launch<T, 4>(p, stream) : launch<T, 2>(p, stream);
}
}  // namespace

cudaError_t gemm_mma(const GemmArguments<float>& p, cudaStream_t stream) {
  switch (p.a_type) {
    case GS_BF16:
      return launch<kx::bf16>(p, stream);
    case GS_F16:
      return launch<kx::f16>(p, stream);
    default:
      return launch<float>(p, stream);
  }
}
}  // namespace gs
