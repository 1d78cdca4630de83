// Warp-wide matrix operations; the layouts are those in kx/mma.h. Sums are formed in f32 in the
// order of k, so their rounding differs from a tensor core's.
#include <bit>

#include "internal.h"

namespace emu {
namespace {
// The accumulators, which all shapes share.
template <class F>
void for_sums(Rendezvous& r, F f) {
  for (int lane = 0; lane < 32; lane++) {
    auto* sums = static_cast<float*>(r.args[lane].out);
    for (int i = 0; i < 4; i++) f(sums[i], lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2);
  }
}

template <int K>
void multiply(Rendezvous& r, const float (&a)[16][K], const float (&b)[K][8]) {
  float c[16][8];
  for_sums(r, [&](float& sum, int row, int col) { c[row][col] = sum; });
  for (int i = 0; i < 16; i++) {
    for (int k = 0; k < K; k++) {
      for (int j = 0; j < 8; j++) c[i][j] += a[i][k] * b[k][j];
    }
  }
  for_sums(r, [&](float& sum, int row, int col) { sum = c[row][col]; });
}

void mma_16bit(Rendezvous& r) {
  float a[16][16], b[16][8];
  const auto value = [&](uint32_t pair, int half) {
    const uint16_t bits = half ? pair >> 16 : pair & 0xffff;
    return r.op == WarpOp::kMmaBf16 ? bf16_value(bits) : f16_value(bits);
  };
  for (int lane = 0; lane < 32; lane++) {
    const auto* x = static_cast<const uint32_t*>(r.args[lane].in);
    const int g = lane / 4, q = lane % 4;
    for (int i = 0; i < 8; i++) {
      a[g + i / 2 % 2 * 8][q * 2 + i % 2 + i / 4 * 8] = value(x[i / 2], i % 2);
    }
    for (int i = 0; i < 4; i++) b[q * 2 + i % 2 + i / 2 * 8][g] = value(x[4 + i / 2], i % 2);
  }
  multiply(r, a, b);
}

void mma_tf32(Rendezvous& r) {
  float a[16][8], b[8][8];
  const auto value = [](uint32_t bits) { return std::bit_cast<float>(bits & ~0x1fffu); };
  for (int lane = 0; lane < 32; lane++) {
    const auto* x = static_cast<const uint32_t*>(r.args[lane].in);
    const int g = lane / 4, q = lane % 4;
    for (int i = 0; i < 4; i++) a[g + i % 2 * 8][q + i / 2 * 4] = value(x[i]);
    for (int i = 0; i < 2; i++) b[q + i * 4][g] = value(x[4 + i]);
  }
  multiply(r, a, b);
}

void ldmatrix(Rendezvous& r) {
  const uint16_t* row[32];
  for (int lane = 0; lane < 32; lane++) {
    const void* p = r.args[lane].in;
    require_shared(p, "ldmatrix");
    row[lane] = static_cast<const uint16_t*>(p);
    const uintptr_t offset = arena_offset(p);
    if (offset & 15) fail("MISALIGNED ldmatrix row (lane %d) at %s", lane, describe(r.loc).c_str());
    if (g_checking) {
      check(as_thread(r.fibers[lane]), offset, 16, Access::kRead, nullptr,
            ("ldmatrix " + describe(r.loc)).c_str());
    }
  }
  for (int lane = 0; lane < 32; lane++) {
    auto* out = static_cast<uint32_t*>(r.args[lane].out);
    const bool transpose = r.args[lane].param != 0;
    const int g = lane / 4, q = lane % 4 * 2;
    for (int m = 0; m < 4; m++) {
      const uint16_t* const* matrix = row + m * 8;
      const uint16_t low = transpose ? matrix[q][g] : matrix[g][q];
      const uint16_t high = transpose ? matrix[q + 1][g] : matrix[g][q + 1];
      out[m] = low | static_cast<uint32_t>(high) << 16;
    }
  }
}
}  // namespace

void execute_matrix(Rendezvous& r) {
  if (r.mask != ~0u) {
    fail("ldmatrix and mma.sync need all 32 lanes, at %s", describe(r.loc).c_str());
  }
  switch (r.op) {
    case WarpOp::kLdmatrix:
      return ldmatrix(r);
    case WarpOp::kMmaTf32:
      return mma_tf32(r);
    default:
      return mma_16bit(r);
  }
}
}  // namespace emu
