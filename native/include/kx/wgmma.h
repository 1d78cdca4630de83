// Asynchronous matrix products of a warpgroup on operands in shared memory (wgmma; sm_90a).
//
// A warpgroup is four warps from a multiple of four; all of it calls each function. Order:
// wgmma_fence(accumulators), products, wgmma_commit(), wgmma_wait<N>(accumulator); accumulators in
// flight are not touched before their wait.
#pragma once
#include "kx/tma.h"

namespace kx {
// Shared-memory matrix descriptor: bits 0-13 address >> 4, 16-29 leading offset >> 4, 32-45 stride
// offset >> 4, 49-51 base offset (0: patterns start at multiples of 8 spans), 62-63 swizzle.
// With W the swizzle's span in bytes (16 unswizzled) and 16-bit elements:
//   K major: row pitch W; stride offset from 8 rows to the next 8; leading offset unused when
//     swizzled, else from 8 k to the next 8 k. Next 16 k: 32 bytes on (inside W), or 2 leading
//     offsets.
//   MN major: k pitch W. Swizzled: leading offset from W bytes of mn to the next, stride offset
//   from
//     8 k to the next 8. Unswizzled the other way round. Next 16 k: 2 of the offset along k.
KX_DEVICE uint64_t matrix_descriptor(const void* p, unsigned leading, unsigned stride,
                                     Swizzle swizzle) {
  const uint64_t address = shared_address(p);
  return (address & 0x3ffff) >> 4 | static_cast<uint64_t>((leading & 0x3ffff) >> 4) << 16 |
         static_cast<uint64_t>((stride & 0x3ffff) >> 4) << 32 |
         static_cast<uint64_t>(swizzle) << 62;
}

// A K-major tile with rows of 64 bf16, as a TMA box of 64 columns with 128-byte swizzle leaves it.
KX_DEVICE uint64_t matrix_descriptor_k128(const void* p) {
  return matrix_descriptor(p, 16, 1024, Swizzle::k128);
}

// Keeps the compiler from moving accesses to the accumulator across this point.
template <int R>
KX_DEVICE void wgmma_pin([[maybe_unused]] float (&d)[R]) {
#ifdef __CUDACC__
#pragma unroll
  for (int i = 0; i < R; i++) asm volatile("" : "+f"(d[i])::"memory");
#endif
}

KX_DEVICE void wgmma_fence() {
#ifdef __CUDACC__
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#else
  emu::wgmma_fence();
#endif
}

// The form to use: names every accumulator that the following products touch.
template <int R, class... More>
KX_DEVICE void wgmma_fence(float (&d)[R], More&... more) {
  wgmma_pin(d);
  wgmma_fence(more...);
}

KX_DEVICE void wgmma_commit() {
#ifdef __CUDACC__
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#else
  emu::wgmma_commit();
#endif
}

// Returns when all but the last N groups are done; their accumulators stay untouched.
template <int N>
#ifdef __CUDACC__
KX_DEVICE void wgmma_wait_for_others() {
#else
KX_DEVICE void wgmma_wait_for_others(const emu::Loc& loc = emu::Loc::current()) {
#endif
  static_assert(N >= 1 && N <= 7);
#ifdef __CUDACC__
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
#else
  emu::wgmma_wait(N, loc);
#endif
}

// The same for accumulators that belong to none of the last N groups and may then be read.
template <int N, int R>
KX_DEVICE void wgmma_wait(float (&d)[R] KX_LOC) {
  static_assert(N >= 0 && N <= 7);
#ifdef __CUDACC__
  wgmma_pin(d);
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
  wgmma_pin(d);
#else
  (void)d;
  emu::wgmma_wait(N, loc);
#endif
}

// D = A B^T, plus D unless accumulate is 0; 64 x N x 16 in bf16 or f16 with f32 sums; N is 64, 128
// or 256. A_MN, B_MN: the operand is MN major instead of K major. d[i]: row 16 (warp % 4) + lane/4
// + 8 (i/2 % 2), column 8 (i/4) + 2 (lane % 4) + i%2.
#ifdef __CUDACC__
#define KX_F4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define KX_F32(i)                                                                    \
  KX_F4(i), KX_F4(i + 4), KX_F4(i + 8), KX_F4(i + 12), KX_F4(i + 16), KX_F4(i + 20), \
      KX_F4(i + 24), KX_F4(i + 28)
#define KX_WGMMA_64(type)                                               \
  asm volatile(                                                         \
      "{\n"                                                             \
      ".reg .pred p;\n"                                                 \
      "setp.ne.b32 p, %34, 0;\n"                                        \
      "wgmma.mma_async.sync.aligned.m64n64k16.f32." type                \
      " {"                                                              \
      "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,"          \
      "%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31" \
      "}, %32, %33, p, 1, 1, %35, %36;\n"                               \
      "}"                                                               \
      : KX_F32(0)                                                       \
      : "l"(a), "l"(b), "r"(accumulate), "n"(static_cast<int>(A_MN)), "n"(static_cast<int>(B_MN)))
#define KX_WGMMA_128(type)                                               \
  asm volatile(                                                          \
      "{\n"                                                              \
      ".reg .pred p;\n"                                                  \
      "setp.ne.b32 p, %66, 0;\n"                                         \
      "wgmma.mma_async.sync.aligned.m64n128k16.f32." type                \
      " {"                                                               \
      "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,"           \
      "%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31," \
      "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47," \
      "%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"  \
      "}, %64, %65, p, 1, 1, %67, %68;\n"                                \
      "}"                                                                \
      : KX_F32(0), KX_F32(32)                                            \
      : "l"(a), "l"(b), "r"(accumulate), "n"(static_cast<int>(A_MN)), "n"(static_cast<int>(B_MN)))
#define KX_WGMMA_256(type)                                                              \
  asm volatile(                                                                         \
      "{\n"                                                                             \
      ".reg .pred p;\n"                                                                 \
      "setp.ne.b32 p, %130, 0;\n"                                                       \
      "wgmma.mma_async.sync.aligned.m64n256k16.f32." type                               \
      " {"                                                                              \
      "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,"                          \
      "%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"                \
      "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,"                \
      "%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63,"                \
      "%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,"                \
      "%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95,"                \
      "%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111,"    \
      "%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127" \
      "}, %128, %129, p, 1, 1, %131, %132;\n"                                           \
      "}"                                                                               \
      : KX_F32(0), KX_F32(32), KX_F32(64), KX_F32(96)                                   \
      : "l"(a), "l"(b), "r"(accumulate), "n"(static_cast<int>(A_MN)), "n"(static_cast<int>(B_MN)))
#define KX_WGMMA(size)                    \
  if constexpr (std::is_same_v<T, f16>) { \
    KX_WGMMA_##size("f16.f16");           \
  } else {                                \
    KX_WGMMA_##size("bf16.bf16");         \
  }
#endif
template <int N, class T, bool A_MN = false, bool B_MN = false>
KX_DEVICE void wgmma(float (&d)[N / 2], uint64_t a, uint64_t b, int accumulate = 1 KX_LOC) {
  static_assert(N == 64 || N == 128 || N == 256);
  static_assert(std::is_same_v<T, bf16> || std::is_same_v<T, f16>);
#ifdef __CUDACC__
  if constexpr (N == 64) {
    KX_WGMMA(64)
  } else if constexpr (N == 128) {
    KX_WGMMA(128)
  } else {
    KX_WGMMA(256)
  }
#else
  emu::wgmma(d, N, a, b, A_MN, B_MN, accumulate != 0, std::is_same_v<T, f16>, loc);
#endif
}
#ifdef __CUDACC__
#undef KX_F4
#undef KX_F32
#undef KX_WGMMA_64
#undef KX_WGMMA_128
#undef KX_WGMMA_256
#undef KX_WGMMA
#endif
}  // namespace kx
