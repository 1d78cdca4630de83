// Backward weight of depthwise convolutions of f32; strips and threads as in conv_depthwise.cu.
//
// | kernel | for |
// |---|---|
// | conv_depthwise_weight_last_kernel<V, THREE> | channels last |
// | conv_depthwise_weight_first_kernel<THREE> | channels first |
//
// THREE: 3 x 3 taps and steps of 1. The strips are divided into splits, whose sums are added
// afterwards (conv_weight.cu).
#include "conv_depthwise.h"

namespace gs {
namespace {
constexpr int kWeightStrip = 8;  // pixels

// The taps that a block adds up: kAlong along the strip's axis S, kAcross along the other.
template <bool THREE>
struct TapBlock {
  static constexpr int kAlong = THREE ? 3 : 7, kAcross = THREE ? 3 : 1;
  int z, across, along;  // the first

  template <int S>
  KX_DEVICE static TapBlock at(const ConvGrid& g, int index) {
    const int count = (g.taps[S] + kAlong - 1) / kAlong, lines = g.taps[3 - S] / kAcross;
    return {index / count / lines, index / count % lines * kAcross, index % count * kAlong};
  }
};

// Adds the products of a strip of `count` pixels along axis S; a points at its image and channels,
// dy at its first pixel; place: where that pixel and the block's first tap meet.
template <int S, int V, bool THREE>
KX_DEVICE void accumulate(const ConvArguments& p, const float* a, const float* dy,
                          const int32_t (&place)[3], int count, int taps,
                          float (&sums)[TapBlock<THREE>::kAcross][TapBlock<THREE>::kAlong][V]) {
  constexpr int C = 3 - S;
  if (!within(place[0], p.size[0])) return;
  const float* base =
      a + (place[0] * p.a_step[0] + place[C] * p.a_step[C] + place[S] * p.a_step[S]);
  if constexpr (THREE) {
    bool inside[3];
    float window[3][3][V];  // the last three places along the strip, round and round; across
#pragma unroll
    for (int c = 0; c < 3; c++) inside[c] = within(place[C] + c * p.tap_step[C], p.size[C]);
    const auto fill = [&](int s) {
#pragma unroll
      for (int c = 0; c < 3; c++) {
        load(window[s % 3][c], base + (s * p.a_step[S] + c * p.tap_step[C] * p.a_step[C]),
             inside[c] && within(place[S] + s, p.size[S]));
      }
    };
    fill(0), fill(1);
#pragma unroll
    for (int i = 0; i < kWeightStrip; i++) {
      if (i >= count) break;
      float d[V];
      load(d, dy + i * p.other_step[S], true);
      fill(i + 2);
#pragma unroll
      for (int c = 0; c < 3; c++) {
#pragma unroll
        for (int s = 0; s < 3; s++) {
#pragma unroll
          for (int v = 0; v < V; v++) {
            sums[c][s][v] = fma(window[(i + s) % 3][c][v], d[v], sums[c][s][v]);
          }
        }
      }
    }
  } else {
    if (!within(place[C], p.size[C])) return;
#pragma unroll 1
    for (int i = 0; i < count; i++) {
      float d[V];
      load(d, dy + i * p.other_step[S], true);
#pragma unroll
      for (int t = 0; t < TapBlock<THREE>::kAlong; t++) {
        if (t >= taps) break;
        const int s = i * p.step[S] + t * p.tap_step[S];
        float from[V];
        load(from, base + s * p.a_step[S], within(place[S] + s, p.size[S]));
#pragma unroll
        for (int v = 0; v < V; v++) sums[0][t][v] = fma(from[v], d[v], sums[0][t][v]);
      }
    }
  }
}

// The strip of an index, dy's offset at its first pixel without channels; returns its image.
template <int S>
KX_DEVICE int64_t strip_at(const ConvArguments& p, int64_t index, int32_t (&pixel)[3],
                           int64_t* other) {
  const ConvGrid& g = p.grid[0];
  const int64_t size[3] = {g.pixels[0],
                           S == 1 ? (g.pixels[1] + kWeightStrip - 1) / kWeightStrip : g.pixels[1],
                           S == 2 ? (g.pixels[2] + kWeightStrip - 1) / kWeightStrip : g.pixels[2]};
  pixel[2] = (int32_t)take_digit(index, size[2]), pixel[1] = (int32_t)take_digit(index, size[1]);
  pixel[0] = (int32_t)take_digit(index, size[0]);
  pixel[S] *= kWeightStrip;
  *other = index * p.other_image + pixel[0] * p.other_step[0] + pixel[1] * p.other_step[1] +
           pixel[2] * p.other_step[2];
  return index;
}

// Where a strip's first pixel and a block's first tap meet.
template <int S, bool THREE>
KX_DEVICE void meeting(const ConvArguments& p, const int32_t (&pixel)[3],
                       const TapBlock<THREE>& block, int32_t (&place)[3]) {
  int first[3] = {block.z, block.across, block.across};
  first[S] = block.along;
#pragma unroll
  for (int d = 0; d < 3; d++) {
    place[d] = p.grid[0].start[d] + pixel[d] * p.step[d] + first[d] * p.tap_step[d];
  }
}

// Calls f(tap's place in a filter, its sums) for the block's taps, in order, in all threads.
template <int S, int V, bool THREE, class F>
KX_DEVICE void for_taps(const ConvArguments& p, const TapBlock<THREE>& block, int taps,
                        float (&sums)[TapBlock<THREE>::kAcross][TapBlock<THREE>::kAlong][V], F f) {
#pragma unroll
  for (int c = 0; c < TapBlock<THREE>::kAcross; c++) {
#pragma unroll
    for (int t = 0; t < TapBlock<THREE>::kAlong; t++) {
      if (t >= taps) break;
      f(block.z * p.w_step[0] + (block.across + c) * p.w_step[3 - S] +
            (block.along + t) * p.w_step[S],
        sums[c][t]);
    }
  }
}

// Threads as in conv_depthwise_last_kernel. Grid: splits, channels, blocks of taps.
template <int V, bool THREE>
__global__ __launch_bounds__(kThreads) void conv_depthwise_weight_last_kernel(
    const __grid_constant__ ConvArguments p, int vectors) {
  KX_SHARED(shared, float[kThreads * V]);
  const ConvGrid& g = p.grid[0];
  const int vector = threadIdx.x % vectors;
  const int lines = kThreads / vectors, line = threadIdx.x / vectors;
  const int64_t first = ((int64_t)blockIdx.y * vectors + vector) * V;
  const bool exists = first < p.groups;
  const auto block = TapBlock<THREE>::template at<2>(g, (int)blockIdx.z);
  const int taps = g.taps[2] - block.along;
  const int64_t strips =
      p.images * g.pixels[0] * g.pixels[1] * ((g.pixels[2] + kWeightStrip - 1) / kWeightStrip);
  const int64_t begin = blockIdx.x * p.chunk, end = min(begin + p.chunk, strips);
  float sums[TapBlock<THREE>::kAcross][TapBlock<THREE>::kAlong][V] = {};
  for (int64_t strip = exists ? begin + line : end; strip < end; strip += lines) {
    int32_t pixel[3], place[3];
    int64_t other;
    const int64_t n = strip_at<2>(p, strip, pixel, &other);
    meeting<2>(p, pixel, block, place);
    accumulate<2, V, THREE>(p, static_cast<const float*>(p.a) + (n * p.a_image + first),
                            static_cast<const float*>(p.b) + (other + first), place,
                            min(g.pixels[2] - pixel[2], kWeightStrip), taps, sums);
  }
  float* out = static_cast<float*>(p.out) + blockIdx.x * p.split_stride;
  for_taps<2, V, THREE>(p, block, taps, sums, [&](int64_t tap, float(&sum)[V]) {
    float* own = shared + threadIdx.x * V;
#pragma unroll
    for (int v = 0; v < V; v++) own[v] = sum[v];
    for (int half = lines / 2; half > 0; half /= 2) {
      __syncthreads();  // the lines' sums are complete
      if (line < half) {
#pragma unroll
        for (int v = 0; v < V; v++) own[v] += own[half * vectors * V + v];
      }
    }
    if (line == 0 && exists) {  // by the threads that added last
#pragma unroll
      for (int v = 0; v < V; v++) out[(first + v) * p.group_out + tap] = own[v];
    }
    __syncthreads();  // before the next tap's sums
  });
}

// Grid: splits, channels, blocks of taps.
template <bool THREE>
__global__ __launch_bounds__(kThreads) void conv_depthwise_weight_first_kernel(
    const __grid_constant__ ConvArguments p) {
  KX_SHARED(scratch, float[kThreads / 32]);
  const ConvGrid& g = p.grid[0];
  const auto block = TapBlock<THREE>::template at<1>(g, (int)blockIdx.z);
  const int taps = g.taps[1] - block.along;
  const int64_t strips =
      p.images * g.pixels[0] * g.pixels[2] * ((g.pixels[1] + kWeightStrip - 1) / kWeightStrip);
  const int64_t begin = blockIdx.x * p.chunk, end = min(begin + p.chunk, strips);
  for (int64_t channel = blockIdx.y; channel < p.groups; channel += gridDim.y) {
    float sums[TapBlock<THREE>::kAcross][TapBlock<THREE>::kAlong][1] = {};
    for (int64_t strip = begin + threadIdx.x; strip < end; strip += kThreads) {
      int32_t pixel[3], place[3];
      int64_t other;
      const int64_t n = strip_at<1>(p, strip, pixel, &other);
      meeting<1>(p, pixel, block, place);
      accumulate<1, 1, THREE>(
          p, static_cast<const float*>(p.a) + (n * p.a_image + channel * p.group_a),
          static_cast<const float*>(p.b) + (other + channel * p.group_b), place,
          min(g.pixels[1] - pixel[1], kWeightStrip), taps, sums);
    }
    float* out = static_cast<float*>(p.out) + blockIdx.x * p.split_stride + channel * p.group_out;
    for_taps<1, 1, THREE>(p, block, taps, sums, [&](int64_t tap, float(&sum)[1]) {
      const float total = group_sum<kThreads>(sum[0], scratch);
      if (threadIdx.x == 0) out[tap] = total;
    });
  }
}

// ---- launchers ----
template <bool THREE>
cudaError_t launch_weight(const ConvArguments& p, unsigned tap_blocks, gs_stream stream) {
  const unsigned splits = (unsigned)p.splits;
  if (!p.channel_fastest) {
    const kx::launch_config config{
        dim3(splits, (unsigned)std::min(p.groups, int64_t(65535)), tap_blocks), dim3(kThreads), 0,
        stream_of(stream)};
    return KX_LAUNCH(conv_depthwise_weight_first_kernel<THREE>, config, p);
  }
  const bool vector = p.groups % 4 == 0 && aligned16({p.a, p.b});
  const int v = vector ? 4 : 1;
  const kx::launch_config config{dim3(splits, channel_blocks(p.groups, v), tap_blocks),
                                 dim3(kThreads), 0, stream_of(stream)};
  return kx::launch("conv_depthwise_weight_last_kernel",
                    vector ? conv_depthwise_weight_last_kernel<4, THREE>
                           : conv_depthwise_weight_last_kernel<1, THREE>,
                    config, p, vectors_of(p.groups, v));
}

int64_t weight_strips(const ConvArguments& p) {
  const ConvGrid& g = p.grid[0];
  const int strip = p.channel_fastest ? 2 : 1;
  return p.images * g.pixels[0] * g.pixels[3 - strip] *
         ((g.pixels[strip] + kWeightStrip - 1) / kWeightStrip);
}
// Blocks of taps of the weight kernels.
unsigned weight_blocks(const ConvArguments& p, bool threes) {
  const ConvGrid& g = p.grid[0];
  const int strip = p.channel_fastest ? 2 : 1;
  return threes ? (unsigned)g.taps[0]
                : (unsigned)(g.taps[0] * g.taps[3 - strip] * ((g.taps[strip] + 6) / 7));
}
}  // namespace

int64_t conv_depthwise_splits(const ConvArguments& p) {
  const int64_t strips = weight_strips(p);
  if (!p.channel_fastest) return std::min(2048 / p.groups, strips / (2 * kThreads));
  const int v = p.groups % 4 == 0 ? 4 : 1;
  const int64_t taken = kThreads / vectors_of(p.groups, v) * 2,
                turns = (strips + taken - 1) / taken;
  return std::min(int64_t(1024) / channel_blocks(p.groups, v), turns);
}

cudaError_t conv_depthwise_weight(const ConvArguments& arguments, gs_stream stream) {
  ConvArguments p = arguments;
  // Whole turns of a block.
  const int64_t turn =
      p.channel_fastest ? kThreads / vectors_of(p.groups, p.groups % 4 == 0 ? 4 : 1) : kThreads;
  p.chunk = ((weight_strips(p) + p.splits - 1) / p.splits + turn - 1) / turn * turn;
  const int strip = p.channel_fastest ? 2 : 1;
  const bool threes = three(p, strip, 3);
  const unsigned blocks = weight_blocks(p, threes);
  return threes ? launch_weight<true>(p, blocks, stream) : launch_weight<false>(p, blocks, stream);
}
}  // namespace gs
