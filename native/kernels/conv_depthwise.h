// What the depthwise convolutions of f32 share: threads over vectors of channels, strips of pixels.
#pragma once
#include "conv.h"
#include "reduce.h"

namespace gs {
namespace {
constexpr int kThreads = kGroupThreads;
constexpr int kVectors = 8;  // of channels that lie last: at most so many a block, a cache line

template <int V>
KX_DEVICE void load(float (&to)[V], const float* from, bool inside) {
  Pack<float, V> pack = {};
  if (inside) pack = *reinterpret_cast<const Pack<float, V>*>(from);
#pragma unroll
  for (int v = 0; v < V; v++) to[v] = pack.v[v];
}

KX_DEVICE bool within(int place, int size) { return (uint32_t)place < (uint32_t)size; }

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
}  // namespace
}  // namespace gs
