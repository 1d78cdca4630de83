// Convolution forward and backward data of f32: tiles of implicit products (conv.h, conv_fma.h).
//
// | kernel | for |
// |---|---|
// | conv_fma_kernel<false, 1, 1, WM, WN> | forward, channels last |
// | conv_fma_kernel<false, 0, 1, WM, WN> | forward, channels first |
// | conv_fma_kernel<false, 1, 0, WM, WN> | backward data, channels last |
// | conv_fma_kernel<false, 0, 0, WM, WN> | backward data, channels first |
#include "conv_fma.h"

namespace gs {
bool conv_fma_fits(const ConvArguments& p) {
  int64_t bits = 0, at = (p.channels - 1) * p.a_channel, pixels[3] = {1, 1, 1};
  for (int d = 0; d < 3; d++) {
    int64_t taps = 1, reach;
    for (int i = 0; i < p.phases; i++) {
      taps = std::max<int64_t>(taps, p.grid[i].taps[d]);
      pixels[d] = std::max<int64_t>(pixels[d], p.grid[i].pixels[d]);
    }
    bits += taps;
    if (__builtin_mul_overflow((taps - 1) * std::abs((int64_t)p.tap_step[d]), p.a_step[d],
                               &reach) ||
        reach > INT32_MAX) {
      return false;
    }
    at += reach;
  }
  const int64_t size[4] = {p.images, pixels[0], pixels[1], pixels[2]};
  const int64_t count = count_of(4, size);
  return bits < 32 && at <= INT32_MAX && count >= 0 && count <= INT32_MAX && p.groups <= 1 << 30;
}

cudaError_t conv_fma(const ConvArguments& arguments, gs_stream stream) {
  ConvArguments p = arguments;
  int64_t rows = 0;
  bool whole = true;  // pixels are those of the gathered operand, one tap each
  for (int i = 0; i < p.phases; i++) {
    const ConvGrid& g = p.grid[i];
    int64_t pixels = p.images;
    for (int d = 0; d < 3; d++) {
      pixels *= g.pixels[d];
      whole = whole && g.taps[d] == 1 && g.start[d] == 0 && g.pixels[d] == p.size[d] &&
              (p.step[d] == 1 || p.size[d] == 1);
    }
    rows = std::max(rows, pixels);
  }
  // Channels first: neighbouring pixels of an image; backward data: the channels of a filter.
  p.vector_a = !p.channel_fastest && whole && p.a_channel % 4 == 0 && aligned16({p.a});
  p.vector_b = !p.b_along_depth && whole && p.b_col == 1 && p.cols % 4 == 0 && aligned16({p.b});
  const FmaShape shape = fma_shape(rows, p.cols, p.groups * p.phases);
  const unsigned phases = (unsigned)p.phases;
  if (p.channel_fastest) {
    return p.b_along_depth ? launch_conv_fma<false, true, true>(p, rows, shape, phases, stream)
                           : launch_conv_fma<false, true, false>(p, rows, shape, phases, stream);
  }
  return p.b_along_depth ? launch_conv_fma<false, false, true>(p, rows, shape, phases, stream)
                         : launch_conv_fma<false, false, false>(p, rows, shape, phases, stream);
}
}  // namespace gs
