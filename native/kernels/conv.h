// Convolutions as products of matrices that are never formed, for the conv_*.cu files.
//
// An output pixel (with its image) and a tap (with its input channel) each have a place in the
// gathered operand; the element they meet at is the sum of the two, a zero when it lies in the
// padding. The same two indices address the other operand and the result:
//
// | pass | gathered, row + depth | other operand, depth + column | result, row + column |
// |---|---|---|---|
// | forward | x, pixel + tap | w, tap + filter | y, pixel + filter |
// | backward data | dy, pixel + tap | w, tap + channel | dx, pixel + channel |
// | backward weight | x, tap + pixel | dy, pixel + filter | dw, tap + filter |
//
// Backward data treats input pixels of one residue modulo the strides together (a phase): for them
// it is a convolution of stride 1 with those taps that meet the residue.
#pragma once
#include "strides.h"

namespace gs {
constexpr int kConvPhases = 8;  // of one launch

// What differs from phase to phase.
struct ConvGrid {
  int32_t pixels[3];  // number along each axis
  int32_t start[3];   // place of pixel 0 in the gathered operand
  int32_t taps[3];
  int64_t other_start, w_start;
};

struct ConvArguments {
  const void *a, *b, *bias;  // gathered operand, other operand
  void* out;
  int64_t images, channels, cols, groups;  // channels, columns of one group
  int32_t size[3];                         // of the gathered operand
  int32_t step[3], tap_step[3];            // places between neighbours
  int64_t a_image, a_channel, a_step[3];   // strides of the gathered operand
  int64_t other_image, other_step[3];      // of what else is addressed by pixels
  int64_t w_channel, w_step[3];            // of what else is addressed by taps
  int64_t b_col, out_col;                  // of columns
  int64_t group_a, group_b, group_out;
  int64_t chunk, split_stride;  // backward weight: depth of a split; its results
  int32_t phases, splits;
  bool channel_fastest;  // order of taps: channels innermost, else outermost
  bool rows_fastest;     // order in which results are stored
  bool b_along_depth;    // neighbours of b are neighbours along the depth, else along columns
  bool vector_a, vector_b, relu;
  ConvGrid grid[kConvPhases];
  // Of conv_mma.cu: where a phase's filters begin; results in vectors along columns.
  int64_t packed[kConvPhases];
  bool vector_out;
};

// A row's or a depth's part of the addresses. z is kConvOutside where there is no such row.
struct alignas(16) ConvIndex {
  int64_t at, other;
  int32_t z, y, x, padding;
};
constexpr int32_t kConvOutside = -(1 << 30);

KX_DEVICE int64_t pixel_count(const ConvArguments& p, const ConvGrid& g) {
  return p.images * g.pixels[0] * g.pixels[1] * g.pixels[2];
}
KX_DEVICE int64_t tap_count(const ConvArguments& p, const ConvGrid& g) {
  return p.channels * g.taps[0] * g.taps[1] * g.taps[2];
}

KX_DEVICE ConvIndex pixel_index(const ConvArguments& p, const ConvGrid& g, int64_t i, int64_t z,
                                int64_t y, int64_t x) {
  ConvIndex r{};
  r.z = g.start[0] + (int32_t)z * p.step[0];
  r.y = g.start[1] + (int32_t)y * p.step[1];
  r.x = g.start[2] + (int32_t)x * p.step[2];
  r.at = i * p.a_image + r.z * p.a_step[0] + r.y * p.a_step[1] + r.x * p.a_step[2];
  r.other = g.other_start + i * p.other_image + z * p.other_step[0] + y * p.other_step[1] +
            x * p.other_step[2];
  return r;
}
KX_DEVICE ConvIndex pixel_index(const ConvArguments& p, const ConvGrid& g, int64_t i) {
  const int64_t x = take_digit(i, g.pixels[2]), y = take_digit(i, g.pixels[1]),
                z = take_digit(i, g.pixels[0]);
  return pixel_index(p, g, i, z, y, x);
}

// In 32 bits, which the launchers see to: it runs in the inner loop, where 64-bit divisions spill.
KX_DEVICE ConvIndex tap_index(const ConvArguments& p, const ConvGrid& g, int64_t index) {
  uint32_t i = (uint32_t)index, channel = 0;
  const auto take = [&](int64_t size) {
    const uint32_t digit = i % (uint32_t)size;
    i /= (uint32_t)size;
    return digit;
  };
  if (p.channel_fastest) channel = take(p.channels);
  const int32_t x = (int32_t)take(g.taps[2]), y = (int32_t)take(g.taps[1]);
  const int32_t z = (int32_t)(p.channel_fastest ? i : take(g.taps[0]));
  if (!p.channel_fastest) channel = i;
  ConvIndex r{};
  r.z = z * p.tap_step[0];
  r.y = y * p.tap_step[1];
  r.x = x * p.tap_step[2];
  r.at = channel * p.a_channel + r.z * p.a_step[0] + r.y * p.a_step[1] + r.x * p.a_step[2];
  r.other = g.w_start + channel * p.w_channel + z * p.w_step[0] + y * p.w_step[1] + x * p.w_step[2];
  return r;
}

// Whether the element where both meet lies inside the gathered operand.
KX_DEVICE bool meets(const ConvArguments& p, const ConvIndex& a, const ConvIndex& b) {
  return (uint32_t)(a.z + b.z) < (uint32_t)p.size[0] &&
         (uint32_t)(a.y + b.y) < (uint32_t)p.size[1] && (uint32_t)(a.x + b.x) < (uint32_t)p.size[2];
}

// ---- backward data with few channels (conv_narrow.cu) ----
struct ConvNarrow {
  const float *dy, *w, *bias;
  float* dx;
  int64_t images, filters, channels, groups;  // filters and channels of one group
  int32_t stride[3], pad[3], dilation[3], kernel[3], size[3], out[3];
  int32_t residues[3], blocks[3];  // inputs: b stride + r
  int32_t base[3], window[3];      // outputs that meet them: b + base + u
  int64_t y_image, y_channel, y_step[3], x_image, x_channel, x_step[3];
  int64_t w_filter, w_channel;
  int32_t chunk;      // filters whose taps are in shared memory together
  bool last, vector;  // channels last; dy in vectors along them
};
constexpr int kNarrowWeights = 8192;  // in shared memory, of kNarrowFilters filters or more
constexpr int kNarrowFilters = 8;
// Of a kernel for so many channels: their distance in shared memory; blocks of inputs a thread.
KX_BOTH constexpr int narrow_pitch(int channels) {
  return channels == 1 ? 1 : channels <= 3 ? 4 : 8;
}
KX_BOTH constexpr int narrow_blocks(int channels) {
  return channels == 8 ? 2 : channels == 3 ? 3 : 4;
}

constexpr int kDepthwiseTaps = 49;  // of a filter, in shared memory

// The launchers of the files; arguments are complete but for what they say.
bool conv_narrow_fits(const ConvNarrow& p);
cudaError_t conv_narrow(const ConvNarrow& p, gs_stream stream);
// f32, one channel and filter a group, up to kDepthwiseTaps taps.
cudaError_t conv_depthwise(const ConvArguments& p, gs_stream stream);
int64_t conv_depthwise_splits(const ConvArguments& p);  // before limits
cudaError_t conv_depthwise_weight(const ConvArguments& p, gs_stream stream);
// f32, where offsets of taps are small (conv_fma.h).
bool conv_fma_fits(const ConvArguments& p);
cudaError_t conv_fma(const ConvArguments& p, gs_stream stream);
int64_t conv_fma_splits(const ConvArguments& p);  // before limits
cudaError_t conv_fma_weight(const ConvArguments& p, gs_stream stream);
// bf16 and f16. workspace: conv_packed_bytes, of all phases that have taps; depth: the sum of
// theirs.
int64_t conv_packed_bytes(int64_t groups, int64_t cols, int64_t depth, int64_t phases);
cudaError_t conv_mma(int32_t type, const ConvArguments& p, void* workspace, gs_stream stream);
int64_t conv_mma_splits(const ConvArguments& p);  // before limits
cudaError_t conv_mma_weight(int32_t type, const ConvArguments& p, gs_stream stream);
// f64, and what of f32 conv_fma.h does not fit.
cudaError_t conv_tiled(int32_t type, const ConvArguments& p, gs_stream stream);
cudaError_t conv_tiled_weight(int32_t type, const ConvArguments& p, gs_stream stream);
cudaError_t conv_direct(int32_t type, const ConvArguments& p, gs_stream stream);
cudaError_t conv_direct_weight(int32_t type, const ConvArguments& p, gs_stream stream);
// dw = the sums of the partial results, in order; these are [filter][tap][channel], so that taps is
// 1 where they have dw's order.
cudaError_t conv_sum_splits(int32_t type, int64_t count, int32_t splits, int64_t channels,
                            int64_t taps, const void* partial, void* dw, gs_stream stream);
// Sums of dy over all but its channels, seen as [outer][channels][inner]; partial: splits *
// channels doubles.
cudaError_t conv_channel_sums(int32_t type, int64_t outer, int64_t channels, int64_t inner,
                              int32_t splits, const void* dy, double* partial, void* dbias,
                              gs_stream stream);
}  // namespace gs
