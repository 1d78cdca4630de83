// Asynchronous copies from global to shared memory (cp.async; sm_80).
//
// A thread's copies up to copy_async_commit() form a group. copy_async_wait<N>() returns when all
// but the thread's last N groups have landed; other threads see the data after a barrier behind it.
#pragma once
#include "kx/platform.h"

namespace kx {
// Copies BYTES (4, 8 or 16); both addresses are multiples of it. predicate false: writes zeros and
// does not read src. 16-byte copies bypass L1.
template <int BYTES>
KX_DEVICE void copy_async(void* dst, const void* src, bool predicate = true KX_LOC) {
  static_assert(BYTES == 4 || BYTES == 8 || BYTES == 16);
#ifdef __CUDACC__
  if constexpr (BYTES == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(dst)),
                 "l"(src), "r"(predicate ? 16 : 0)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(dst)),
                 "l"(src), "n"(BYTES), "r"(predicate ? BYTES : 0)
                 : "memory");
  }
#else
  emu::copy_async(dst, src, BYTES, predicate ? BYTES : 0, loc);
#endif
}

KX_DEVICE void copy_async_commit() {
#ifdef __CUDACC__
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  emu::copy_async_commit();
#endif
}

template <int N>
KX_DEVICE void copy_async_wait() {
#ifdef __CUDACC__
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#else
  emu::copy_async_wait(N);
#endif
}
}  // namespace kx
