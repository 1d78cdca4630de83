// Registers moved between the warpgroups of a block (setmaxnreg; sm_90a).
//
// All four warps of a warpgroup call them; COUNT is a multiple of 8 from 24 to 256. A warpgroup
// that loads gives registers back, one that multiplies then takes them; the sum over the warpgroups
// may not exceed what the launch bounds allot. Nothing on the emulator.
#pragma once
#include "kx/platform.h"

namespace kx {
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
