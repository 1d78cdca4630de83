// Convolution forward and backward data: tiles of implicit products (conv.h, conv_tiles.h).
//
// | kernel | for |
// |---|---|
// | conv_tiled_kernel<T, false, 1, 1> | forward, channels last |
// | conv_tiled_kernel<T, false, 0, 1> | forward, channels first |
// | conv_tiled_kernel<T, false, 1, 0> | backward data, channels last |
// | conv_tiled_kernel<T, false, 0, 0> | backward data, channels first |
//
// Most of f32 is conv_fma.cu's; bf16 and f16 are conv_mma.cu's.
#include "conv_tiles.h"

namespace gs {
namespace {
template <class T, bool A_DEPTH, bool B_DEPTH>
cudaError_t launch(const ConvArguments& p, gs_stream stream) {
  int64_t rows = 0;
  for (int i = 0; i < p.phases; i++) {
    const ConvGrid& g = p.grid[i];
    rows = std::max(rows, p.images * g.pixels[0] * g.pixels[1] * g.pixels[2]);
  }
  return launch_conv_tiled<T, false, A_DEPTH, B_DEPTH>(p, rows, (unsigned)p.phases, stream);
}
}  // namespace

cudaError_t conv_tiled(int32_t type, const ConvArguments& p, gs_stream stream) {
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T> || sizeof(T) < 4) {
      return cudaErrorInvalidValue;
    } else {
      const bool along = p.b_along_depth;
      if (p.channel_fastest) {
        return along ? launch<T, true, true>(p, stream) : launch<T, true, false>(p, stream);
      }
      return along ? launch<T, false, true>(p, stream) : launch<T, false, false>(p, stream);
    }
  };
  return with_type(type, run);
}
}  // namespace gs
