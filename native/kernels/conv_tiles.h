// The tiled kernel of the convolutions: 256 threads, warps of 32 x 16 results, operands through
// a ring of shared-memory stages filled by cp.async, as in gemm_simt.cu. The parts of the addresses
// that belong to rows are computed once for a tile, those that belong to the depth once for every
// kAhead steps.
#pragma once
#include "activations.h"
#include "conv.h"
#include "tiles.h"

namespace gs {
constexpr int kConvThreads = 256, kConvTile = 64, kConvStep = 8, kConvStages = 4;
constexpr int kAhead = 8;  // steps whose depth indices are computed together

// WEIGHT: rows are taps and the depth is pixels, else the other way. A_DEPTH, B_DEPTH: neighbours
// in the operand's memory are neighbours along the depth, else along rows or columns. Grid: tiles,
// groups, phases (WEIGHT: splits of the depth).
template <class T, bool WEIGHT, bool A_DEPTH, bool B_DEPTH>
__global__ __launch_bounds__(kConvThreads,
                             2) void conv_tiled_kernel(const __grid_constant__ ConvArguments p) {
  using W = kx::wide<T>;
  constexpr int kTile = kConvTile, kPitch = kTile + 4, kStageSize = kConvStep * kPitch;
  constexpr int kSlicePitch = 20, kSlice = 32 * kSlicePitch;
  constexpr int kStaged = 2 * kConvStages * kStageSize, kSlices = kConvThreads / 32 * kSlice;
  constexpr int kShared = kStaged > kSlices ? kStaged : kSlices;
  constexpr int kTable = kAhead * kConvStep;
  [[maybe_unused]] constexpr int kUnroll = sizeof(T) <= 4 ? 2 : 1;  // more spills
  KX_SHARED(shared, W[kShared]);
  KX_SHARED(rows, ConvIndex[kTile]);
  KX_SHARED(depths, ConvIndex[2 * kTable]);
  const int tid = threadIdx.x, lane = tid % 32, warp = tid / 32;
  const int row_in_tile = warp % 2 * 32 + lane / 4 * 4;
  const int col_in_tile = warp / 2 * 16 + lane % 4 * 4;

  const ConvGrid& g = p.grid[WEIGHT ? 0 : blockIdx.z];
  const int64_t row_count = WEIGHT ? tap_count(p, g) : pixel_count(p, g);
  const int64_t depth = WEIGHT ? pixel_count(p, g) : tap_count(p, g);
  const int64_t depth_begin = WEIGHT ? blockIdx.z * p.chunk : 0;
  const int64_t depth_end = WEIGHT ? min(depth, depth_begin + p.chunk) : depth;
  const int steps =
      depth_end > depth_begin ? (int)((depth_end - depth_begin + kConvStep - 1) / kConvStep) : 0;
  const int64_t tile_cols = (p.cols + kTile - 1) / kTile;
  const int64_t m0 = blockIdx.x / tile_cols * kTile, n0 = blockIdx.x % tile_cols * kTile;
  if (m0 >= row_count) return;  // a phase with fewer tiles than another
  const int cols_left = (int)min(p.cols - n0, (int64_t)kTile);

  const auto index_of = [&](bool pixel, int64_t i, int64_t end) {
    ConvIndex r = {0, 0, kConvOutside, 0, 0};
    if (i < end) r = pixel ? pixel_index(p, g, i) : tap_index(p, g, i);
    return r;
  };
  const auto prepare = [&](int first) {  // the depth's indices from step `first` on
    depths[first % (2 * kAhead) * kConvStep + tid % kTable] =
        index_of(WEIGHT, depth_begin + (int64_t)first * kConvStep + tid % kTable, depth_end);
  };

  for (int64_t group = blockIdx.y; group < p.groups; group += gridDim.y) {
    const T* a = static_cast<const T*>(p.a) + group * p.group_a;
    const T* b = static_cast<const T*>(p.b) + group * p.group_b + n0 * p.b_col;
    if (tid < kTile) rows[tid] = index_of(!WEIGHT, m0 + tid, row_count);
    if (tid < 2 * kTable) prepare(tid / kTable * kAhead);
    __syncthreads();  // rows and depths are complete
    const auto load = [&](int step) {
      if (step < steps) {
        W* as = shared + step % kConvStages * (2 * kStageSize);
        W* bs = as + kStageSize;
        const ConvIndex* table = depths + step % (2 * kAhead) * kConvStep;
        if constexpr (A_DEPTH) {
          const int kk = tid % kConvStep;
          const ConvIndex d = table[kk];
#pragma unroll kUnroll
          for (int i = tid / kConvStep; i < kTile; i += kConvThreads / kConvStep) {
            const bool inside = meets(p, rows[i], d);
            kx::copy_async<sizeof(T)>(as + kk * kPitch + i, inside ? a + (rows[i].at + d.at) : a,
                                      inside);
          }
        } else if (WEIGHT && p.vector_a) {  // channels lie side by side
          constexpr int V = 16 / sizeof(T);
#pragma unroll 1
          for (int e = tid; e < kConvStep * kTile / V; e += kConvThreads) {
            const int kk = e / (kTile / V), i = e % (kTile / V) * V;
            const bool inside = meets(p, rows[i], table[kk]);
            kx::copy_async<16>(as + kk * kPitch + i, inside ? a + (rows[i].at + table[kk].at) : a,
                               inside);
          }
        } else {
          const int i = tid % kTile;
          const ConvIndex r = rows[i];
#pragma unroll kUnroll
          for (int kk = tid / kTile; kk < kConvStep; kk += kConvThreads / kTile) {
            const bool inside = meets(p, r, table[kk]);
            kx::copy_async<sizeof(T)>(as + kk * kPitch + i, inside ? a + (r.at + table[kk].at) : a,
                                      inside);
          }
        }
        if constexpr (B_DEPTH) {
          const int kk = tid % kConvStep;
          const ConvIndex d = table[kk];
#pragma unroll kUnroll
          for (int j = tid / kConvStep; j < kTile; j += kConvThreads / kConvStep) {
            const bool inside = j < cols_left && d.z != kConvOutside;
            kx::copy_async<sizeof(T)>(bs + kk * kPitch + j,
                                      inside ? b + (d.other + j * p.b_col) : a, inside);
          }
        } else if (WEIGHT && p.vector_b) {
          constexpr int V = 16 / sizeof(T);
#pragma unroll 1
          for (int e = tid; e < kConvStep * kTile / V; e += kConvThreads) {
            const int kk = e / (kTile / V), j = e % (kTile / V) * V;
            const bool inside = j < cols_left && table[kk].z != kConvOutside;
            kx::copy_async<16>(bs + kk * kPitch + j, inside ? b + (table[kk].other + j) : b,
                               inside);
          }
        } else {
          const int j = tid % kTile;
#pragma unroll kUnroll
          for (int kk = tid / kTile; kk < kConvStep; kk += kConvThreads / kTile) {
            const bool inside = j < cols_left && table[kk].z != kConvOutside;
            kx::copy_async<sizeof(T)>(bs + kk * kPitch + j,
                                      inside ? b + (table[kk].other + j * p.b_col) : b, inside);
          }
        }
      }
      kx::copy_async_commit();  // also when empty: the waits count groups
    };
#pragma unroll 1
    for (int step = 0; step < kConvStages - 1; step++) load(step);
    W sums[4][4] = {};
#pragma unroll 1
    for (int step = 0; step < steps; step++) {
      kx::copy_async_wait<kConvStages - 2>();
      __syncthreads();  // this stage has landed; all are done with the one loaded next
      const int next = step + kConvStages - 1;
      load(next);
      // The half of the table that the load before this barrier was the last to read.
      if (next % kAhead == 0 && tid < kTable) prepare(next + kAhead);
      const W* as = shared + step % kConvStages * (2 * kStageSize);
      const W* bs = as + kStageSize;
#pragma unroll
      for (int kk = 0; kk < kConvStep; kk++) {
        W av[4], bv[4];
        load4(av, as + kk * kPitch + row_in_tile);
        load4(bv, bs + kk * kPitch + col_in_tile);
#pragma unroll
        for (int i = 0; i < 4; i++) {
#pragma unroll
          for (int j = 0; j < 4; j++) sums[i][j] = fma(av[i], bv[j], sums[i][j]);
        }
      }
    }
    __syncthreads();  // all have read the last stages, which the slices overwrite
    W* slice = shared + warp * kSlice;
    T* out =
        static_cast<T*>(p.out) + group * p.group_out + (WEIGHT ? blockIdx.z * p.split_stride : 0);
    const T* bias = static_cast<const T*>(p.bias);
    const auto store = [&](int r, int c) {  // of the slice
      const int row = warp % 2 * 32 + r, col = warp / 2 * 16 + c;
      if (m0 + row < row_count && col < cols_left) {
        W v = slice[r * kSlicePitch + c];
        if constexpr (!WEIGHT) {
          if (bias) v += kx::to_float(bias[group * p.cols + n0 + col]);
          if (p.relu) v = relu(v);
          out[rows[row].other + (n0 + col) * p.out_col] = kx::from_float<T>(v);
        } else {
          out[rows[row].other + (n0 + col) * p.out_col] = v;
        }
      }
    };
#pragma unroll
    for (int i = 0; i < 4; i++) {
      store4(slice + (lane / 4 * 4 + i) * kSlicePitch + lane % 4 * 4, sums[i]);
    }
    __syncwarp();  // the slice is complete
    if (p.rows_fastest) {
#pragma unroll 1
      for (int c = 0; c < 16; c++) store(lane, c);
    } else {
#pragma unroll 1
      for (int r = lane / 16; r < 32; r += 2) store(r, lane % 16);
    }
    __syncthreads();  // before the next group's copies and indices
  }
}

template <class T, bool WEIGHT, bool A_DEPTH, bool B_DEPTH>
cudaError_t launch_conv_tiled(const ConvArguments& p, int64_t rows, unsigned planes,
                              gs_stream stream) {
  const int64_t tiles = (rows + kConvTile - 1) / kConvTile * ((p.cols + kConvTile - 1) / kConvTile);
  if (tiles > INT32_MAX) return cudaErrorInvalidConfiguration;
  const kx::launch_config config{
      dim3((unsigned)tiles, (unsigned)std::min(p.groups, (int64_t)1024), planes),
      dim3(kConvThreads), 0, stream_of(stream)};
  return kx::launch("conv_tiled_kernel", conv_tiled_kernel<T, WEIGHT, A_DEPTH, B_DEPTH>, config, p);
}
}  // namespace gs
