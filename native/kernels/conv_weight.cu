// Convolution backward weight: tiles of implicit products over all pixels (conv.h, conv_tiles.h),
// split along the pixels into parts that are added in a fixed order; and the gradient of the bias.
//
// | kernel | for |
// |---|---|
// | conv_tiled_kernel<T, true, 0, 0> | channels last; 16-byte copies where channels allow |
// | conv_tiled_kernel<T, true, 1, 1> | channels first |
// | conv_sum_splits_kernel<T, LINES> | adds the parts |
// | conv_channel_rows_kernel<T> | sums of dy over pixels, channels first: a block a channel, part |
// | conv_channel_cols_kernel<T> | the same, channels last: lanes along channels |
// | conv_channel_total_kernel<T> | adds the parts |
#include "conv_tiles.h"
#include "reduce.h"

namespace gs {
namespace {
// LINES threads add an element's parts, each every LINES-th; their sums are added in order. Parts
// are [filter][tap][channel], dw [filter][channel][tap]; taps is 1 where they have the same order.
template <class T, int LINES>
__global__ __launch_bounds__(kGroupThreads) void conv_sum_splits_kernel(
    int64_t count, int splits, int64_t channels, int64_t taps, const kx::wide<T>* partial, T* dw) {
  using W = kx::wide<T>;
  constexpr int kWidth = kGroupThreads / LINES;
  KX_SHARED(lines, W[LINES][kWidth]);
  const int lane = threadIdx.x % kWidth, line = threadIdx.x / kWidth;
  for (int64_t first = (int64_t)blockIdx.x * kWidth; first < count;
       first += (int64_t)gridDim.x * kWidth) {
    const int64_t i = first + lane;
    W sum = 0;
    if (i < count) {
#pragma unroll 4
      for (int s = line; s < splits; s += LINES) sum += partial[s * count + i];
    }
    if constexpr (LINES > 1) {
      lines[line][lane] = sum;
      __syncthreads();  // the sums of all parts are complete
      if (line == 0) {
#pragma unroll
        for (int l = 1; l < LINES; l++) sum += lines[l][lane];
      }
      __syncthreads();  // before the next elements' sums
    }
    if (line == 0 && i < count) {
      int64_t filter = i;
      const int64_t channel = take_digit(filter, channels), tap = take_digit(filter, taps);
      dw[(filter * channels + channel) * taps + tap] = kx::from_float<T>(sum);
    }
  }
}

// Grid: channels, splits.
template <class T>
__global__ __launch_bounds__(kGroupThreads) void conv_channel_rows_kernel(
    int64_t outer, int64_t channels, int64_t inner, int64_t chunk, const T* dy, double* partial) {
  KX_SHARED(scratch, double[kGroupThreads / 32]);
  const int64_t begin = blockIdx.y * chunk, end = min(begin + chunk, outer * inner);
  for (int64_t channel = blockIdx.x; channel < channels; channel += gridDim.x) {
    double sum = 0;
    for (int64_t i = begin + threadIdx.x; i < end; i += kGroupThreads) {
      int64_t n = i;
      const int64_t pixel = take_digit(n, inner);
      sum += kx::to_float(dy[(n * channels + channel) * inner + pixel]);
    }
    sum = group_sum<kGroupThreads>(sum, scratch);
    if (threadIdx.x == 0) partial[blockIdx.y * channels + channel] = sum;
  }
}

// Grid: groups of 32 channels, splits.
template <class T>
__global__ __launch_bounds__(kGroupThreads) void conv_channel_cols_kernel(
    int64_t rows, int64_t channels, int64_t chunk, const T* dy, double* partial) {
  constexpr int kLines = kGroupThreads / 32;
  KX_SHARED(lines, double[kLines][32]);
  const int lane = threadIdx.x % 32, line = threadIdx.x / 32;
  const int64_t begin = blockIdx.y * chunk, end = min(begin + chunk, rows);
  for (int64_t first = (int64_t)blockIdx.x * 32; first < channels; first += gridDim.x * 32ll) {
    const int64_t channel = first + lane;
    double sum = 0;
    if (channel < channels) {
      for (int64_t row = begin + line; row < end; row += kLines) {
        sum += kx::to_float(dy[row * channels + channel]);
      }
    }
    lines[line][lane] = sum;
    __syncthreads();  // the lines' sums are complete
    if (line == 0 && channel < channels) {
#pragma unroll
      for (int i = 1; i < kLines; i++) sum += lines[i][lane];
      partial[blockIdx.y * channels + channel] = sum;
    }
    __syncthreads();  // before the next channels' sums
  }
}

template <class T>
__global__ __launch_bounds__(kElementThreads) void conv_channel_total_kernel(int64_t channels,
                                                                             int splits,
                                                                             const double* partial,
                                                                             T* dbias) {
  for (int64_t c = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; c < channels;
       c += (int64_t)gridDim.x * kElementThreads) {
    double sum = partial[c];
    for (int s = 1; s < splits; s++) sum += partial[s * channels + c];
    dbias[c] = kx::from_float<T>((kx::wide<T>)sum);
  }
}

template <class T, bool DEPTH>
cudaError_t launch(const ConvArguments& p, gs_stream stream) {
  const ConvGrid& g = p.grid[0];
  const int64_t rows = p.channels * g.taps[0] * g.taps[1] * g.taps[2];
  return launch_conv_tiled<T, true, DEPTH, DEPTH>(p, rows, (unsigned)p.splits, stream);
}

// Calls f with a value of the floating type.
template <class F>
cudaError_t with_floating(int32_t type, F f) {
  return with_type(type, [&](auto zero) {
    if constexpr (std::is_integral_v<decltype(zero)>) {
      return cudaErrorInvalidValue;
    } else {
      return f(zero);
    }
  });
}
}  // namespace

cudaError_t conv_tiled_weight(int32_t type, const ConvArguments& p, gs_stream stream) {
  return with_floating(type, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (sizeof(T) < 4) {
      return cudaErrorInvalidValue;  // conv_mma_weight.cu's
    } else {
      return p.channel_fastest ? launch<T, false>(p, stream) : launch<T, true>(p, stream);
    }
  });
}

cudaError_t conv_sum_splits(int32_t type, int64_t count, int32_t splits, int64_t channels,
                            int64_t taps, const void* partial, void* dw, gs_stream stream) {
  return with_floating(type, [&](auto zero) {
    using T = decltype(zero);
    // Many parts of few elements: the loads' latencies, one after the other, would take long.
    const bool many = splits >= 16;
    return kx::launch("conv_sum_splits_kernel",
                      many ? conv_sum_splits_kernel<T, 8> : conv_sum_splits_kernel<T, 1>,
                      element_config(many ? count * 8 : count, stream), count, splits, channels,
                      taps, static_cast<const kx::wide<T>*>(partial), static_cast<T*>(dw));
  });
}

cudaError_t conv_channel_sums(int32_t type, int64_t outer, int64_t channels, int64_t inner,
                              int32_t splits, const void* dy, double* partial, void* dbias,
                              gs_stream stream) {
  const int64_t chunk = (outer * inner + splits - 1) / splits;
  const int64_t wanted = inner == 1 ? (channels + 31) / 32 : channels;
  const kx::launch_config config{dim3((unsigned)std::min(wanted, (int64_t)65536), (unsigned)splits),
                                 dim3(kGroupThreads), 0, stream_of(stream)};
  return with_floating(type, [&](auto zero) {
    using T = decltype(zero);
    const T* p = static_cast<const T*>(dy);
    const cudaError_t error = inner == 1 ? KX_LAUNCH(conv_channel_cols_kernel<T>, config, outer,
                                                     channels, chunk, p, partial)
                                         : KX_LAUNCH(conv_channel_rows_kernel<T>, config, outer,
                                                     channels, inner, chunk, p, partial);
    if (error != cudaSuccess) return error;
    return KX_LAUNCH(conv_channel_total_kernel<T>, element_config(channels, stream), channels,
                     splits, partial, static_cast<T*>(dbias));
  });
}
}  // namespace gs
