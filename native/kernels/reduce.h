// Sums and maxima over groups of threads, in an order that depends on nothing but the group's size.
#pragma once
#include "kx/numeric.h"

namespace gs {
constexpr int kGroupThreads = 256;  // of a block whose groups are warps or the block itself

template <class W>
KX_DEVICE W larger(W a, W b) {
  return b > a ? b : a;
}
template <class W>
KX_DEVICE W minus_infinity() {
  return -static_cast<W>(INFINITY);
}

// All-reduce over GROUP threads: a part of a warp, a warp (all its threads call), or a block of
// GROUP threads (all call). Every thread gets the same bits, because op is commutative and the
// partial results are combined in one order. scratch: GROUP / 32 elements of shared memory for the
// block.
template <int GROUP, class W, class Op>
KX_DEVICE W group_reduce(W v, Op op, W* scratch) {
  static_assert(GROUP >= 32 ? GROUP % 32 == 0 : 32 % GROUP == 0);
#pragma unroll
  for (int o = (GROUP < 32 ? GROUP : 32) / 2; o > 0; o >>= 1) {
    v = op(v, __shfl_xor_sync(0xffffffffu, v, o));
  }
  if constexpr (GROUP > 32) {
    __syncthreads();  // the last reduction's reads of scratch
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = v;
    __syncthreads();
    v = scratch[0];
#pragma unroll
    for (int i = 1; i < GROUP / 32; i++) v = op(v, scratch[i]);
  }
  return v;
}
template <int GROUP, class W>
KX_DEVICE W group_sum(W v, W* scratch) {
  return group_reduce<GROUP>(v, [](W a, W b) { return a + b; }, scratch);
}
template <int GROUP, class W>
KX_DEVICE W group_max(W v, W* scratch) {
  return group_reduce<GROUP>(v, [](W a, W b) { return larger(a, b); }, scratch);
}

// The sum of v over the threads before this one, and over all; all kGroupThreads of the block call.
// scratch: kGroupThreads / 32 elements of shared memory for the block.
template <class V>
KX_DEVICE V block_prefix(V v, V* scratch, V* total) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  V inclusive = v;
#pragma unroll
  for (int distance = 1; distance < 32; distance <<= 1) {
    const V other = __shfl_up_sync(0xffffffffu, inclusive, distance);
    if (lane >= distance) inclusive += other;
  }
  __syncthreads();  // the last prefix's reads of scratch
  if (lane == 31) scratch[warp] = inclusive;
  __syncthreads();  // the warps' sums are complete
  V before = 0, all = 0;
#pragma unroll
  for (int w = 0; w < kGroupThreads / 32; w++) {
    if (w < warp) before += scratch[w];
    all += scratch[w];
  }
  *total = all;
  return before + inclusive - v;
}

// The running maximum of a row and the sum of exponentials relative to it.
template <class W>
struct OnlineSum {
  W max = minus_infinity<W>();
  W sum = 0;

  KX_DEVICE void add(W x) {
    if (x > max) {
      sum = sum * exp(max - x) + W(1);
      max = x;
    } else if (x != minus_infinity<W>()) {  // also NaN, which makes the sum NaN
      sum += exp(x - max);
    }
  }
  // Combines the group's; a maximum of +Inf or -Inf makes the sum NaN. scratch: 2 GROUP / 32
  // elements of shared memory for the block.
  template <int GROUP>
  KX_DEVICE void combine(W* scratch) {
    constexpr int kLanes = GROUP < 32 ? GROUP : 32;
    over_lanes<kLanes>();
    exchange<GROUP>(scratch);
    finish();
  }
  // Combines the warps' of a block, in which all lanes have the same.
  template <int GROUP>
  KX_DEVICE void exchange(W* scratch) {
    if constexpr (GROUP > 32) {
      constexpr int kWarps = GROUP / 32;
      __syncthreads();  // the last exchange's reads of scratch
      if (threadIdx.x % 32 == 0) {
        scratch[threadIdx.x / 32] = max, scratch[kWarps + threadIdx.x / 32] = sum;
      }
      __syncthreads();  // the warps' states are complete
      max = scratch[threadIdx.x % kWarps], sum = scratch[kWarps + threadIdx.x % kWarps];
      over_lanes<kWarps>();
    }
  }
  template <int LANES>
  KX_DEVICE void over_lanes() {
    const W all = group_max<LANES>(max, (W*)nullptr);
    sum = group_sum<LANES>(max == all ? sum : sum * exp(max - all), (W*)nullptr);
    max = all;
  }
  KX_DEVICE void finish() {
    if (max == minus_infinity<W>() || max == -minus_infinity<W>()) sum = static_cast<W>(NAN);
  }
};
}  // namespace gs
