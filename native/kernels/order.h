// Elements as unsigned integers of the same order, and where the lines along a dimension lie.
#pragma once
#include "strides.h"

namespace gs {
// 16-bit elements have 16-bit keys, kept in 32 bits.
template <class T>
using OrderKey = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
template <class T>
constexpr int kOrderBits = 8 * sizeof(T);
template <class T>
constexpr OrderKey<T> kLargestKey = (OrderKey<T>)(~0ull >> (64 - kOrderBits<T>));

template <class T>
constexpr OrderKey<T> kInfinityBits =
    (OrderKey<T>)(std::is_same_v<T, double>     ? 0x7ff0000000000000ull
                  : std::is_same_v<T, float>    ? 0x7f800000ull
                  : std::is_same_v<T, kx::bf16> ? 0x7f80ull
                                                : 0x7c00ull);

// Both zeros have one key, and every NaN the largest.
template <class T>
KX_DEVICE OrderKey<T> order_key(T v) {
  using K = OrderKey<T>;
  constexpr K kSign = K(1) << (kOrderBits<T> - 1);
  K bits = 0;
  memcpy(&bits, &v, sizeof v);
  if constexpr (std::is_integral_v<T>) {
    return bits ^ kSign;
  } else {
    const K magnitude = bits & (kSign - 1);
    if (magnitude > kInfinityBits<T>) return kLargestKey<T>;
    if (magnitude == 0) return kSign;
    // of negative numbers a greater magnitude is less
    return bits & kSign ? kLargestKey<T> - bits : bits | kSign;
  }
}

// Calls f with a value of a type that has an order; the type has been checked.
template <class F>
cudaError_t with_ordered_type(int32_t type, F f) {
  return with_type(type, [&](auto zero) {
    if constexpr (std::is_same_v<decltype(zero), uint8_t>) {
      return cudaErrorInvalidValue;
    } else {
      return f(zero);
    }
  });
}

// Lines along one dimension of an array, numbered row-major over the others.
struct Lines {
  Walk<1> walk;
  int64_t count, size, step;
  int64_t inner;  // lines of one row-major run: the product of the dimensions behind
};
inline Lines lines_of(const gs_layout& x, int axis) {
  Lines l;
  l.walk = joined(x, ~(1u << axis));
  l.count = count_of(l.walk), l.size = x.size[axis], l.step = x.stride[axis];
  l.inner = 1;
  for (int d = axis + 1; d < x.dims; d++) l.inner *= x.size[d];
  return l;
}

// The rules that the ops share.
inline gs_status check_ordered(const char* op, int32_t type, int32_t axis, const gs_layout& x) {
  GS_REQUIRE((type >= GS_F32 && type <= GS_F16) || type == GS_I32 || type == GS_I64,
             "%s: type must be f64, f32, bf16, f16, i64 or i32; type=%d", op, type);
  GS_REQUIRE(x.dims >= 1 && x.dims <= GS_MAX_DIMS, "%s: x must have 1 to 8 dimensions; dims=%d", op,
             x.dims);
  GS_REQUIRE(axis >= 0 && axis < x.dims, "%s: axis must name a dimension; axis=%d, dims=%d", op,
             axis, x.dims);
  GS_REQUIRE(count_of(x.dims, x.size) >= 0 && addressable_strides(x.dims, x.size, x.stride),
             "%s: sizes must not be negative and all elements addressable; dims=%d", op, x.dims);
  return GS_OK;
}
}  // namespace gs
