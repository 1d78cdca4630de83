// The tiled kernel of f32 convolutions: as conv_tiles.h, but with 8 x 8 results a thread, two
// blocks a multiprocessor, and addresses that are cheap enough for that.
//
// A pixel's entry says which taps of each axis lie inside the gathered operand, as bits; a tap's
// says which of the bits it needs. Offsets of taps and numbers of pixels fit 31 bits, as do the
// taps of all axes together; the launchers see to it.
//
// A block has four warps. WM x WN of them, each with 64 x 32 results, cover its tile; where that is
// two, two such groups share the depth's steps, and their sums are added in order.
#pragma once
#include <cmath>

#include "activations.h"
#include "conv.h"
#include "tiles.h"

namespace gs {
constexpr int kFmaThreads = 128, kFmaWarps = 4,
              kFmaTable = 64;  // depth entries that are computed together

template <int WM, int WN>
struct FmaTile {
  static constexpr int kRows = 64 * WM, kCols = 32 * WN, kWarps = WM * WN;
  static constexpr int kGroups = kFmaWarps / kWarps, kStep = kGroups == 1 ? 8 : 16;
  static constexpr int kStages = kGroups == 1 ? 4 : 3;
  static constexpr int kPitchA = kRows + 4, kPitchB = kCols + 4;
  static constexpr int kStageA = kStep * kPitchA, kStage = kStageA + kStep * kPitchB;
  static constexpr int kAhead = kFmaTable / kStep;  // steps
};

// A row's or a depth's part of the addresses: `bits` has the taps that lie inside (pixels), or
// those that are needed (taps).
struct alignas(16) FmaPixel {
  int64_t at;
  uint32_t bits;
};
struct alignas(8) FmaTap {
  int32_t at;
  uint32_t bits;
};
constexpr uint32_t kNoTap = ~0u;  // needs more than any pixel has

// In 32 bits, as fma_tap: both run in the inner loop, where 64-bit divisions spill.
KX_DEVICE FmaPixel fma_pixel(const ConvArguments& p, const ConvGrid& g, int64_t i, int64_t count,
                             int64_t* other) {
  *other = 0;
  if (i >= count) return {0, 0};
  uint32_t rest = (uint32_t)i, bits = 0;
  int64_t at = 0, to = g.other_start;
#pragma unroll 1  // fewer registers
  for (int d = 2; d >= 0; d--) {
    const uint32_t size = (uint32_t)g.pixels[d];
    const int digit = (int)(rest % size);
    rest /= size;
    int place = g.start[d] + digit * p.step[d];
    at += place * p.a_step[d];
    to += digit * p.other_step[d];
    uint32_t axis = 0;
#pragma unroll 1
    for (int t = 0; t < g.taps[d]; t++, place += p.tap_step[d]) {
      if ((uint32_t)place < (uint32_t)p.size[d]) axis |= 1u << t;
    }
    bits |= axis << ((d > 0 ? g.taps[0] : 0) + (d > 1 ? g.taps[1] : 0));
  }
  *other = to + rest * p.other_image;
  return {at + rest * p.a_image, bits};
}

KX_DEVICE FmaTap fma_tap(const ConvArguments& p, const ConvGrid& g, int64_t i, int64_t count,
                         int64_t* other) {
  *other = 0;
  if (i >= count) return {0, kNoTap};
  uint32_t rest = (uint32_t)i, channel = 0;
  const auto take = [&](int64_t size) {
    const uint32_t digit = rest % (uint32_t)size;
    rest /= (uint32_t)size;
    return (int)digit;
  };
  if (p.channel_fastest) channel = (uint32_t)take(p.channels);
  const int x = take(g.taps[2]), y = take(g.taps[1]), z = take(g.taps[0]);
  if (!p.channel_fastest) channel = rest;
  *other = g.w_start + channel * p.w_channel + z * p.w_step[0] + y * p.w_step[1] + x * p.w_step[2];
  return {(int32_t)(channel * p.a_channel + z * p.tap_step[0] * p.a_step[0] +
                    y * p.tap_step[1] * p.a_step[1] + x * p.tap_step[2] * p.a_step[2]),
          1u << z | 1u << (g.taps[0] + y) | 1u << (g.taps[0] + g.taps[1] + x)};
}

// WEIGHT, A_DEPTH, B_DEPTH as in conv_tiles.h. p.vector_a (without A_DEPTH), p.vector_b (without
// B_DEPTH): four neighbours along rows or columns are copied together. Grid: tiles, groups, phases
// (WEIGHT: splits of the depth).
template <bool WEIGHT, bool A_DEPTH, bool B_DEPTH, int WM, int WN>
__global__ __launch_bounds__(kFmaThreads,
                             2) void conv_fma_kernel(const __grid_constant__ ConvArguments p) {
  using Tile = FmaTile<WM, WN>;
  using Row = std::conditional_t<WEIGHT, FmaTap, FmaPixel>;
  using Depth = std::conditional_t<WEIGHT, FmaPixel, FmaTap>;
  constexpr int kStep = Tile::kStep, kStages = Tile::kStages, kAhead = Tile::kAhead;
  constexpr int kRows = Tile::kRows, kCols = Tile::kCols;
  constexpr int kSlicePitch = 36, kSlice = 32 * kSlicePitch, kSlices = kFmaWarps * kSlice;
  constexpr int kStaged = kStages * Tile::kStage;
  constexpr int kShared = kStaged > kSlices ? kStaged : kSlices;
  KX_SHARED(shared, float[kShared]);
  KX_SHARED(rows, Row[kRows]);
  KX_SHARED(row_others, int64_t[kRows]);
  KX_SHARED(depths, Depth[2 * kFmaTable]);
  KX_SHARED(depth_others, int64_t[2 * kFmaTable]);
  const int tid = threadIdx.x, lane = tid % 32, warp = tid / 32;
  const int share = warp / Tile::kWarps, place = warp % Tile::kWarps;  // of the depth; in the tile
  const int warp_row = place % WM * 64, warp_col = place / WM * 32;
  // A lane's quads of rows and columns. Lanes that differ in bit 0 have the same columns, in bit 1
  // the same rows: then a 16-byte read of shared memory takes two passes instead of four.
  const auto row_of = [](int l) { return (l % 2 + l / 8 * 2) * 4; };
  const auto col_of = [](int l) { return l / 2 % 4 * 4; };

  const ConvGrid& g = p.grid[WEIGHT ? 0 : blockIdx.z];
  const int row_count = (int)(WEIGHT ? tap_count(p, g) : pixel_count(p, g));
  const int tile_cols = (int)((p.cols + kCols - 1) / kCols);
  const int64_t first_row = (int64_t)(blockIdx.x / tile_cols) * kRows;
  if (first_row >= row_count) return;  // a phase with fewer tiles than another
  const int m0 = (int)first_row, n0 = (int)(blockIdx.x % tile_cols) * kCols;
  const int cols_left = (int)min(p.cols - n0, (int64_t)kCols);
  const int depth = (int)(WEIGHT ? pixel_count(p, g) : tap_count(p, g));
  const int begin = WEIGHT ? (int)min(blockIdx.z * p.chunk, (int64_t)depth) : 0;
  const int end = WEIGHT ? (int)min(begin + p.chunk, (int64_t)depth) : depth;
  const int steps = (int)(((int64_t)end - begin + kStep - 1) / kStep);

  const auto prepare = [&](int first) {  // the depth's entries from step `first` on
    const int entry = tid % kFmaTable, slot = first % (2 * kAhead) * kStep + entry;
    const int64_t i = begin + ((int64_t)first * kStep + entry);
    if constexpr (WEIGHT) {
      depths[slot] = fma_pixel(p, g, i, end, &depth_others[slot]);
    } else {
      depths[slot] = fma_tap(p, g, i, end, &depth_others[slot]);
    }
  };
  if (tid < kRows) {
    if constexpr (WEIGHT) {
      rows[tid] = fma_tap(p, g, (int64_t)m0 + tid, row_count, &row_others[tid]);
    } else {
      rows[tid] = fma_pixel(p, g, (int64_t)m0 + tid, row_count, &row_others[tid]);
    }
  }
  // Whether an element lies inside, from the bits of its pixel and its tap.
  const auto meet = [](uint32_t row, uint32_t d) {
    return WEIGHT ? (row & d) == row : (row & d) == d;
  };
  const auto exists = [](const Depth& d) { return WEIGHT ? d.bits != 0 : d.bits != kNoTap; };

  for (int group = (int)blockIdx.y; group < p.groups; group += (int)gridDim.y) {
    const float* a = static_cast<const float*>(p.a) + group * p.group_a;
    const float* b = static_cast<const float*>(p.b) + (group * p.group_b + n0 * p.b_col);
    if (tid < 2 * kFmaTable) prepare(tid / kFmaTable * kAhead);
    __syncthreads();  // rows and depths are complete
    const auto load = [&](int step) {
      if (step < steps) {
        float* as = shared + step % kStages * Tile::kStage;
        float* bs = as + Tile::kStageA;
        const int slot = step % (2 * kAhead) * kStep;
        const Depth* table = depths + slot;
        const int64_t* others = depth_others + slot;
        if constexpr (A_DEPTH) {
#pragma unroll
          for (int k0 = 0; k0 < kStep; k0 += 8) {
            const int kk = k0 + tid % 8;
            const Depth d = table[kk];
            const float* from = a + d.at;
#pragma unroll
            for (int i0 = 0; i0 < kRows; i0 += kFmaThreads / 8) {
              const int i = i0 + tid / 8;
              const Row r = rows[i];
              kx::copy_async<4>(as + kk * Tile::kPitchA + i, from + r.at, meet(r.bits, d.bits));
            }
          }
        } else if (p.vector_a) {
          constexpr int kQuads = kRows / 4;
          const int i = tid % kQuads * 4;
          const Row r = rows[i];
#pragma unroll
          for (int kk = tid / kQuads; kk < kStep; kk += kFmaThreads / kQuads) {
            const Depth d = table[kk];
            kx::copy_async<16>(as + kk * Tile::kPitchA + i, a + r.at + d.at, meet(r.bits, d.bits));
          }
        } else {
          const int i = tid % kRows;
          const Row r = rows[i];
          const float* from = a + r.at;
#pragma unroll
          for (int kk = tid / kRows; kk < kStep; kk += kFmaThreads / kRows) {
            const Depth d = table[kk];
            kx::copy_async<4>(as + kk * Tile::kPitchA + i, from + d.at, meet(r.bits, d.bits));
          }
        }
        if constexpr (B_DEPTH) {
#pragma unroll
          for (int k0 = 0; k0 < kStep; k0 += 8) {
            const int kk = k0 + tid % 8;
            const bool inside = exists(table[kk]);
            const float* from = b + (others[kk] + tid / 8 * p.b_col);
#pragma unroll
            for (int j0 = 0; j0 < kCols; j0 += kFmaThreads / 8) {
              const int j = j0 + tid / 8;
              kx::copy_async<4>(bs + kk * Tile::kPitchB + j, from, inside && j < cols_left);
              from += kFmaThreads / 8 * p.b_col;
            }
          }
        } else if (p.vector_b) {
          constexpr int kQuads = kCols / 4;
          const int j = tid % kQuads * 4;
#pragma unroll
          for (int kk = tid / kQuads; kk < kStep; kk += kFmaThreads / kQuads) {
            kx::copy_async<16>(bs + kk * Tile::kPitchB + j, b + (others[kk] + j),
                               exists(table[kk]) && j < cols_left);
          }
        } else {
          const int j = tid % kCols;
          const float* from = b + j * p.b_col;
#pragma unroll
          for (int kk = tid / kCols; kk < kStep; kk += kFmaThreads / kCols) {
            kx::copy_async<4>(bs + kk * Tile::kPitchB + j, from + others[kk],
                              exists(table[kk]) && j < cols_left);
          }
        }
      }
      kx::copy_async_commit();  // also when empty: the waits count groups
    };
#pragma unroll 1
    for (int step = 0; step < kStages - 1; step++) load(step);
    float sums[2][4][2][4] = {};
#pragma unroll 1
    for (int step = 0; step < steps; step++) {
      kx::copy_async_wait<kStages - 2>();
      __syncthreads();  // this stage has landed; all are done with the one loaded next
      const int next = step + kStages - 1;
      load(next);
      // The half of the table that the load before this barrier was the last to read.
      if (next % kAhead == 0 && tid < kFmaTable) prepare(next + kAhead);
      constexpr int kShare = kStep / Tile::kGroups;
      const float* as = shared + step % kStages * Tile::kStage + share * kShare * Tile::kPitchA +
                        warp_row + row_of(lane);
      const float* bs = shared + step % kStages * Tile::kStage + Tile::kStageA +
                        share * kShare * Tile::kPitchB + warp_col + col_of(lane);
#pragma unroll
      for (int kk = 0; kk < kShare; kk++) {
        float av[2][4], bv[2][4];
#pragma unroll
        for (int q = 0; q < 2; q++) {
          load4(av[q], as + kk * Tile::kPitchA + q * 32);
          load4(bv[q], bs + kk * Tile::kPitchB + q * 16);
        }
#pragma unroll
        for (int qi = 0; qi < 2; qi++) {
#pragma unroll
          for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int qj = 0; qj < 2; qj++) {
#pragma unroll
              for (int j = 0; j < 4; j++) {
                sums[qi][i][qj][j] = fma(av[qi][i], bv[qj][j], sums[qi][i][qj][j]);
              }
            }
          }
        }
      }
    }
    __syncthreads();  // all have read the last stages, which the sums overwrite
    float* out = static_cast<float*>(p.out) + group * p.group_out +
                 (WEIGHT ? blockIdx.z * p.split_stride : 0);
    const float* bias = static_cast<const float*>(p.bias);
    // Stores rows or columns first to last of a slice, 32 x 32 results at `row`, `col` of the tile.
    const auto store = [&](const float* slice, int row, int col, int first, int last) {
      const auto one = [&](int r, int c) {
        if ((int64_t)m0 + row + r >= row_count || col + c >= cols_left) return;
        float v = slice[r * kSlicePitch + c];
        if constexpr (!WEIGHT) {
          if (bias) v += bias[group * p.cols + n0 + col + c];
          if (p.relu) v = relu(v);
        }
        out[row_others[row + r] + (n0 + col + c) * p.out_col] = v;
      };
      if (p.rows_fastest) {
#pragma unroll 2
        for (int c = first; c < last; c++) one(lane, c);
      } else {
#pragma unroll 2
        for (int r = first; r < last; r++) one(r, lane);
      }
    };
    if constexpr (Tile::kGroups == 1) {
      float* slice = shared + warp * kSlice;
      float* own = slice + row_of(lane) * kSlicePitch + col_of(lane);
#pragma unroll
      for (int qi = 0; qi < 2; qi++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          store4(own + i * kSlicePitch, sums[qi][i][0]);
          store4(own + i * kSlicePitch + 16, sums[qi][i][1]);
        }
        __syncwarp();  // the slice is complete
        store(slice, place % WM * 64 + qi * 32, place / WM * 32, 0, 32);
        __syncwarp();  // before the slice is overwritten
      }
    } else {  // one after the other, the warps that share a place add their sums to its two slices
      float* own = shared + place * 2 * kSlice + row_of(lane) * kSlicePitch + col_of(lane);
#pragma unroll 1
      for (int turn = 0; turn < Tile::kGroups; turn++) {
        if (share == turn) {
#pragma unroll
          for (int q = 0; q < 16; q++) {
            float* to = own + (q / 8 * 32 + q / 2 % 4) * kSlicePitch + q % 2 * 16;
            float(&sum)[4] = sums[q / 8][q / 2 % 4][q % 2];
            if (turn > 0) {
              float before[4];
              load4(before, to);
#pragma unroll
              for (int j = 0; j < 4; j++) sum[j] += before[j];
            }
            store4(to, sum);
          }
        }
        __syncthreads();  // the slices hold this turn's sums
      }
      constexpr int kPart = 64 * Tile::kWarps / kFmaWarps;  // a warp's rows or columns of a slice
      const int index = warp * kPart / 32, first = warp * kPart % 32;
      store(shared + index * kSlice, index / 2 % WM * 64 + index % 2 * 32, index / 2 / WM * 32,
            first, first + kPart);
    }
    __syncthreads();  // before the next group's copies and entries
  }
}

// The tile of a block that takes the least time for so many results in so many planes: the tiles of
// each of 132 multiprocessors (an H100's; the order of sums must not depend on the device),
// weighted with what smaller ones lose.
enum class FmaShape { k128x64, k128x32, k64x64 };
inline FmaShape fma_shape(int64_t rows, int64_t cols, int64_t planes) {
  constexpr struct {
    FmaShape shape;
    int64_t rows, cols;
    double speed;
  } kShapes[] = {{FmaShape::k128x64, 128, 64, 1.0},
                 {FmaShape::k64x64, 64, 64, 0.8},
                 {FmaShape::k128x32, 128, 32, 0.78}};
  double best = INFINITY;
  FmaShape shape = FmaShape::k128x64;
  for (const auto& s : kShapes) {
    const double tiles =
        (double)((rows + s.rows - 1) / s.rows * ((cols + s.cols - 1) / s.cols)) * (double)planes;
    const double each = std::ceil(tiles / 132);
    // A lone block does not hide its own latencies.
    const double time = each * (double)(s.rows * s.cols) / s.speed / (each < 2 ? 0.6 : 1);
    if (time < best) best = time, shape = s.shape;
  }
  return shape;
}

template <bool WEIGHT, bool A_DEPTH, bool B_DEPTH>
cudaError_t launch_conv_fma(const ConvArguments& p, int64_t rows, FmaShape shape, unsigned planes,
                            gs_stream stream) {
  const auto launch = [&](auto kernel, int64_t tile_rows, int64_t tile_cols) {
    const int64_t tiles =
        (rows + tile_rows - 1) / tile_rows * ((p.cols + tile_cols - 1) / tile_cols);
    if (tiles > INT32_MAX) return cudaErrorInvalidConfiguration;
    const kx::launch_config config{
        dim3((unsigned)tiles, (unsigned)std::min(p.groups, (int64_t)1024), planes),
        dim3(kFmaThreads), 0, stream_of(stream)};
    return kx::launch("conv_fma_kernel", kernel, config, p);
  };
  switch (shape) {
    case FmaShape::k128x32:
      return launch(conv_fma_kernel<WEIGHT, A_DEPTH, B_DEPTH, 2, 1>, 128, 32);
    case FmaShape::k64x64:
      return launch(conv_fma_kernel<WEIGHT, A_DEPTH, B_DEPTH, 1, 2>, 64, 64);
    default:
      return launch(conv_fma_kernel<WEIGHT, A_DEPTH, B_DEPTH, 2, 2>, 128, 64);
  }
}
}  // namespace gs
