// Barriers in shared memory that also count the bytes of asynchronous copies (mbarrier; sm_90).
//
// A phase ends when its pending arrivals and its pending bytes are both zero. One thread
// initialises them, calls mbarrier_init_fence, then the block synchronises. In a ring of S stages,
// use u of a stage has u % S and parity p = u / S & 1: consumers wait for "full" with p, the
// producer for "empty" with p ^ 1.
#pragma once
#include "kx/platform.h"

namespace kx {
KX_DEVICE void mbarrier_init(uint64_t* bar, unsigned count KX_LOC) {
#ifdef __CUDACC__
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(bar)), "r"(count)
               : "memory");
#else
  emu::mbarrier_init(bar, count, loc);
#endif
}

// Shows the initialisations of this thread to other threads and to the async proxy; behind them and
// before the block's (or cluster's) barrier.
KX_DEVICE void mbarrier_init_fence() {
#ifdef __CUDACC__
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#else
  emu::fence(emu::Fence::kMbarrierInit);
#endif
}

KX_DEVICE void mbarrier_arrive(uint64_t* bar KX_LOC) {
#ifdef __CUDACC__
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(bar)) : "memory");
#else
  emu::mbarrier_arrive(bar, 0, loc);
#endif
}

// Announces bytes that copies will bring, then arrives.
KX_DEVICE void mbarrier_arrive_expect(uint64_t* bar, unsigned bytes KX_LOC) {
#ifdef __CUDACC__
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(bar)),
               "r"(bytes)
               : "memory");
#else
  emu::mbarrier_arrive(bar, bytes, loc);
#endif
}

// Returns once the phase of that parity is over: on a fresh barrier wait(0) waits for the first
// completion, wait(1) returns at once. Someone must have waited for a phase before anyone arrives
// in the next, and a wait must not lag two phases behind.
KX_DEVICE void mbarrier_wait(uint64_t* bar, unsigned parity KX_LOC) {
#ifdef __CUDACC__
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "L%=:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n"
      "@p bra D%=;\n"
      "bra L%=;\n"
      "D%=:\n"
      "}" ::"r"(shared_address(bar)),
      "r"(parity)
      : "memory");
#else
  emu::mbarrier_wait(bar, parity, loc);
#endif
}

// Between ordinary accesses to shared memory and those by TMA or wgmma: writers fence, then the
// barrier; or the barrier, then the issuer fences.
KX_DEVICE void fence_async_proxy() {
#ifdef __CUDACC__
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#else
  emu::fence(emu::Fence::kAsyncProxy);
#endif
}
}  // namespace kx
