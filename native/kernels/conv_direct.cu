// Convolutions with few channels a group (depthwise ones above all), where a tile of the implicit
// product would be mostly empty: one result a thread.
//
// | kernel | for |
// |---|---|
// | conv_direct_kernel<T> | forward and backward data |
// | conv_direct_weight_kernel<T, 1> | backward weight, channels last: a thread a weight and part |
// | conv_direct_weight_kernel<T, 32> | the same, channels first: a warp, its lanes along the pixels
// |
//
// Neighbouring threads take neighbours in memory: channels where they are innermost, else pixels.
#include "activations.h"
#include "conv.h"
#include "reduce.h"

namespace gs {
namespace {
template <class T>
__global__ __launch_bounds__(kElementThreads) void conv_direct_kernel(
    const __grid_constant__ ConvArguments p) {
  using W = kx::wide<T>;
  const ConvGrid& g = p.grid[blockIdx.z];
  const int64_t pixels = pixel_count(p, g), count = pixels * p.cols * p.groups;
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i, pixel = 0;
    if (p.rows_fastest) pixel = take_digit(rest, pixels);
    const int64_t col = take_digit(rest, p.cols), group = take_digit(rest, p.groups);
    if (!p.rows_fastest) pixel = rest;
    const ConvIndex r = pixel_index(p, g, pixel);
    const T* a = static_cast<const T*>(p.a) + group * p.group_a + r.at;
    const T* w = static_cast<const T*>(p.b) + group * p.group_b + col * p.b_col + g.w_start;
    W sum = 0;
    for (int64_t c = 0; c < p.channels; c++) {
      for (int tz = 0; tz < g.taps[0]; tz++) {
        const int z = tz * p.tap_step[0];
        if ((uint32_t)(r.z + z) >= (uint32_t)p.size[0]) continue;
        for (int ty = 0; ty < g.taps[1]; ty++) {
          const int y = ty * p.tap_step[1];
          if ((uint32_t)(r.y + y) >= (uint32_t)p.size[1]) continue;
          const T* from = a + c * p.a_channel + z * p.a_step[0] + y * p.a_step[1];
          const T* with = w + c * p.w_channel + tz * p.w_step[0] + ty * p.w_step[1];
          for (int tx = 0; tx < g.taps[2]; tx++) {
            const int x = tx * p.tap_step[2];
            if ((uint32_t)(r.x + x) >= (uint32_t)p.size[2]) continue;
            sum = fma((W)kx::to_float(from[x * p.a_step[2]]),
                      (W)kx::to_float(with[tx * p.w_step[2]]), sum);
          }
        }
      }
    }
    if (p.bias) sum += kx::to_float(static_cast<const T*>(p.bias)[group * p.cols + col]);
    if (p.relu) sum = relu(sum);
    static_cast<T*>(p.out)[group * p.group_out + col * p.out_col + r.other] =
        kx::from_float<T>(sum);
  }
}

// GROUP threads a weight and split.
template <class T, int GROUP>
__global__ __launch_bounds__(kElementThreads) void conv_direct_weight_kernel(
    const __grid_constant__ ConvArguments p) {
  using W = kx::wide<T>;
  const ConvGrid& g = p.grid[0];
  const int64_t pixels = pixel_count(p, g);
  const int64_t count = tap_count(p, g) * p.cols * p.groups * p.splits;
  const int lane = threadIdx.x % GROUP;
  const int64_t first = ((int64_t)blockIdx.x * kElementThreads + threadIdx.x) / GROUP;
  for (int64_t i = first; i < count; i += (int64_t)gridDim.x * (kElementThreads / GROUP)) {
    int64_t rest = i;
    const int64_t col = take_digit(rest, p.cols), group = take_digit(rest, p.groups);
    const int64_t tap = take_digit(rest, tap_count(p, g));
    const ConvIndex t = tap_index(p, g, tap);
    const T* a = static_cast<const T*>(p.a) + group * p.group_a + t.at;
    const T* dy = static_cast<const T*>(p.b) + group * p.group_b + col * p.b_col;
    const int64_t end = min(pixels, (rest + 1) * p.chunk);
    W sum = 0;
    for (int64_t pixel = rest * p.chunk + lane; pixel < end; pixel += GROUP) {
      const ConvIndex r = pixel_index(p, g, pixel);
      if (meets(p, r, t)) {
        sum = fma((W)kx::to_float(a[r.at]), (W)kx::to_float(dy[r.other]), sum);
      }
    }
    if constexpr (GROUP == 32) sum = group_sum<32>(sum, static_cast<W*>(nullptr));
    if (lane == 0) {
      static_cast<W*>(
          p.out)[rest * p.split_stride + group * p.group_out + col * p.out_col + t.other] = sum;
    }
  }
}
}  // namespace

cudaError_t conv_direct(int32_t type, const ConvArguments& p, gs_stream stream) {
  int64_t rows = 0;
  for (int i = 0; i < p.phases; i++) {
    const ConvGrid& g = p.grid[i];
    rows = std::max(rows, p.images * g.pixels[0] * g.pixels[1] * g.pixels[2]);
  }
  kx::launch_config config = element_config(rows * p.cols * p.groups, stream);
  config.grid.z = (unsigned)p.phases;
  return with_type(type, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) {
      return cudaErrorInvalidValue;
    } else {
      return KX_LAUNCH(conv_direct_kernel<T>, config, p);
    }
  });
}

cudaError_t conv_direct_weight(int32_t type, const ConvArguments& p, gs_stream stream) {
  const ConvGrid& g = p.grid[0];
  const int64_t count =
      p.channels * g.taps[0] * g.taps[1] * g.taps[2] * p.cols * p.groups * p.splits;
  return with_type(type, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) {
      return cudaErrorInvalidValue;
    } else if (p.channel_fastest) {
      return kx::launch("conv_direct_weight_kernel", conv_direct_weight_kernel<T, 1>,
                        element_config(count, stream), p);
    } else {
      return kx::launch("conv_direct_weight_kernel", conv_direct_weight_kernel<T, 32>,
                        element_config(count * 32, stream), p);
    }
  });
}
}  // namespace gs
