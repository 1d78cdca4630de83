// The half type and conversions that kernels may use, for builds that have no CUDA toolkit.
#pragma once
#include <bit>
#include <cstdint>

struct __half {
  uint16_t bits;
};
struct alignas(4) __half2 {
  __half x, y;
};

inline float __half2float(__half v) { return static_cast<float>(std::bit_cast<_Float16>(v.bits)); }
// To nearest, ties to even; every NaN becomes the canonical one, as on the GPU.
inline __half __float2half(float f) {
  if (f != f) return {0x7fff};
  return {std::bit_cast<uint16_t>(static_cast<_Float16>(f))};
}
inline __half2 __floats2half2_rn(float x, float y) { return {__float2half(x), __float2half(y)}; }
