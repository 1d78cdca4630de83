// Named barriers of a block: 0..15, of which 0 is __syncthreads.
//
// threads counts the threads that wait and those that only arrive; a multiple of 32. Whole warps
// call them.
#pragma once
#include "kx/platform.h"

namespace kx {
KX_DEVICE void barrier_sync(int id, int threads KX_LOC) {
#ifdef __CUDACC__
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
#else
  emu::barrier(id, threads, false, loc);
#endif
}

// Arrives without waiting.
KX_DEVICE void barrier_arrive(int id, int threads KX_LOC) {
#ifdef __CUDACC__
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
#else
  emu::barrier(id, threads, true, loc);
#endif
}
}  // namespace kx
