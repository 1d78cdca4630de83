// CUDA C++'s built-in variables and functions, for kernels compiled as plain C++.
//
// A kernel uses what is declared here and in kx; what is missing does not compile.
#pragma once
#ifdef __CUDACC__
#error "for the host compiler only"
#endif
#include <math.h>  // and not cmath alone: the overloads for float in the global namespace

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "emulator/emulator.h"

// Shared arrays are declared with KX_SHARED: a plain C++ static would be shared by all blocks.
#define __shared__ error_use_KX_SHARED
#define __launch_bounds__(...)

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
inline constexpr int warpSize = 32;

// ---- synchronisation ----
inline void __syncthreads(const emu::Loc& loc = emu::Loc::current()) {
  emu::barrier(0, 0, false, loc);
}
inline void __syncwarp(unsigned mask = ~0u, const emu::Loc& loc = emu::Loc::current()) {
  emu::collective(emu::WarpOp::kSync, mask, {}, loc);
}
inline void __threadfence() { emu::fence(emu::Fence::kDevice); }
inline void __threadfence_block() { emu::fence(emu::Fence::kBlock); }
inline unsigned __activemask() { return emu::active_mask(); }
[[noreturn]] inline void __trap() { emu::fail("__trap()"); }

// ---- warp-wide functions ----
#define EMU_SHUFFLE(name, op, type)                                                             \
  template <class T>                                                                            \
  inline T name(unsigned mask, T value, type lane, int width = 32,                              \
                const emu::Loc& loc = emu::Loc::current()) {                                    \
    T result;                                                                                   \
    emu::collective(emu::WarpOp::op, mask, {&value, &result, (int)lane, width, (int)sizeof(T)}, \
                    loc);                                                                       \
    return result;                                                                              \
  }
EMU_SHUFFLE(__shfl_sync, kShuffle, int)
EMU_SHUFFLE(__shfl_up_sync, kShuffleUp, unsigned)
EMU_SHUFFLE(__shfl_down_sync, kShuffleDown, unsigned)
EMU_SHUFFLE(__shfl_xor_sync, kShuffleXor, int)
#undef EMU_SHUFFLE

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              const emu::Loc& loc = emu::Loc::current()) {
  unsigned result;
  emu::collective(emu::WarpOp::kBallot, mask, {nullptr, &result, predicate != 0, 0, 4}, loc);
  return result;
}
inline int __any_sync(unsigned mask, int predicate, const emu::Loc& loc = emu::Loc::current()) {
  return __ballot_sync(mask, predicate, loc) != 0;
}
inline int __all_sync(unsigned mask, int predicate, const emu::Loc& loc = emu::Loc::current()) {
  return __ballot_sync(mask, !predicate, loc) == 0;
}

#define EMU_REDUCE(name, op)                                                                   \
  template <class T>                                                                           \
  inline T name(unsigned mask, T value, const emu::Loc& loc = emu::Loc::current()) {           \
    static_assert(sizeof(T) == 4);                                                             \
    T result;                                                                                  \
    emu::collective(emu::WarpOp::op, mask, {&value, &result, std::is_signed_v<T>, 0, 4}, loc); \
    return result;                                                                             \
  }
EMU_REDUCE(__reduce_add_sync, kReduceAdd)
EMU_REDUCE(__reduce_min_sync, kReduceMin)
EMU_REDUCE(__reduce_max_sync, kReduceMax)
EMU_REDUCE(__reduce_or_sync, kReduceOr)
EMU_REDUCE(__reduce_and_sync, kReduceAnd)
EMU_REDUCE(__reduce_xor_sync, kReduceXor)
#undef EMU_REDUCE

// ---- atomics ----
// Fibers are cooperative, so a plain read-modify-write is atomic; the touch does the checks.
// Without instrumentation, or the access would be checked a second time, as an ordinary one.
#define EMU_ATOMIC(name, expression)                                                             \
  template <class T>                                                                             \
  __attribute__((no_sanitize("thread"), noinline)) T name(T* p, std::type_identity_t<T> value) { \
    emu::atomic_touch(p, sizeof(T), __builtin_return_address(0));                                \
    T old = *p;                                                                                  \
    *p = (expression);                                                                           \
    return old;                                                                                  \
  }
EMU_ATOMIC(atomicAdd, static_cast<T>(old + value))
EMU_ATOMIC(atomicSub, static_cast<T>(old - value))
EMU_ATOMIC(atomicMax, old < value ? value : old)
EMU_ATOMIC(atomicMin, value < old ? value : old)
EMU_ATOMIC(atomicExch, value)
EMU_ATOMIC(atomicOr, static_cast<T>(old | value))
EMU_ATOMIC(atomicAnd, static_cast<T>(old& value))
EMU_ATOMIC(atomicInc, old >= value ? T(0) : static_cast<T>(old + 1))
#undef EMU_ATOMIC
template <class T>
__attribute__((no_sanitize("thread"), noinline)) T atomicCAS(T* p, std::type_identity_t<T> expected,
                                                             std::type_identity_t<T> value) {
  emu::atomic_touch(p, sizeof(T), __builtin_return_address(0));
  T old = *p;
  if (old == expected) *p = value;
  return old;
}

// ---- scalar functions ----
using std::max;
using std::min;
template <class T>
inline T __ldg(const T* p) {
  return *p;
}
template <class T>
inline T __ldcs(const T* p) {
  return *p;
}
template <class T>
inline void __stcs(T* p, T value) {
  *p = value;
}
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float x) { return 1.f / x; }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline float rsqrtf(float x) { return 1.f / std::sqrt(x); }
inline double rsqrt(double x) { return 1. / std::sqrt(x); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline unsigned __float_as_uint(float f) { return std::bit_cast<unsigned>(f); }
inline int __float_as_int(float f) { return std::bit_cast<int>(f); }
inline float __uint_as_float(unsigned u) { return std::bit_cast<float>(u); }
inline float __int_as_float(int i) { return std::bit_cast<float>(i); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline uint64_t __umul64hi(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64);
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32);
}
