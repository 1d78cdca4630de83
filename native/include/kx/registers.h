// Registers: what the compiler keeps in them, and how many a warpgroup has (setmaxnreg; sm_90a).
//
// opaque hides a word's origin: what is computed from it, such as the two values packed in it, is
// then computed again behind it instead of being kept in more registers.
//
// give_registers_back, take_registers: all four warps of a warpgroup call them; COUNT is a multiple
// of 8 from 24 to 256. A warpgroup that loads gives registers back, one that multiplies then takes
// them; the sum over the warpgroups may not exceed what the launch bounds allot. Nothing on the
// emulator.
#pragma once
#include "kx/platform.h"

namespace kx {
KX_DEVICE void opaque([[maybe_unused]] uint32_t& word) {
#ifdef __CUDACC__
  asm volatile("" : "+r"(word));
#endif
}

template <int COUNT>
KX_DEVICE void give_registers_back() {
  static_assert(COUNT >= 24 && COUNT <= 256 && COUNT % 8 == 0);
#ifdef __CUDACC__
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
#endif
}
template <int COUNT>
KX_DEVICE void take_registers() {
  static_assert(COUNT >= 24 && COUNT <= 256 && COUNT % 8 == 0);
#ifdef __CUDACC__
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
#endif
}
}  // namespace kx
