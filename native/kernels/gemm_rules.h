// Which tile a matrix product takes and into how many parts its k is split: the cheapest by a model
// of what was measured on an H100 (bench/gpu/sweep.py). From the description alone, so that results
// do not depend on the device.
#pragma once
#include <algorithm>
#include <cstdint>

#include "gridstride.h"

namespace gs {
struct Parts {
  int32_t splits;
  int64_t chunk;  // of k; a multiple of every kernel's step
  int32_t tile;   // as GemmArguments::tile
};

constexpr int64_t round_up(int64_t v, int64_t to) { return (v + to - 1) / to * to; }

namespace gemm_rules {
constexpr int64_t kMultiprocessors = 132;  // the H100's, on every device

// A method's tiles, and how much of the best rate of the method's they reach.
struct Tile {
  int32_t name;
  int64_t rows, cols;
  double rate;
};
constexpr Tile kSimt[] = {{64, 64, 64, 0.55}, {128, 128, 128, 0.85}, {256, 256, 128, 1}};
constexpr Tile kMma[] = {{64, 64, 64, 0.6}, {128, 128, 128, 1}};
constexpr Tile kWgmma[] = {{64, 128, 64, 0.65}, {128, 128, 128, 0.95}, {256, 128, 256, 1}};

// Microseconds: products for a step of k and an element of C on one multiprocessor, an extra
// kernel, and storing and adding a part's element.
struct Costs {
  double product, kernel, element;
};
constexpr Costs kSimtCosts{1 / 148e3, 2.5, 4 / 3e6};
constexpr Costs kMmaCosts{1 / 1000e3, 2.5, 4 / 3e6};
constexpr Costs kWgmmaCosts{1 / 2400e3, 3.5, 4 / 3e6};

inline int64_t tiles_of(const gs_gemm& g, const Tile& t) {
  return std::max((g.m + t.rows - 1) / t.rows * ((g.n + t.cols - 1) / t.cols) * g.batch,
                  (int64_t)1);
}
inline Parts part(const Tile& t, int64_t k, int64_t splits) {
  const int64_t chunk = std::max(round_up((k + splits - 1) / splits, 64), (int64_t)64);
  return {(int32_t)std::max((k + chunk - 1) / chunk, (int64_t)1), chunk, t.name};
}
inline double cost(const gs_gemm& g, const Tile& t, const Costs& c, int64_t k, const Parts& p) {
  const int64_t turns = (tiles_of(g, t) * p.splits + kMultiprocessors - 1) / kMultiprocessors;
  const double depth = (double)std::min(k, p.chunk) + 32;  // filling the pipeline, storing C
  const double products = (double)turns * (double)(t.rows * t.cols) * depth * c.product / t.rate;
  const double c_size = (double)g.m * (double)g.n * (double)g.batch;
  return products + (p.splits == 1 ? 0 : c.kernel + (p.splits + 1) * c_size * c.element);
}

template <size_t N>
Parts cheapest(const gs_gemm& g, const Tile (&tiles)[N], const Costs& c, int64_t k) {
  Parts best{};
  double lowest = 0;
  for (const Tile& t : tiles) {
    if (g.tile != 0 && g.tile != t.name) continue;
    for (const int64_t splits : {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64}) {
      const Parts p = part(t, k, g.splits != 0 ? g.splits : splits);
      const double microseconds = cost(g, t, c, k, p);
      if (best.tile == 0 || microseconds < lowest) best = p, lowest = microseconds;
    }
  }
  return best;
}
}  // namespace gemm_rules

// k: what is multiplied, 0 for alpha = 0. The tile that the description names, or any other.
inline Parts parts_of(gs_gemm g, int32_t method, int64_t k) {
  using namespace gemm_rules;
  if (method == GS_GEMM_WGMMA) return cheapest(g, kWgmma, kWgmmaCosts, k);
  if (method == GS_GEMM_MMA) return cheapest(g, kMma, kMmaCosts, k);
  if (g.a_type != GS_F32 || g.b_type != GS_F32) g.tile = 64;  // the only one of those kernels
  return cheapest(g, kSimt, kSimtCosts, k);
}
}  // namespace gs
