// Depthwise convolutions of f32 (a filter a channel): memory-bound, so that each operand is to be
// read from memory once and its neighbours' reuse found in L1.
//
// | kernel | for |
// |---|---|
// | conv_depthwise_last_kernel<V, THREE> | forward and backward data, channels last |
// | conv_depthwise_first_kernel<P, THREE> | the same, channels first |
// | conv_depthwise_weight_last_kernel<V, THREE> | backward weight, channels last |
// | conv_depthwise_weight_first_kernel<THREE> | the same, channels first |
//
// A thread takes a strip of pixels: channels last along x, with lanes along vectors of V channels;
// channels first along y, with lanes along x. So neighbouring lanes read neighbours in memory, and
// a thread keeps its filter. THREE: three taps along the strip and steps of 1, where the strip's
// window moves through registers (backward weight: 3 x 3 taps). Backward weight divides the strips
// into splits, whose sums are added afterwards (conv_weight.cu).
#include "activations.h"
#include "conv.h"
#include "reduce.h"

namespace gs {
namespace {
constexpr int kThreads = kGroupThreads;
constexpr int kLastStrip = 4, kFirstStrip = 8, kWeightStrip = 8;  // pixels
// Channels last: at most so many vectors of channels a block (a line of the cache), and strips a
// thread. A block's strips are neighbours, so that it finds most rows of its windows in L1.
constexpr int kVectors = 8, kTurns = 4;

template <int V>
KX_DEVICE void load(float (&to)[V], const float* from, bool inside) {
  Pack<float, V> pack = {};
  if (inside) pack = *reinterpret_cast<const Pack<float, V>*>(from);
#pragma unroll
  for (int v = 0; v < V; v++) to[v] = pack.v[v];
}

KX_DEVICE bool within(int place, int size) { return (uint32_t)place < (uint32_t)size; }

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

// ---- backward weight ----
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

int vectors_of(int64_t groups, int v) {
  int vectors = 1;
  while (vectors < kVectors && vectors * v < groups) vectors *= 2;
  return vectors;
}
unsigned channel_blocks(int64_t groups, int v) {
  const int64_t width = (int64_t)vectors_of(groups, v) * v;
  return (unsigned)((groups + width - 1) / width);
}

// Whether steps along the strip are 1 and it has three taps (where > 0: so many across, too).
bool three(const ConvArguments& p, int strip, int across) {
  for (int i = 0; i < p.phases; i++) {
    const ConvGrid& g = p.grid[i];
    if (g.taps[strip] != 3 || (across > 0 && g.taps[3 - strip] != across)) return false;
    if (g.pixels[strip] > 1 && p.step[strip] != 1) return false;
  }
  return p.tap_step[strip] == 1;
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
