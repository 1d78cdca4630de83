// Shapes of elementwise launches: 16-byte vectors where pointers allow, and the type switch.
#pragma once
#include <algorithm>
#include <initializer_list>

#include "kx/kx.h"
#include "status.h"

namespace gs {
constexpr int kElementThreads = 256;

// Elements that one access moves: of 16 bytes, unless fewer are asked for.
template <class T, int V = 16 / sizeof(T)>
struct alignas(V * sizeof(T)) Pack {
  static constexpr int kSize = V;
  T v[V];
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

// Calls f with an unsigned value of 1, 2, 4 or 8 bytes: for what only moves elements.
template <class F>
cudaError_t with_width(int bytes, F f) {
  switch (bytes) {
    case 1:
      return f(uint8_t());
    case 2:
      return f(uint16_t());
    case 4:
      return f(uint32_t());
    default:
      return f(uint64_t());
  }
}

// The same for an op of floating types only.
template <class F>
cudaError_t with_float(int32_t type, F f) {
  switch (type) {
    case GS_F32:
      return f(float());
    case GS_F64:
      return f(double());
    case GS_BF16:
      return f(kx::bf16());
    default:
      return f(kx::f16());
  }
}
}  // namespace gs
