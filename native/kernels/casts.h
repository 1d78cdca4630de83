// Conversions between any two element types, each with one rounding.
//
// Floating values go through double and integers through int64_t, both exact; the target is rounded
// once from that. Host and device.
#pragma once
#include "gridstride.h"
#include "kx/numeric.h"

#define GS_BOTH __host__ __device__ inline

namespace gs {
template <int TYPE>
struct StorageOf {
  using type = uint8_t;
};
template <>
struct StorageOf<GS_F32> {
  using type = float;
};
template <>
struct StorageOf<GS_F64> {
  using type = double;
};
template <>
struct StorageOf<GS_BF16> {
  using type = kx::bf16;
};
template <>
struct StorageOf<GS_F16> {
  using type = kx::f16;
};
template <>
struct StorageOf<GS_I32> {
  using type = int32_t;
};
template <>
struct StorageOf<GS_I64> {
  using type = int64_t;
};
// What an element of the type is stored as; bytes for GS_BOOL and GS_U8.
template <int TYPE>
using Storage = typename StorageOf<TYPE>::type;

GS_BOTH constexpr bool is_floating(int type) { return type >= GS_F32 && type <= GS_F16; }
GS_BOTH constexpr int bytes_of(int type) {
  return type == GS_F64 || type == GS_I64    ? 8
         : type == GS_F32 || type == GS_I32  ? 4
         : type == GS_BF16 || type == GS_F16 ? 2
                                             : 1;
}

// Calls f with std::integral_constant<int, type>; the type has been checked. Host only.
template <class F>
void with_type_code(int32_t type, F f) {
  switch (type) {
    case GS_F32:
      return f(std::integral_constant<int, GS_F32>());
    case GS_F64:
      return f(std::integral_constant<int, GS_F64>());
    case GS_BF16:
      return f(std::integral_constant<int, GS_BF16>());
    case GS_F16:
      return f(std::integral_constant<int, GS_F16>());
    case GS_I32:
      return f(std::integral_constant<int, GS_I32>());
    case GS_I64:
      return f(std::integral_constant<int, GS_I64>());
    case GS_BOOL:
      return f(std::integral_constant<int, GS_BOOL>());
    default:
      return f(std::integral_constant<int, GS_U8>());
  }
}

// A value on its way: double for floating types, else int64_t.
template <int TYPE>
using Wide = std::conditional_t<is_floating(TYPE), double, int64_t>;

template <int TYPE>
GS_BOTH Wide<TYPE> widen(Storage<TYPE> v) {
  if constexpr (TYPE == GS_BF16) {
    return static_cast<double>(__bfloat162float(v));
  } else if constexpr (TYPE == GS_F16) {
    return static_cast<double>(__half2float(v));
  } else if constexpr (TYPE == GS_BOOL) {
    return v != 0;
  } else {
    return v;
  }
}

// Rounds to odd: an inexact result is the neighbour whose last bit is 1, so that a second rounding
// to a type with at least two bits less sees on which side of a tie the value lay (Boldo and
// Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
GS_BOTH float odd_float(double v) {
  const float f = static_cast<float>(v);
  if (f == v || v != v) return f;
  int32_t bits;
  memcpy(&bits, &f, 4);
  const double d = f;
  const bool away = (d < 0 ? -d : d) > (v < 0 ? -v : v);
  bits = (away ? bits - 1 : bits) | 1;
  float odd;
  memcpy(&odd, &bits, 4);
  return odd;
}
GS_BOTH double odd_double(int64_t v) {
  constexpr int64_t kExact = int64_t(1) << 53, kLow = 0x3ff;
  if (v >= -kExact && v <= kExact) return static_cast<double>(v);
  return static_cast<double>((v & kLow) == 0 ? v : (v & ~kLow) | 0x400);
}

// Truncated towards zero and saturated; NaN gives 0.
GS_BOTH int64_t saturate(double v, int64_t low, int64_t high) {
  if (v != v) return 0;
  if (v >= static_cast<double>(high)) return high;
  return v <= static_cast<double>(low) ? low : static_cast<int64_t>(v);
}

template <int TYPE, class W>
GS_BOTH Storage<TYPE> narrow(W v) {
  constexpr bool kFloating = std::is_same_v<W, double>;
  if constexpr (TYPE == GS_F32 || TYPE == GS_F64) {
    return static_cast<Storage<TYPE>>(v);
  } else if constexpr (TYPE == GS_BF16 || TYPE == GS_F16) {
    float odd;
    if constexpr (kFloating) {
      odd = odd_float(v);
    } else {
      odd = odd_float(odd_double(v));
    }
    if constexpr (TYPE == GS_BF16) {
      return __float2bfloat16(odd);
    } else {
      return __float2half(odd);
    }
  } else if constexpr (TYPE == GS_BOOL) {
    return v != W(0);
  } else if constexpr (!kFloating) {
    return static_cast<Storage<TYPE>>(v);  // the low bits
  } else if constexpr (TYPE == GS_I64) {
    return saturate(v, INT64_MIN, INT64_MAX);
  } else if constexpr (TYPE == GS_I32) {
    return static_cast<int32_t>(saturate(v, INT32_MIN, INT32_MAX));
  } else {
    return static_cast<uint8_t>(saturate(v, 0, 255));
  }
}
}  // namespace gs
