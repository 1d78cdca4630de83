// Warp-wide matrix operations (ldmatrix, mma.sync; sm_80). All 32 lanes call them together.
//
// With g = lane / 4 and q = lane % 4, a lane holds of a 16 x 16 x 8 product (16-bit types; register
// r has elements 2r and 2r + 1):
//   A, i < 8: row g + 8 (i/2 % 2), k = 2q + i%2 + 8 (i/4)      B, i < 4: k = 2q + i%2 + 8 (i/2),
//   col g C and D, i < 4: row g + 8 (i/2), col 2q + i%2
// tf32, 16 x 8 x 8: A, i < 4: row g + 8 (i%2), k = q + 4 (i/2)   B, i < 2: k = q + 4i, col g
#pragma once
#include "kx/numeric.h"

namespace kx {
// Loads four 8 x 8 matrices of 16-bit elements. Lane 8m + r gives the address of row r (16 bytes,
// 16-aligned) of matrix m. Register m of the result: row g, columns 2q and 2q + 1; with TRANSPOSE
// rows 2q and 2q + 1 of column g.
template <bool TRANSPOSE = false>
KX_DEVICE void ldmatrix_x4(uint32_t (&r)[4], const void* row KX_LOC) {
#ifdef __CUDACC__
  if constexpr (TRANSPOSE) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
  }
#else
  uint32_t result[4];
  emu::collective(emu::WarpOp::kLdmatrix, ~0u, {row, result, TRANSPOSE, 4, 0}, loc);
  for (int i = 0; i < 4; i++) r[i] = result[i];
#endif
}

#ifdef __CUDACC__
#define KX_MMA(shape_and_types)                                         \
  asm volatile("mma.sync.aligned." shape_and_types                      \
               " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])         \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1))
#else
// The operands are copied: the emulator reads and writes them outside the kernel's instrumentation.
#define KX_MMA_EMULATED(op)                                      \
  const uint32_t operands[6] = {a[0], a[1], a[2], a[3], b0, b1}; \
  float sums[4] = {d[0], d[1], d[2], d[3]};                      \
  emu::collective(op, ~0u, {operands, sums, 0, 0, 0}, loc);      \
  for (int i = 0; i < 4; i++) d[i] = sums[i]
#endif

// d += a b for bf16 operands, f32 sums; m16n8k16.
KX_DEVICE void mma_bf16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1 KX_LOC) {
#ifdef __CUDACC__
  KX_MMA("m16n8k16.row.col.f32.bf16.bf16.f32");
#else
  KX_MMA_EMULATED(emu::WarpOp::kMmaBf16);
#endif
}

// d += a b for f16 operands, f32 sums; m16n8k16.
KX_DEVICE void mma_f16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1 KX_LOC) {
#ifdef __CUDACC__
  KX_MMA("m16n8k16.row.col.f32.f16.f16.f32");
#else
  KX_MMA_EMULATED(emu::WarpOp::kMmaF16);
#endif
}

// d += a b for tf32 operands (see to_tf32), f32 sums; m16n8k8.
KX_DEVICE void mma_tf32(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1 KX_LOC) {
#ifdef __CUDACC__
  KX_MMA("m16n8k8.row.col.f32.tf32.tf32.f32");
#else
  KX_MMA_EMULATED(emu::WarpOp::kMmaTf32);
#endif
}
#undef KX_MMA
#undef KX_MMA_EMULATED
}  // namespace kx
