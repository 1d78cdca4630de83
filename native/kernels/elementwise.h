// Shapes of elementwise launches: 16-byte vectors where pointers allow, and the type switch.
#pragma once
#include <algorithm>
#include <initializer_list>

#include "kx/kx.h"
#include "status.h"

namespace gs {
constexpr int kElementThreads = 256;

// As many elements as one 16-byte access moves.
template <class T>
struct alignas(16) Pack {
  static constexpr int kSize = 16 / sizeof(T);
  T v[kSize];
};

// Enough blocks to fill any device; more elements are done in turn.
inline kx::launch_config element_config(int64_t items, gs_stream stream) {
  const int64_t wanted = (items + kElementThreads - 1) / kElementThreads;
  return {dim3((unsigned)std::clamp(wanted, (int64_t)1, (int64_t)16384)), dim3(kElementThreads), 0,
          stream_of(stream)};
}

inline bool aligned16(std::initializer_list<const void*> pointers) {
  return std::all_of(pointers.begin(), pointers.end(),
                     [](const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; });
}

// Calls f with std::integral_constant<int, value>, value in [LOW, HIGH]: one branch, the same for
// all threads, for a whole pack.
template <int LOW, int HIGH, class F>
KX_DEVICE void with_constant(int value, F f) {
  if constexpr (LOW == HIGH) {
    f(std::integral_constant<int, LOW>());
  } else {
    constexpr int kMiddle = (LOW + HIGH) / 2;
    if (value <= kMiddle) {
      with_constant<LOW, kMiddle>(value, f);
    } else {
      with_constant<kMiddle + 1, HIGH>(value, f);
    }
  }
}

// Calls f with a value of the element type; the type has been checked.
template <class F>
cudaError_t with_type(int32_t type, F f) {
  switch (type) {
    case GS_F32:
      return f(float());
    case GS_F64:
      return f(double());
    case GS_BF16:
      return f(kx::bf16());
    case GS_F16:
      return f(kx::f16());
    case GS_I32:
      return f(int32_t());
    case GS_I64:
      return f(int64_t());
    default:
      return f(uint8_t());
  }
}
}  // namespace gs
