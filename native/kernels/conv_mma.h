// The kernel of the convolutions of bf16 and f16 on tensor cores (mma.sync, sm_80; f32 sums), as
// conv_tiles.h otherwise. A ring of four stages (mma_tiles.h), 32 elements of the depth a step.
//
// Forward and backward data take the other operand from a copy of the filters in which the depth
// is innermost and padded to chunks of eight (conv_pack_kernel), so that it comes in 16-byte
// copies. With channels last and divisible by eight the gathered operand does as well; else its
// elements are loaded one by one, lanes along what is contiguous.
#pragma once
#include "activations.h"
#include "conv.h"
#include "mma_tiles.h"
#include "tiles.h"

namespace gs {
constexpr int kMmaStages = 4, kMmaStep = 32;  // of the depth, in elements
constexpr int kMmaAhead = 4;                  // steps whose depth indices are computed together
constexpr int kPackedChunk = 8;

// MI: blocks of 16 rows of a warp. Warps lie 2 down and WN across, of 32 columns each.
template <int MI, int WN>
struct MmaTile {
  static constexpr int kRows = 32 * MI, kCols = 32 * WN, kThreads = 64 * WN;
  static constexpr int kStageA = kRows * kStepBytes, kStage = kStageA + kCols * kStepBytes;
  static constexpr int kSlice = 16 * MI * 32;  // floats of a warp
  static constexpr int kShared = kMmaStages * kStage;
  static_assert(2 * WN * kSlice * (int)sizeof(float) <= kShared, "the slices' place");
};

KX_BOTH constexpr int64_t packed_pitch(int64_t depth) {
  return (depth + kPackedChunk - 1) / kPackedChunk * kPackedChunk;
}

// A pixel's digits, from which others are counted in 32 bits: in the inner loop 64-bit divisions
// spill.
struct ConvPixel {
  int64_t image;
  uint32_t z, y, x;
};
KX_DEVICE ConvPixel pixel_digits(const ConvGrid& g, int64_t i) {
  ConvPixel r;
  r.x = (uint32_t)take_digit(i, g.pixels[2]);
  r.y = (uint32_t)take_digit(i, g.pixels[1]);
  r.z = (uint32_t)take_digit(i, g.pixels[0]);
  r.image = i;
  return r;
}
KX_DEVICE ConvIndex pixel_index(const ConvArguments& p, const ConvGrid& g, const ConvPixel& first,
                                uint32_t further) {
  const auto take = [&](int32_t size) {
    const uint32_t digit = further % (uint32_t)size;
    further /= (uint32_t)size;
    return (int32_t)digit;
  };
  further += first.x;
  const int32_t x = take(g.pixels[2]);
  further += first.y;
  const int32_t y = take(g.pixels[1]);
  further += first.z;
  const int32_t z = take(g.pixels[0]);
  return pixel_index(p, g, first.image + further, z, y, x);
}

// Where element (row, k) of a stage lies.
template <class T, bool ALONG_K, int SIDE>
KX_DEVICE T* stage_place(char* stage, int side, int k) {
  const int row = ALONG_K ? side : k, at = ALONG_K ? k : side;
  return reinterpret_cast<T*>(stage + chunk_offset<T, ALONG_K, SIDE>(row, at / 8)) + at % 8;
}

// WEIGHT: rows are taps and the depth is pixels, else the other way; p.b is packed unless WEIGHT.
// VECTOR: channels last in chunks of eight, for both operands. Grid: tiles, groups, phases (WEIGHT:
// splits of the depth).
template <class T, bool WEIGHT, bool VECTOR, int MI, int WN>
__global__ __launch_bounds__(64 * WN, WN == 2 ? 3 : 2) void conv_mma_kernel(
    const __grid_constant__ ConvArguments p) {
  using Tile = MmaTile<MI, WN>;
  using Out = std::conditional_t<WEIGHT, float, T>;
  constexpr int kRows = Tile::kRows, kCols = Tile::kCols, kThreads = Tile::kThreads;
  constexpr bool kAlongA = WEIGHT != VECTOR, kAlongB = !(WEIGHT && VECTOR);
  // Depth indices of a step: of a chunk where its elements lie side by side.
  constexpr int kEvery = VECTOR && !WEIGHT ? 8 : 1, kEntries = kMmaStep / kEvery;
  constexpr int kTable = kMmaAhead * kEntries;
  static_assert(kTable <= kThreads && kRows <= kThreads);
  char* shared = kx::dynamic_shared<char, 128>();
  KX_SHARED(rows, ConvIndex[kRows]);
  KX_SHARED(depths, ConvIndex[2 * kTable]);
  KX_SHARED(first_pixel, ConvPixel[1]);
  const int tid = threadIdx.x, lane = tid % 32, warp = tid / 32;
  const int warp_row = warp % 2 * 16 * MI, warp_col = warp / 2 * 32;

  const ConvGrid& g = p.grid[WEIGHT ? 0 : blockIdx.z];
  const int64_t row_count = WEIGHT ? tap_count(p, g) : pixel_count(p, g);
  const int64_t depth_begin = WEIGHT ? blockIdx.z * p.chunk : 0;
  const int depth = (int)(WEIGHT ? min(pixel_count(p, g) - depth_begin, p.chunk) : tap_count(p, g));
  const int steps = depth > 0 ? (depth - 1) / kMmaStep + 1 : 0;
  const int64_t tile_cols = (p.cols + kCols - 1) / kCols;
  const int64_t m0 = blockIdx.x / tile_cols * kRows, n0 = blockIdx.x % tile_cols * kCols;
  if (m0 >= row_count) return;  // a phase with fewer tiles than another
  const int rows_left = (int)min(row_count - m0, (int64_t)kRows);
  const int cols_left = (int)min(p.cols - n0, (int64_t)kCols);
  const int pitch = (int)packed_pitch(depth);
  constexpr ConvIndex kNone = {0, 0, kConvOutside, 0, 0};

  const auto prepare = [&](int first) {  // the depth's indices from step `first` on
    const int entry = tid % kTable, i = first * kMmaStep + entry * kEvery;
    ConvIndex r = kNone;
    if (i < depth) r = WEIGHT ? pixel_index(p, g, *first_pixel, i) : tap_index(p, g, i);
    if (!WEIGHT) r.other = 0;  // not needed: fewer registers
    depths[first % (2 * kMmaAhead) * kEntries + entry] = r;
  };
  if (WEIGHT && tid == 0) *first_pixel = pixel_digits(g, depth_begin);
  if (tid < kRows) {
    ConvIndex r = kNone;
    if (tid < rows_left) r = WEIGHT ? tap_index(p, g, m0 + tid) : pixel_index(p, g, m0 + tid);
    rows[tid] = r;
  }
  __syncthreads();  // the rows and the first pixel are complete

  for (unsigned group = blockIdx.y; group < (unsigned)p.groups; group += gridDim.y) {
    const T* a = static_cast<const T*>(p.a) + group * p.group_a;
    const T* b = static_cast<const T*>(p.b);
    if constexpr (WEIGHT) {
      b += group * p.group_b + n0 * p.b_col;
    } else {
      b += p.packed[blockIdx.z] + (group * p.cols + n0) * pitch;
    }
    if (tid < kTable) prepare(0), prepare(kMmaAhead);
    __syncthreads();  // the depths are complete

    const auto load_a = [&](char* stage, const ConvIndex* table) {
      if constexpr (VECTOR) {
        constexpr int kRowChunks = kAlongA ? 4 : kRows / 8, kLines = kThreads / kRowChunks;
        [[maybe_unused]] constexpr int kUnroll = kThreads == 256 ? 1 : 4;  // more spills
        const int chunk = tid % kRowChunks, line = tid / kRowChunks;
#pragma unroll kUnroll
        for (int r = 0; r < (kAlongA ? kRows : kMmaStep); r += kLines) {
          const ConvIndex& row = rows[kAlongA ? line + r : chunk * 8];
          const ConvIndex& at = table[kAlongA ? chunk : line + r];
          const bool inside = meets(p, row, at);
          kx::copy_async<16>(stage + chunk_offset<T, kAlongA, kRows>(line + r, chunk),
                             inside ? a + (row.at + at.at) : a, inside);
        }
      } else {
        constexpr int kAcross = kAlongA ? kMmaStep : kRows, kLines = kThreads / kAcross;
        const int across = tid % kAcross, line = tid / kAcross;
        const ConvIndex mine = kAlongA ? table[across] : rows[across];
#pragma unroll 8
        for (int r = line; r < (kAlongA ? kRows : kMmaStep); r += kLines) {
          const ConvIndex& other = kAlongA ? rows[r] : table[r];
          const bool inside = meets(p, mine, other);
          *stage_place<T, kAlongA, kRows>(stage, kAlongA ? r : across, kAlongA ? across : r) =
              inside ? a[mine.at + other.at] : kx::from_float<T>(0.f);
        }
      }
    };
    const auto load_b = [&](char* stage, const ConvIndex* table, int step) {
      if constexpr (WEIGHT && !VECTOR) {
        const int k = tid % kMmaStep;
        const ConvIndex mine = table[k];
#pragma unroll 8
        for (int c = tid / kMmaStep; c < kCols; c += kThreads / kMmaStep) {
          const bool inside = c < cols_left && mine.z != kConvOutside;
          *stage_place<T, true, kCols>(stage, c, k) =
              inside ? b[mine.other + c * p.b_col] : kx::from_float<T>(0.f);
        }
      } else {
        constexpr int kRowChunks = kAlongB ? 4 : kCols / 8, kLines = kThreads / kRowChunks;
        const int chunk = tid % kRowChunks, line = tid / kRowChunks;
        const int k = step * kMmaStep + chunk * 8;  // of a packed row
#pragma unroll
        for (int r = 0; r < (kAlongB ? kCols : kMmaStep); r += kLines) {
          const bool inside = kAlongB ? line + r < cols_left && k < pitch
                                      : chunk * 8 < cols_left && table[line + r].z != kConvOutside;
          const int64_t at =
              kAlongB ? (int64_t)(line + r) * pitch + k : table[line + r].other + chunk * 8;
          kx::copy_async<16>(stage + chunk_offset<T, kAlongB, kCols>(line + r, chunk),
                             inside ? b + at : b, inside);
        }
      }
    };
    const auto load = [&](int step) {
      if (step < steps) {
        char* stage = shared + step % kMmaStages * Tile::kStage;
        const ConvIndex* table = depths + step % (2 * kMmaAhead) * kEntries;
        load_a(stage, table);
        load_b(stage + Tile::kStageA, table, step);
      }
      kx::copy_async_commit();  // also when empty: the waits count groups
    };
#pragma unroll 1
    for (int step = 0; step < kMmaStages - 1; step++) load(step);
    float sums[MI][4][4] = {};
#pragma unroll 1
    for (int step = 0; step < steps; step++) {
      kx::copy_async_wait<kMmaStages - 2>();
      __syncthreads();  // this stage has landed; all are done with the one loaded next
      const int next = step + kMmaStages - 1;
      load(next);
      // The half of the table that the load before this barrier was the last to read.
      if (next % kMmaAhead == 0 && tid < kTable) prepare(next + kMmaAhead);
      const char* as = shared + step % kMmaStages * Tile::kStage;
      const char* bs = as + Tile::kStageA;
#pragma unroll
      for (int half = 0; half < 2; half++) {
        uint32_t fb[2][4];
#pragma unroll
        for (int j = 0; j < 2; j++) {
          load_fragment<T, kAlongB, kCols, true>(fb[j], bs, warp_col + j * 16, half);
        }
#pragma unroll
        for (int i = 0; i < MI; i++) {
          uint32_t fa[4];
          load_fragment<T, kAlongA, kRows, false>(fa, as, warp_row + i * 16, half);
#pragma unroll
          for (int j = 0; j < 4; j++) {
            multiply<T>(sums[i][j], fa, fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
          }
        }
      }
    }
    __syncthreads();  // all have read the last stages, which the slices overwrite
    float* slice = reinterpret_cast<float*>(shared) + warp * Tile::kSlice;
    store_fragments(slice, sums);
    __syncwarp();  // the slice is complete
    Out* out =
        static_cast<Out*>(p.out) + group * p.group_out + (WEIGHT ? blockIdx.z * p.split_stride : 0);
    const T* bias = WEIGHT ? nullptr : static_cast<const T*>(p.bias);
    const auto finished = [&](float v, int64_t col) {
      if (bias) v += kx::to_float(bias[group * p.cols + col]);
      return p.relu ? relu(v) : v;
    };
    const auto store = [&](int r, int c) {  // of the slice
      const int row = warp_row + r, col = warp_col + c;
      if (row < rows_left && col < cols_left) {
        const float v = *slice_place(slice, r, c);
        if constexpr (WEIGHT) {  // neighbouring rows side by side, whatever the order in dw
          out[m0 + row + (n0 + col) * p.out_col] = v;
        } else {
          out[rows[row].other + (n0 + col) * p.out_col] = kx::from_float<T>(finished(v, n0 + col));
        }
      }
    };
    if (!WEIGHT && p.vector_out) {  // eight columns a lane
      const int col = warp_col + lane % 4 * 8;
#pragma unroll 1
      for (int r = lane / 4; r < 16 * MI; r += 8) {
        if (warp_row + r >= rows_left || col >= cols_left) continue;
        alignas(16) T packed[8];
#pragma unroll
        for (int j = 0; j < 8; j++) {
          packed[j] =
              kx::from_float<T>(finished(*slice_place(slice, r, lane % 4 * 8 + j), n0 + col + j));
        }
        *reinterpret_cast<uint4*>(out + rows[warp_row + r].other + n0 + col) =
            *reinterpret_cast<const uint4*>(packed);
      }
    } else if (p.rows_fastest) {
#pragma unroll 1
      for (int r = lane; r < 16 * MI; r += 32) {
#pragma unroll 1
        for (int c = 0; c < 32; c++) store(r, c);
      }
    } else {
#pragma unroll 1
      for (int r = 0; r < 16 * MI; r++) store(r, lane);
    }
    __syncthreads();  // before the next group's copies and indices
  }
}

template <class T, bool WEIGHT, bool VECTOR, int MI, int WN>
cudaError_t launch_conv_mma(const ConvArguments& p, int64_t rows, unsigned planes,
                            gs_stream stream) {
  using Tile = MmaTile<MI, WN>;
  const int64_t tiles =
      (rows + Tile::kRows - 1) / Tile::kRows * ((p.cols + Tile::kCols - 1) / Tile::kCols);
  if (tiles > INT32_MAX) return cudaErrorInvalidConfiguration;
  const kx::launch_config config{
      dim3((unsigned)tiles, (unsigned)std::min(p.groups, (int64_t)1024), planes),
      dim3(Tile::kThreads), Tile::kShared, stream_of(stream)};
  return kx::launch("conv_mma_kernel", conv_mma_kernel<T, WEIGHT, VECTOR, MI, WN>, config, p);
}
}  // namespace gs
