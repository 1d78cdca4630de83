// Conformance of the warp-wide wrappers: register fragments written out from the published
// thread-value layouts, so that a wrapper that permutes registers fails. Run it first on a GPU.
#include "kx/kx.h"

namespace {
// t = 4 t1 + t0; a layout T(4,8):(s0,s1) V(...):(...) gives the index of a lane's value.
__global__ void fragments_kernel(const float* a16, const float* b16, float* c_bf16, float* c_f16,
                                 const float* a8, const float* b8, float* c_tf32,
                                 const kx::bf16* matrix, uint32_t* loaded) {
  const int t = threadIdx.x, t0 = t & 3, t1 = t >> 2;
  uint32_t a[4], b[2];
  float c[4];
  // m16n8k16: A index m + 16 k: T(4,8):(32,1) V(2,2,2):(16,8,128); B index n + 8 k: T(4,8):(16,1)
  // V(2,2):(8,64); C index m + 16 n: T(4,8):(32,1) V(2,2):(16,8).
  for (int half = 0; half < 2; half++) {
    for (int v = 0; v < 4; v++) {
      const int o = t0 * 32 + t1 + (v & 1) * 8 + (v >> 1) * 128;
      a[v] = half ? kx::pack_f16(a16[o], a16[o + 16]) : kx::pack_bf16(a16[o], a16[o + 16]);
      c[v] = 0;
    }
    for (int v = 0; v < 2; v++) {
      const int o = t0 * 16 + t1 + v * 64;
      b[v] = half ? kx::pack_f16(b16[o], b16[o + 8]) : kx::pack_bf16(b16[o], b16[o + 8]);
    }
    if (half) {
      kx::mma_f16(c, a, b[0], b[1]);
    } else {
      kx::mma_bf16(c, a, b[0], b[1]);
    }
    float* out = half ? c_f16 : c_bf16;
    for (int v = 0; v < 4; v++) out[t0 * 32 + t1 + (v & 1) * 16 + (v >> 1) * 8] = c[v];
  }
  // m16n8k8: A T(4,8):(16,1) V(2,2):(8,64); B T(4,8):(8,1) V2:32.
  for (int v = 0; v < 4; v++) {
    a[v] = kx::to_tf32(a8[t0 * 16 + t1 + (v & 1) * 8 + (v >> 1) * 64]);
    c[v] = 0;
  }
  for (int v = 0; v < 2; v++) b[v] = kx::to_tf32(b8[t0 * 8 + t1 + v * 32]);
  kx::mma_tf32(c, a, b[0], b[1]);
  for (int v = 0; v < 4; v++) c_tf32[t0 * 32 + t1 + (v & 1) * 16 + (v >> 1) * 8] = c[v];

  KX_SHARED(tile, kx::bf16[32 * 8]);
  for (int i = t; i < 256; i += 32) tile[i] = matrix[i];
  __syncwarp();
  uint32_t r[4];
  kx::ldmatrix_x4(r, tile + t * 8);
  for (int i = 0; i < 4; i++) loaded[t * 8 + i] = r[i];
  kx::ldmatrix_x4<true>(r, tile + t * 8);
  for (int i = 0; i < 4; i++) loaded[t * 8 + 4 + i] = r[i];
}

// Copies of 4, 8 and 16 bytes, and their zero fill.
__global__ void copies_kernel(const float* x, float* y) {
  KX_SHARED(tile, float[3][32]);
  const int t = threadIdx.x;
  kx::copy_async<4>(&tile[0][t], x + t, t % 3 != 0);
  if (t < 16) kx::copy_async<8>(&tile[1][2 * t], x + 32 + 2 * t, t % 3 != 0);
  if (t < 8) kx::copy_async<16>(&tile[2][4 * t], x + 64 + 4 * t, t % 3 != 0);
  kx::copy_async_commit();
  kx::copy_async_wait<0>();
  __syncwarp();
  for (int i = 0; i < 3; i++) y[32 * i + t] = tile[i][t];
}
}  // namespace

extern "C" int test_fragments(const float* a16, const float* b16, float* c_bf16, float* c_f16,
                              const float* a8, const float* b8, float* c_tf32, const void* matrix,
                              uint32_t* loaded) {
  return KX_LAUNCH(fragments_kernel, (kx::launch_config{dim3(1), dim3(32)}), a16, b16, c_bf16,
                   c_f16, a8, b8, c_tf32, static_cast<const kx::bf16*>(matrix), loaded);
}
extern "C" int test_copies(const float* x, float* y) {
  return KX_LAUNCH(copies_kernel, (kx::launch_config{dim3(1), dim3(32)}), x, y);
}
