// Depthwise convolutions of f32 (a filter a channel): memory-bound, so that each operand is to be
// read from memory once and its neighbours' reuse found in L1.
//
// | kernel | for |
// |---|---|
// | conv_depthwise_last_kernel<V, THREE> | forward and backward data, channels last |
// | conv_depthwise_first_kernel<P, THREE> | the same, channels first |
//
// A thread takes a strip of pixels: channels last along x, with lanes along vectors of V channels;
// channels first along y, with lanes along x. So neighbouring lanes read neighbours in memory, and
// a thread keeps its filter. THREE: three taps along the strip and steps of 1, where the strip's
// window moves through registers.
#include "activations.h"
#include "conv_depthwise.h"

namespace gs {
namespace {
constexpr int kLastStrip = 4, kFirstStrip = 8;  // pixels
// Channels last: strips a thread. A block's strips are neighbours, so that it finds most rows of
// its windows in L1.
constexpr int kTurns = 4;

// Adds the P results of a strip along axis S, whose first gathers from `place` on; a points at its
// image and channels. weight(tz, tc, ts, to): a tap's V weights, tc across the strip, ts along it.
template <int S, int V, int P, bool THREE, class Weight>
KX_DEVICE void convolve(const ConvArguments& p, const ConvGrid& g, const float* a,
                        const int32_t (&place)[3], Weight weight, float (&sums)[P][V]) {
  constexpr int C = 3 - S;
  for (int tz = 0; tz < g.taps[0]; tz++) {
    const int z = place[0] + tz * p.tap_step[0];
    if (!within(z, p.size[0])) continue;
    for (int tc = 0; tc < g.taps[C]; tc++) {
      const int c = place[C] + tc * p.tap_step[C];
      if (!within(c, p.size[C])) continue;
      const float* line = a + (z * p.a_step[0] + c * p.a_step[C] + place[S] * p.a_step[S]);
      if constexpr (THREE) {
        float window[P + 2][V], with[3][V];
#pragma unroll
        for (int t = 0; t < 3; t++) weight(tz, tc, t, with[t]);
#pragma unroll
        for (int i = 0; i < P + 2; i++) {
          load(window[i], line + i * p.a_step[S], within(place[S] + i, p.size[S]));
        }
#pragma unroll
        for (int t = 0; t < 3; t++) {
#pragma unroll
          for (int i = 0; i < P; i++) {
#pragma unroll
            for (int v = 0; v < V; v++) {
              sums[i][v] = fma(window[i + t][v], with[t][v], sums[i][v]);
            }
          }
        }
      } else {
        for (int ts = 0; ts < g.taps[S]; ts++) {
          float with[V], from[P][V];
          weight(tz, tc, ts, with);
#pragma unroll
          for (int i = 0; i < P; i++) {
            const int s = i * p.step[S] + ts * p.tap_step[S];
            load(from[i], line + s * p.a_step[S], within(place[S] + s, p.size[S]));
          }
#pragma unroll
          for (int i = 0; i < P; i++) {
#pragma unroll
            for (int v = 0; v < V; v++) sums[i][v] = fma(from[i][v], with[v], sums[i][v]);
          }
        }
      }
    }
  }
}

KX_DEVICE int64_t tap_place(const ConvArguments& p, int tz, int ty, int tx) {
  return tz * p.w_step[0] + ty * p.w_step[1] + tx * p.w_step[2];
}

// `vectors` (a power of 2, at most kVectors) of V channels a block, the other threads along the
// strips. Grid: strips, channels, phases.
template <int V, bool THREE>
__global__ __launch_bounds__(kThreads) void conv_depthwise_last_kernel(
    const __grid_constant__ ConvArguments p, int vectors) {
  constexpr int P = kLastStrip;
  KX_SHARED(filters, float[kDepthwiseTaps * kVectors * V]);  // [tap][channel of the block]
  const ConvGrid& g = p.grid[blockIdx.z];
  const int width = vectors * V, vector = threadIdx.x % vectors;
  const int lines = kThreads / vectors, line = threadIdx.x / vectors;
  const int64_t first = (int64_t)blockIdx.y * width;
  const int left = (int)min(p.groups - first, (int64_t)width);
  const float* w = static_cast<const float*>(p.b) + g.w_start + first * p.group_b;
  for (int i = threadIdx.x; i < g.taps[0] * g.taps[1] * g.taps[2] * width; i += kThreads) {
    const int channel = i % width, tap = i / width;
    const int tx = tap % g.taps[2], ty = tap / g.taps[2] % g.taps[1];
    const int tz = tap / g.taps[2] / g.taps[1];
    filters[i] = channel < left ? w[channel * p.group_b + tap_place(p, tz, ty, tx)] : 0.f;
  }
  __syncthreads();  // the filters are complete
  if (vector * V >= left) return;
  const float* own = filters + vector * V;
  const auto weight = [&](int tz, int ty, int tx, float(&to)[V]) {
    load(to, own + ((tz * g.taps[1] + ty) * g.taps[2] + tx) * width, true);
  };
  const int64_t along = (g.pixels[2] + P - 1) / P;
  const int64_t strips = p.images * g.pixels[0] * g.pixels[1] * along;
  const int64_t begin = (int64_t)blockIdx.x * (kTurns * lines);
  const int64_t end = min(begin + kTurns * lines, strips);
  for (int64_t strip = begin + line; strip < end; strip += lines) {
    int64_t n = strip;
    const int x = (int)take_digit(n, along) * P, y = (int)take_digit(n, g.pixels[1]),
              z = (int)take_digit(n, g.pixels[0]);
    const int32_t place[3] = {g.start[0] + z * p.step[0], g.start[1] + y * p.step[1],
                              g.start[2] + x * p.step[2]};
    float sums[P][V] = {};
    convolve<2, V, P, THREE>(p, g,
                             static_cast<const float*>(p.a) + (n * p.a_image + first + vector * V),
                             place, weight, sums);
    float bias[V] = {};
    if (p.bias) load(bias, static_cast<const float*>(p.bias) + first + vector * V, true);
    float* out = static_cast<float*>(p.out) +
                 (g.other_start + n * p.other_image + z * p.other_step[0] + y * p.other_step[1] +
                  x * p.other_step[2] + first + vector * V);
#pragma unroll
    for (int i = 0; i < P; i++) {
      if (x + i >= g.pixels[2]) break;
      Pack<float, V> result;
#pragma unroll
      for (int v = 0; v < V; v++) {
        const float sum = sums[i][v] + bias[v];
        result.v[v] = p.relu ? relu(sum) : sum;
      }
      *reinterpret_cast<Pack<float, V>*>(out + i * p.other_step[2]) = result;
    }
  }
}

template <int P, bool THREE>
__global__ __launch_bounds__(kThreads) void conv_depthwise_first_kernel(
    const __grid_constant__ ConvArguments p) {
  const ConvGrid& g = p.grid[blockIdx.z];
  const int64_t down = (g.pixels[1] + P - 1) / P;
  const int64_t count = p.images * p.groups * g.pixels[0] * down * g.pixels[2];
  for (int64_t i = (int64_t)blockIdx.x * kThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kThreads) {
    int64_t n = i;
    const int x = (int)take_digit(n, g.pixels[2]), y = (int)take_digit(n, down) * P,
              z = (int)take_digit(n, g.pixels[0]);
    const int64_t channel = take_digit(n, p.groups);
    const int32_t place[3] = {g.start[0] + z * p.step[0], g.start[1] + y * p.step[1],
                              g.start[2] + x * p.step[2]};
    const float* w = static_cast<const float*>(p.b) + channel * p.group_b + g.w_start;
    float sums[P][1] = {};
    convolve<1, 1, P, THREE>(
        p, g, static_cast<const float*>(p.a) + (n * p.a_image + channel * p.group_a), place,
        [&](int tz, int tx, int ty, float(&to)[1]) { to[0] = w[tap_place(p, tz, ty, tx)]; }, sums);
    const float bias = p.bias ? static_cast<const float*>(p.bias)[channel] : 0.f;
    float* out = static_cast<float*>(p.out) +
                 (g.other_start + n * p.other_image + channel * p.group_out + z * p.other_step[0] +
                  y * p.other_step[1] + x * p.other_step[2]);
#pragma unroll
    for (int row = 0; row < P; row++) {
      if (y + row >= g.pixels[1]) break;
      const float sum = sums[row][0] + bias;
      out[row * p.other_step[1]] = p.relu ? relu(sum) : sum;
    }
  }
}

// ---- launchers ----
// Taps in the order of places: backward data's run the other way.
ConvArguments forwards(const ConvArguments& p) {
  ConvArguments r = p;
  for (int d = 0; d < 3; d++) {
    if (p.tap_step[d] >= 0) continue;
    r.tap_step[d] = -p.tap_step[d], r.w_step[d] = -p.w_step[d];
    for (int i = 0; i < p.phases; i++) {
      ConvGrid& g = r.grid[i];
      const int32_t last = std::max(g.taps[d] - 1, 0);
      g.start[d] += last * p.tap_step[d], g.w_start += last * p.w_step[d];
    }
  }
  return r;
}

template <bool THREE>
cudaError_t launch_last(const ConvArguments& p, int64_t strips, gs_stream stream) {
  const bool vector = p.groups % 4 == 0 && aligned16({p.a, p.out, p.bias});
  const int v = vector ? 4 : 1, vectors = vectors_of(p.groups, v);
  const int64_t taken = kThreads / vectors * kTurns, blocks = (strips + taken - 1) / taken;
  if (blocks > INT32_MAX) return cudaErrorInvalidConfiguration;
  const kx::launch_config config{
      dim3((unsigned)blocks, channel_blocks(p.groups, v), (unsigned)p.phases), dim3(kThreads), 0,
      stream_of(stream)};
  return kx::launch(
      "conv_depthwise_last_kernel",
      vector ? conv_depthwise_last_kernel<4, THREE> : conv_depthwise_last_kernel<1, THREE>, config,
      p, vectors);
}

}  // namespace

cudaError_t conv_depthwise(const ConvArguments& arguments, gs_stream stream) {
  const ConvArguments p = forwards(arguments);
  int64_t strips = 0, items = 0;
  bool tall = false;
  for (int i = 0; i < p.phases; i++) {
    const ConvGrid& g = p.grid[i];
    tall = tall || g.pixels[1] > 2;
    strips = std::max(strips, p.images * g.pixels[0] * g.pixels[1] *
                                  ((g.pixels[2] + kLastStrip - 1) / kLastStrip));
  }
  if (p.channel_fastest) {
    return three(p, 2, 0) ? launch_last<true>(p, strips, stream)
                          : launch_last<false>(p, strips, stream);
  }
  const int64_t rows = tall ? kFirstStrip : 1;
  for (int i = 0; i < p.phases; i++) {
    const ConvGrid& g = p.grid[i];
    items = std::max(
        items, p.images * p.groups * g.pixels[0] * ((g.pixels[1] + rows - 1) / rows) * g.pixels[2]);
  }
  kx::launch_config config = element_config(items, stream);
  config.grid.z = (unsigned)p.phases;
  return kx::launch("conv_depthwise_first_kernel",
                    !tall            ? conv_depthwise_first_kernel<1, false>
                    : three(p, 1, 0) ? conv_depthwise_first_kernel<kFirstStrip, true>
                                     : conv_depthwise_first_kernel<kFirstStrip, false>,
                    config, p);
}

}  // namespace gs
