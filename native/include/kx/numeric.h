// Number types narrower than f32, and their conversions.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "kx/platform.h"

namespace kx {
using bf16 = __nv_bfloat16;
using f16 = __half;

KX_DEVICE float to_float(float x) { return x; }
KX_DEVICE double to_float(double x) { return x; }
KX_DEVICE float to_float(bf16 x) { return __bfloat162float(x); }
KX_DEVICE float to_float(f16 x) { return __half2float(x); }

// The type arithmetic on T is done in: double for double, else float.
template <class T>
using wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

// To nearest, ties to even.
template <class T>
KX_DEVICE T from_float(wide<T> x) {
  if constexpr (std::is_same_v<T, bf16>) {
    return __float2bfloat16(x);
  } else if constexpr (std::is_same_v<T, f16>) {
    return __float2half(x);
  } else {
    return x;
  }
}

// 2^x to two roundings; results below 2^-126 may be 0.
KX_DEVICE float exp2_fast(float x) {
#ifdef __CUDACC__
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return exp2f(x);
#endif
}

// Two values in one register, x in the low half.
KX_DEVICE uint32_t pack_bf16(float x, float y) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(x, y);
  uint32_t bits;
  memcpy(&bits, &pair, 4);
  return bits;
}
KX_DEVICE uint32_t pack_f16(float x, float y) {
  const __half2 pair = __floats2half2_rn(x, y);
  uint32_t bits;
  memcpy(&bits, &pair, 4);
  return bits;
}

// To tf32, nearest with ties away from zero; the tensor cores otherwise cut off the low 13 bits.
KX_DEVICE uint32_t to_tf32(float x) {
#ifdef __CUDACC__
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
#else
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fffffffu : (bits + 0x1000u) & ~0x1fffu;
#endif
}
}  // namespace kx
