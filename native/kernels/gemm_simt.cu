// General matrix product without tensor cores: f64, strict f32, and f32 arithmetic on any mix of
// f32, bf16 and f16.
//
// | kernel | tile | for |
// |---|---|---|
// | gemm_tiled_kernel<double, TA, TB, 64> | 64 x 64 x 8, 4 x 4 a thread | f64 |
// | gemm_tiled_kernel<float, TA, TB, 64> | 64 x 64 x 16, 4 x 4 a thread | small f32 products |
// | gemm_tiled_kernel<float, TA, TB, 128> | 128 x 128 x 8, 8 x 8 a thread as 4 x 4 quads | f32 |
// | gemm_tiled_kernel<float, TA, TB, 256> | 256 x 128 x 8, 16 x 8 a thread | large f32 products |
// | gemm_mixed_kernel | 64 x 64 x 16 | other types, widened as they are loaded |
//
// 256 threads. Operands come through a ring of shared-memory stages filled by cp.async, A and B
// both stored k by k, so that a thread reads its rows and columns as vectors. These reads are what
// bounds small tiles of a thread on a chip with 128 lanes a multiprocessor: 8 x 8 need half of the
// products' time, 16 x 8 three eighths. One barrier for each step along k.
#include "gemm.h"
#include "status.h"

namespace gs {
namespace {
constexpr int kThreads = 256;

// How a tile of C is shared out: over warps, then quads of 4 x 4 elements of a thread, then lanes.
template <class T, int TILE>
struct Shares {
  // Small tiles are for products that take few steps: longer ones, so that more is under way.
  static constexpr int kStep = TILE == 64 && sizeof(T) == 4 ? 16 : 8;
  static constexpr bool kLarge = TILE == 256;
  static constexpr int kWarpRows = kLarge ? 4 : 2, kWarpCols = 8 / kWarpRows;
  static constexpr int kLaneRows = kLarge ? 4 : 8, kLaneCols = 32 / kLaneRows;
  static constexpr int kQuadRows = TILE / 64, kQuadCols = kLarge ? 2 : TILE / 64;
  static constexpr int kBandRows = 4 * kLaneRows, kBandCols = 4 * kLaneCols;  // a quad of each lane
  static constexpr int kRows = kWarpRows * kQuadRows * kBandRows;
  static constexpr int kCols = kWarpCols * kQuadCols * kBandCols;
  static constexpr int kStages = kLarge ? 3 : 4;
  static constexpr int kStageA = kStep * (kRows + 4), kStage = kStageA + kStep * (kCols + 4);
  // A lane's quad in a band. Lanes that differ in bit 0 have the same columns, in bit 1 the same
  // rows: then a 16-byte read of shared memory takes two passes instead of four. Not where it costs
  // the last registers.
  static constexpr bool kPaired = TILE != 128;
  static KX_DEVICE int row(int lane) {
    return kPaired ? (lane % 2 + lane / (2 * kLaneCols) * 2) * 4 : lane / kLaneCols * 4;
  }
  static KX_DEVICE int col(int lane) {
    return kPaired ? lane / 2 % kLaneCols * 4 : lane % kLaneCols * 4;
  }
};

// Copies an operand's tiles, one step after the other, into stages of [STEP][SIDE + 4]: a thread's
// places are found once, since on the way to the products nothing hides what that takes.
// K_CONTIGUOUS: neighbours along k are neighbours in memory. The padding of 4 keeps the transposing
// copies free of bank conflicts. SCALARS: a path without conditions for copies of single elements
// across k too; two of them would cost the kernels with 128 x 128 tiles their last registers.
template <class T, int SIDE, int STEP, bool K_CONTIGUOUS, bool SCALARS>
struct TileCopier {
  const T* from;          // the thread's first element of the next step
  int64_t next, advance;  // from one of the thread's copies, from one step, to the next
  int side_left;

  // A thread's first copy in a stage, if a copy has `wide` elements.
  static KX_DEVICE int first_k(int wide) {
    return K_CONTIGUOUS ? threadIdx.x % STEP : threadIdx.x / (SIDE / wide);
  }
  static KX_DEVICE int first_side(int wide) {
    return K_CONTIGUOUS ? threadIdx.x / STEP : threadIdx.x % (SIDE / wide) * wide;
  }
  KX_DEVICE void begin(const T* tile, int64_t ld, int left, bool vectors) {
    const int wide = !K_CONTIGUOUS && vectors ? 16 / sizeof(T) : 1;
    const int k = first_k(wide), i = first_side(wide);
    from = tile + (K_CONTIGUOUS ? i * ld + k : k * ld + i);
    next = (K_CONTIGUOUS ? kThreads / STEP : kThreads / (SIDE / wide)) * ld;
    advance = K_CONTIGUOUS ? STEP : STEP * ld;
    side_left = left;
  }
  template <int WIDE>
  KX_DEVICE void copy(T* stage, int k_left) {
    constexpr int kPitch = SIDE + 4, kCopies = STEP * SIDE / WIDE / kThreads;
    constexpr int kApart = K_CONTIGUOUS ? 0 : kThreads / (SIDE / WIDE);  // copies of a thread, in k
    constexpr int kSideApart = K_CONTIGUOUS ? kThreads / STEP : 0;
    // The kernel with 128 x 128 tiles has no register to spare.
    [[maybe_unused]] constexpr int kUnroll = SIDE == 128 ? 2 : kCopies;
    const int k = first_k(WIDE), i = first_side(WIDE);
    T* to = stage + k * kPitch + i;
    const T* source = from;
    if ((K_CONTIGUOUS || WIDE > 1 || SCALARS) && side_left == SIDE && k_left == STEP) {
#pragma unroll kUnroll
      for (int c = 0; c < kCopies; c++, source += next) {
        kx::copy_async<WIDE * sizeof(T)>(to + c * (kApart * kPitch + kSideApart), source);
      }
    } else {  // side_left is a multiple of WIDE
#pragma unroll 1
      for (int c = 0; c < kCopies; c++, source += next) {
        kx::copy_async<WIDE * sizeof(T)>(to + c * (kApart * kPitch + kSideApart), source,
                                         k + c * kApart < k_left && i + c * kSideApart < side_left);
      }
    }
  }
  // Starts copying the next step, of which k_left exist; zeros outside.
  KX_DEVICE void load(T* stage, int k_left, bool vectors) {
    if (!K_CONTIGUOUS && vectors) {
      copy<K_CONTIGUOUS ? 1 : 16 / sizeof(T)>(stage, k_left);
    } else {
      copy<1>(stage, k_left);
    }
    from += advance;
  }
};

// The same of one step for an operand of type `type` whose elements along its side lie `along_side`
// apart, along k `along_k`; widened, by ordinary loads and stores.
template <int SIDE, int STEP>
KX_DEVICE void load_mixed(float* stage, const void* operand, int type, int64_t at,
                          int64_t along_side, int64_t along_k, int side_left, int k_left) {
  const int i = threadIdx.x % SIDE;
#pragma unroll 1
  for (int kk = threadIdx.x / SIDE; kk < STEP; kk += kThreads / SIDE) {
    float value = 0;
    if (kk < k_left && i < side_left) {
      const int64_t index = at + i * along_side + kk * along_k;
      value = type == GS_BF16  ? kx::to_float(static_cast<const kx::bf16*>(operand)[index])
              : type == GS_F16 ? kx::to_float(static_cast<const kx::f16*>(operand)[index])
                               : static_cast<const float*>(operand)[index];
    }
    stage[kk * (SIDE + 4) + i] = value;
  }
}

// Loader: begin(product, row, col, k, rows, cols) names the first elements and how many there are;
// load(stage, depth) starts filling a stage with the next step, of which depth exist.
template <class T, int TILE, class Loader>
KX_DEVICE void multiply_tiles(const GemmArguments<T>& p, Loader loader) {
  using S = Shares<T, TILE>;
  constexpr int kStep = S::kStep, kStages = S::kStages, kQuadRows = S::kQuadRows,
                kQuadCols = S::kQuadCols;
  // After the last step the stages' memory holds, for each warp, a band of its results.
  constexpr int kSliceCols = kQuadCols * S::kBandCols, kSlicePitch = kSliceCols + 4;
  constexpr int kSlice = S::kBandRows * kSlicePitch;
  constexpr int kStaged = kStages * S::kStage, kSlices = kThreads / 32 * kSlice;
  constexpr int kShared = kStaged > kSlices ? kStaged : kSlices;
  KX_SHARED(shared, T[kShared]);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int warp_row = warp % S::kWarpRows * (kQuadRows * S::kBandRows);
  const int warp_col = warp / S::kWarpRows * kSliceCols;
  const int lane_row = S::row(lane), lane_col = S::col(lane);

  const int64_t tile_rows = (p.m + S::kRows - 1) / S::kRows;
  const int64_t tile_cols = (p.n + S::kCols - 1) / S::kCols;
  const TilePlace place = tile_place(blockIdx.x, tile_rows, tile_cols);
  const int64_t m0 = place.row * S::kRows, n0 = place.col * S::kCols;
  const int64_t k_begin = blockIdx.z * p.chunk;
  const int depth = (int)min(p.k - k_begin, p.chunk), steps = (depth + kStep - 1) / kStep;
  const int rows_left = (int)min(p.m - m0, (int64_t)S::kRows);
  const int cols_left = (int)min(p.n - n0, (int64_t)S::kCols);

  for (int64_t product = blockIdx.y; product < p.batch; product += gridDim.y) {
    loader.begin(product, m0, n0, k_begin, rows_left, cols_left);
    const auto load = [&](int step, int stage) {
      if (step < steps) {
        loader.load(shared + stage * S::kStage, min(depth - step * kStep, kStep));
      }
      kx::copy_async_commit();  // also when empty: the waits count groups
    };
#pragma unroll 1
    for (int step = 0; step < kStages - 1; step++) load(step, step);
    int stage = 0;
    T sums[kQuadRows][4][kQuadCols][4] = {};
    for (int step = 0; step < steps; step++) {
      kx::copy_async_wait<kStages - 2>();
      __syncthreads();  // this stage has landed; all are done with the one loaded next
      const T* as = shared + stage * S::kStage + warp_row + lane_row;
      const T* bs = shared + stage * S::kStage + S::kStageA + warp_col + lane_col;
#pragma unroll
      for (int kk = 0; kk < kStep; kk++) {
        // Where registers allow it, behind the first products, which hide its latency.
        if (kk == (S::kLarge ? 1 : 0)) {
          load(step + kStages - 1, stage == 0 ? kStages - 1 : stage - 1);
        }
        T av[kQuadRows][4], bv[kQuadCols][4];
#pragma unroll
        for (int q = 0; q < kQuadRows; q++) {
          load4(av[q], as + kk * (S::kRows + 4) + q * S::kBandRows);
        }
#pragma unroll
        for (int q = 0; q < kQuadCols; q++) {
          load4(bv[q], bs + kk * (S::kCols + 4) + q * S::kBandCols);
        }
#pragma unroll
        for (int qi = 0; qi < kQuadRows; qi++) {
#pragma unroll
          for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int qj = 0; qj < kQuadCols; qj++) {
#pragma unroll
              for (int j = 0; j < 4; j++) {
                sums[qi][i][qj][j] = fma(av[qi][i], bv[qj][j], sums[qi][i][qj][j]);
              }
            }
          }
        }
      }
      stage = stage == kStages - 1 ? 0 : stage + 1;
    }
    __syncthreads();  // all have read the last stages, which the slices overwrite
    T* slice = shared + warp * kSlice;
#pragma unroll
    for (int qi = 0; qi < kQuadRows; qi++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int qj = 0; qj < kQuadCols; qj++) {
          store4(slice + (lane_row + i) * kSlicePitch + lane_col + qj * S::kBandCols,
                 sums[qi][i][qj]);
        }
      }
      __syncwarp();
      store_rows<S::kBandRows, kSliceCols, kSlicePitch>(
          p, slice, product, blockIdx.z, m0 + warp_row + qi * S::kBandRows, n0 + warp_col);
      __syncwarp();  // before the slice is overwritten
    }
    __syncthreads();  // before the next product's copies overwrite the slices
  }
}

template <class T, bool TA, bool TB, int TILE>
struct CopyingLoader {
  using S = Shares<T, TILE>;
  const GemmArguments<T>& p;
  TileCopier<T, S::kRows, S::kStep, !TA, true> a;
  TileCopier<T, S::kCols, S::kStep, TB, false> b;

  KX_DEVICE void begin(int64_t product, int64_t row, int64_t col, int64_t k, int rows, int cols) {
    a.begin(static_cast<const T*>(p.a) + product * p.stride_a +
                (TA ? k * p.lda + row : row * p.lda + k),
            p.lda, rows, p.vector_a);
    b.begin(static_cast<const T*>(p.b) + product * p.stride_b +
                (TB ? col * p.ldb + k : k * p.ldb + col),
            p.ldb, cols, p.vector_b);
  }
  KX_DEVICE void load(T* stage, int depth) {
    a.load(stage, depth, p.vector_a);
    b.load(stage + S::kStageA, depth, p.vector_b);
  }
};
template <class T, bool TA, bool TB, int TILE>
__global__ __launch_bounds__(kThreads, TILE == 256 ? 1 : 2) void gemm_tiled_kernel(
    const __grid_constant__ GemmArguments<T> p) {
  multiply_tiles<T, TILE>(p, CopyingLoader<T, TA, TB, TILE>{p, {}, {}});
}

struct WideningLoader {
  using S = Shares<float, 64>;
  const GemmArguments<float>& p;
  int64_t a, b;
  int rows, cols;

  KX_DEVICE void begin(int64_t product, int64_t row, int64_t col, int64_t k, int r, int c) {
    a = product * p.stride_a + (p.trans_a ? k * p.lda + row : row * p.lda + k);
    b = product * p.stride_b + (p.trans_b ? col * p.ldb + k : k * p.ldb + col);
    rows = r, cols = c;
  }
  KX_DEVICE void load(float* stage, int depth) {
    const int64_t a_side = p.trans_a ? 1 : p.lda, a_k = p.trans_a ? p.lda : 1;
    const int64_t b_side = p.trans_b ? p.ldb : 1, b_k = p.trans_b ? 1 : p.ldb;
    load_mixed<64, S::kStep>(stage, p.a, p.a_type, a, a_side, a_k, rows, depth);
    load_mixed<64, S::kStep>(stage + S::kStageA, p.b, p.b_type, b, b_side, b_k, cols, depth);
    a += S::kStep * a_k, b += S::kStep * b_k;
  }
};
__global__ __launch_bounds__(kThreads, 2) void gemm_mixed_kernel(
    const __grid_constant__ GemmArguments<float> p) {
  multiply_tiles<float, 64>(p, WideningLoader{p, 0, 0, 0, 0});
}

// ---- launchers ----
template <int TILE, class T>
cudaError_t launch(const GemmArguments<T>& p, void (*kernel)(GemmArguments<T>),
                   cudaStream_t stream) {
  using S = Shares<T, TILE>;
  const int64_t tiles = (p.m + S::kRows - 1) / S::kRows * ((p.n + S::kCols - 1) / S::kCols);
  const kx::launch_config config{
      dim3((unsigned)tiles, (unsigned)min(p.batch, (int64_t)kGemmProductBlocks),
           (unsigned)p.splits),
      dim3(kThreads), 0, stream};
  return kx::launch("gemm_tiled_kernel", kernel, config, p);
}

template <int TILE, class T>
cudaError_t launch_tiled(const GemmArguments<T>& p, cudaStream_t stream) {
  const auto kernel = p.trans_a   ? p.trans_b ? gemm_tiled_kernel<T, true, true, TILE>
                                              : gemm_tiled_kernel<T, true, false, TILE>
                        : p.trans_b ? gemm_tiled_kernel<T, false, true, TILE>
                                  : gemm_tiled_kernel<T, false, false, TILE>;
  return launch<TILE, T>(p, kernel, stream);
}
}  // namespace

cudaError_t gemm_simt(const GemmArguments<float>& p, cudaStream_t stream) {
  if (p.a_type != GS_F32 || p.b_type != GS_F32) {
    return launch<64, float>(p, gemm_mixed_kernel, stream);
  }
  return p.tile == 256   ? launch_tiled<256>(p, stream)
         : p.tile == 128 ? launch_tiled<128>(p, stream)
                         : launch_tiled<64>(p, stream);
}
cudaError_t gemm_simt(const GemmArguments<double>& p, cudaStream_t stream) {
  return launch_tiled<64>(p, stream);
}
}  // namespace gs
