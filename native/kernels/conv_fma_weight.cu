// Convolution backward weight of f32: tiles of implicit products over parts of all pixels (conv.h,
// conv_fma.h), whose sums are added afterwards (conv_weight.cu).
//
// | kernel | for |
// |---|---|
// | conv_fma_kernel<true, 0, 0, WM, WN> | channels last; 16-byte copies where channels allow |
// | conv_fma_kernel<true, 1, 1, WM, WN> | channels first |
#include "conv_fma.h"

namespace gs {
namespace {
// Splits fill the device, so that its size does not matter here.
FmaShape shape_of(int64_t rows, int64_t cols) { return fma_shape(rows, cols, 1 << 20); }
}  // namespace

int64_t conv_fma_splits(const ConvArguments& p) {
  const ConvGrid& g = p.grid[0];
  const int64_t rows = p.channels * g.taps[0] * g.taps[1] * g.taps[2];
  const FmaShape shape = shape_of(rows, p.cols);
  const int64_t tile_rows = shape == FmaShape::k64x64 ? 64 : 128;
  const int64_t tile_cols = shape == FmaShape::k128x32 ? 32 : 64;
  const int64_t tiles = (rows + tile_rows - 1) / tile_rows * ((p.cols + tile_cols - 1) / tile_cols);
  return 1584 / (tiles * p.groups);  // blocks
}

cudaError_t conv_fma_weight(const ConvArguments& p, gs_stream stream) {
  const ConvGrid& g = p.grid[0];
  const int64_t rows = p.channels * g.taps[0] * g.taps[1] * g.taps[2];
  const FmaShape shape = shape_of(rows, p.cols);
  const unsigned splits = (unsigned)p.splits;
  return p.channel_fastest ? launch_conv_fma<true, false, false>(p, rows, shape, splits, stream)
                           : launch_conv_fma<true, true, true>(p, rows, shape, splits, stream);
}
}  // namespace gs
