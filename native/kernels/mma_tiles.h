// Stages of operands in shared memory for mma.sync (sm_80), as gemm_mma.cu and conv_mma.h fill
// them.
//
// A step takes 64 bytes along k: 32 elements of 16 bits, 16 of f32. A stage keeps the order of
// memory, so that copies are 16 bytes wide whichever way an operand is stored: rows along k, or
// rows along the side. ldmatrix reads both (with .trans the second); 16-byte chunks are exchanged
// within rows by XOR, which keeps its eight rows in different banks.
#pragma once
#include <type_traits>

#include "tiles.h"

namespace gs {
constexpr int kStepBytes = 64;  // along k
template <class T>
constexpr int kDepth = kStepBytes / sizeof(T);  // elements of a step
template <class T>
constexpr int kChunk = 16 / sizeof(T);

template <class T>
using Bits = std::conditional_t<sizeof(T) == 2, uint16_t, uint32_t>;

// Byte offset of a chunk in an operand's stage of SIDE rows or columns. ALONG_K: rows are
// kStepBytes along k, else SIDE elements of one k.
template <class T, bool ALONG_K, int SIDE>
KX_DEVICE int chunk_offset(int row, int chunk) {
  if constexpr (ALONG_K) return row * kStepBytes + ((chunk ^ (row >> 1 & 3)) << 4);
  const int exchange = sizeof(T) == 2 ? row & 7 : (row & 3) << 1;
  return row * SIDE * (int)sizeof(T) + ((chunk ^ exchange) << 4);
}

// Two 8 x 8 blocks along the side by two along k (16-bit elements; 8 x 4 blocks of f32), from
// element `side` and k-step `half` of the stage on. K_FIRST: registers count along k first, as B
// has them, else along the side first, as A does.
template <class T, bool ALONG_K, int SIDE, bool K_FIRST>
KX_DEVICE void load_fragment(uint32_t (&r)[4], const char* stage, int side, int half) {
  const int lane = threadIdx.x % 32, in_block = lane & 7;
  const int first = lane >> 3 & 1, second = lane >> 4;
  const int along_side = K_FIRST ? second : first, along_k = K_FIRST ? first : second;
  if constexpr (ALONG_K) {
    kx::ldmatrix_x4(r, stage + chunk_offset<T, true, SIDE>(side + along_side * 8 + in_block,
                                                           half * 2 + along_k));
  } else if constexpr (sizeof(T) == 2) {
    kx::ldmatrix_x4<true>(r,
                          stage + chunk_offset<T, false, SIDE>(half * 16 + along_k * 8 + in_block,
                                                               side / 8 + along_side));
  } else {
    // chunk_offset of (k, at), taken apart: `side` is a multiple of 16, so that most of it is the
    // same for all fragments of a lane, which keeps addresses out of registers.
    const int q = lane % 4, g = lane / 4;
    const int base = q * SIDE * 4 + ((g / 4 ^ q << 1) << 4) + g % 4 * 4;
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int k = half * 8 + (K_FIRST ? i % 2 : i / 2) * 4, next = K_FIRST ? i / 2 : i % 2;
      r[i] = *reinterpret_cast<const uint32_t*>(stage + (base ^ (next << 5 | (side & 16) << 2)) +
                                                side / 32 * 128 + k * SIDE * 4);
    }
  }
  if constexpr (sizeof(T) == 4) {
#pragma unroll
    for (int i = 0; i < 4; i++) r[i] = kx::to_tf32(__uint_as_float(r[i]));
  }
}

template <class T>
KX_DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (std::is_same_v<T, kx::bf16>) {
    kx::mma_bf16(d, a, b0, b1);
  } else if constexpr (std::is_same_v<T, kx::f16>) {
    kx::mma_f16(d, a, b0, b1);
  } else {
    kx::mma_tf32(d, a, b0, b1);
  }
}

// A warp's sums of 16 MI x 32 results to its slice.
template <int MI>
KX_DEVICE void store_fragments(float* slice, const float (&sums)[MI][4][4]) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < MI; i++) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
#pragma unroll
      for (int h = 0; h < 2; h++) {
        *reinterpret_cast<float2*>(
            slice_place(slice, i * 16 + lane / 4 + h * 8, j * 8 + lane % 4 * 2)) =
            make_float2(sums[i][j][h * 2], sums[i][j][h * 2 + 1]);
      }
    }
  }
}
}  // namespace gs
