// Philox4x32-10 and what is made of its words in f32: the order of operations is the contract with
// the CPU, to the bit.
#pragma once
#include "kx/numeric.h"

namespace gs {
struct PhiloxBlock {
  uint32_t word[4];
};

KX_DEVICE PhiloxBlock philox(uint64_t seed, uint64_t counter) {
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = 0, c3 = 0;
#pragma unroll
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// 64 bits of two neighbouring words.
KX_DEVICE uint64_t word_pair(const PhiloxBlock& b, int pair) {
  return (uint64_t)b.word[2 * pair + 1] << 32 | b.word[2 * pair];
}
// The top 53 bits as a fraction of 1.
KX_DEVICE double fraction(uint64_t bits) { return (double)(bits >> 11) * 0x1p-53; }

// sqrt(-2 log((bits + 1) / 2^24)): exponent apart, a polynomial (Cephes' logf) on
// sqrt(1/2)..sqrt(2). No product is added to anything but by fma, so nothing can be contracted.
KX_DEVICE float box_radius(uint32_t bits) {
  const int u = __float_as_int((float)(bits + 1) * 0x1p-24f) - 0x3F3504F3;
  const float e = (float)(u >> 23);
  const float f = __int_as_float((u & 0x7FFFFF) + 0x3F3504F3) - 1.f;
  const float z = __fmul_rn(f, f);
  float p = 7.0376836292e-2f;
  p = fmaf(p, f, -1.1514610310e-1f);
  p = fmaf(p, f, 1.1676998740e-1f);
  p = fmaf(p, f, -1.2420140846e-1f);
  p = fmaf(p, f, 1.4249322787e-1f);
  p = fmaf(p, f, -1.6668057665e-1f);
  p = fmaf(p, f, 2.0000714765e-1f);
  p = fmaf(p, f, -2.4999993993e-1f);
  p = fmaf(p, f, 3.3333331174e-1f);
  float y = __fmul_rn(__fmul_rn(p, f), z);
  y = fmaf(e, -2.12194440e-4f, y);
  y = fmaf(z, -0.5f, y);
  const float log = fmaf(e, 0.693359375f, __fadd_rn(f, y));
  return __fsqrt_rn(fabsf(__fmul_rn(-2.f, log)));
}

// cos(2 pi bits / 2^24 + quarters pi / 2): reduced exactly to an eighth of a turn, then Cephes'
// polynomials for sine and cosine.
KX_DEVICE float box_cosine(int bits, int quarters) {
  const int quarter = (bits + (1 << 21)) >> 22;
  const float t = __fmul_rn((float)(bits - quarter * (1 << 22)), 3.7450702e-7f);  // pi / 2 / 2^22
  const int q = quarter + quarters;
  const float z = __fmul_rn(t, t);
  float v;
  if ((q & 1) == 0) {
    float p = fmaf(2.443315711809948e-5f, z, -1.388731625493765e-3f);
    p = fmaf(p, z, 4.166664568298827e-2f);
    v = fmaf(__fmul_rn(p, z), z, fmaf(z, -0.5f, 1.f));
  } else {
    float p = fmaf(-1.9515295891e-4f, z, 8.3321608736e-3f);
    p = fmaf(p, z, -1.6666654611e-1f);
    v = fmaf(__fmul_rn(p, z), t, t);
  }
  return ((q + 1) & 2) == 0 ? v : -v;
}
}  // namespace gs
