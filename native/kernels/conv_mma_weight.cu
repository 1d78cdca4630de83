// Convolution backward weight of bf16 and f16 on tensor cores: tiles of implicit products over
// parts of all pixels (conv.h, conv_mma.h), whose sums are added afterwards (conv_weight.cu).
//
// | kernel | for |
// |---|---|
// | conv_mma_kernel<T, true, 1, 4, WN> | channels last, in chunks of eight |
// | conv_mma_kernel<T, true, 0, 4, 2> | else: lanes along pixels |
#include "conv_mma.h"

namespace gs {
namespace {
constexpr int64_t kBlocks = 1056;  // fill any device a few times over

bool in_vectors(const ConvArguments& p) {
  return p.channel_fastest && p.channels % 8 == 0 && p.cols % 8 == 0 && p.b_col == 1 &&
         aligned16({p.a, p.b});
}
int64_t rows_of(const ConvArguments& p) {
  const ConvGrid& g = p.grid[0];
  return p.channels * g.taps[0] * g.taps[1] * g.taps[2];
}

template <class T>
cudaError_t run(const ConvArguments& p, gs_stream stream) {
  const unsigned splits = (unsigned)p.splits;
  if (!in_vectors(p)) {
    return launch_conv_mma<T, true, false, 4, 2>(p, rows_of(p), splits, stream);
  }
  return p.cols > 64 ? launch_conv_mma<T, true, true, 4, 4>(p, rows_of(p), splits, stream)
                     : launch_conv_mma<T, true, true, 4, 2>(p, rows_of(p), splits, stream);
}
}  // namespace

// From sizes alone: the operands' alignment is not known where the workspace is asked for.
int64_t conv_mma_splits(const ConvArguments& p) {
  const int64_t side = p.cols > 64 ? 128 : 64;
  const int64_t tiles = (rows_of(p) + 127) / 128 * ((p.cols + side - 1) / side) * p.groups;
  return kBlocks / tiles;
}

cudaError_t conv_mma_weight(int32_t type, const ConvArguments& p, gs_stream stream) {
  return type == GS_BF16 ? run<kx::bf16>(p, stream) : run<kx::f16>(p, stream);
}
}  // namespace gs
