// What the attention kernels on tensor cores share: tiles of rows in shared memory, products.
#pragma once
#include "attention.h"

namespace gs {
constexpr int kMmaThreads = 128;  // four warps of 16 rows of a tile of 64
constexpr float kLog2E = 1.4426950408889634f, kLn2 = 0.6931471805599453f;

template <int WIDTH>
constexpr int kMmaPitch = WIDTH + 8;  // rows of eight lanes fall on different banks

// Starts copying ROWS rows first.. of [count][width] to a tile of WIDTH columns, zeros beyond.
template <int WIDTH, int ROWS, class T>
KX_DEVICE void copy_rows(T* to, const T* from, int64_t first, int64_t count, int width,
                         bool vectors) {
  if (vectors) {
    for (int i = threadIdx.x; i < ROWS * WIDTH / 8; i += kMmaThreads) {
      const int r = i / (WIDTH / 8), c = i % (WIDTH / 8) * 8;
      const bool inside = first + r < count && c < width;
      kx::copy_async<16>(to + r * kMmaPitch<WIDTH> + c,
                         inside ? from + (first + r) * width + c : from, inside);
    }
  } else {
    for (int i = threadIdx.x; i < ROWS * WIDTH; i += kMmaThreads) {
      const int r = i / WIDTH, c = i % WIDTH;
      const bool inside = first + r < count && c < width;
      to[r * kMmaPitch<WIDTH> + c] =
          inside ? from[(first + r) * width + c] : kx::from_float<T>(0.0f);
    }
  }
}

template <class T>
KX_DEVICE void multiply_mma(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (std::is_same_v<T, kx::bf16>) {
    kx::mma_bf16(d, a, b0, b1);
  } else {
    kx::mma_f16(d, a, b0, b1);
  }
}
template <class T>
KX_DEVICE uint32_t pack_mma(float x, float y) {
  if constexpr (std::is_same_v<T, kx::bf16>) {
    return kx::pack_bf16(x, y);
  } else {
    return kx::pack_f16(x, y);
  }
}

// sums[rows of the warp][ROWS] += rows of a times rows of b, both of WIDTH columns. a: the
// warp's 16.
template <int WIDTH, int ROWS, class T>
KX_DEVICE void multiply_rows_mma(float (&sums)[ROWS / 8][4], const T* a, const T* b) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < WIDTH / 16; i++) {
    uint32_t fa[4];
    kx::ldmatrix_x4(fa, a + lane % 16 * kMmaPitch<WIDTH> + 16 * i + lane / 16 * 8);
#pragma unroll
    for (int n = 0; n < ROWS / 16; n++) {
      uint32_t fb[4];
      kx::ldmatrix_x4(fb, b + (16 * n + lane / 16 * 8 + lane % 8) * kMmaPitch<WIDTH> + 16 * i +
                              lane / 8 % 2 * 8);
      multiply_mma<T>(sums[2 * n], fa, fb[0], fb[1]);
      multiply_mma<T>(sums[2 * n + 1], fa, fb[2], fb[3]);
    }
  }
}

// sums[rows of the warp][WIDTH] += weights, rounded to T, times the ROWS rows of b.
template <int WIDTH, int ROWS, class T>
KX_DEVICE void add_rows_mma(float (&sums)[WIDTH / 8][4], const float (&weights)[ROWS / 8][4],
                            const T* b) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int t = 0; t < ROWS / 16; t++) {
    const auto& low = weights[2 * t];
    const auto& high = weights[2 * t + 1];
    const uint32_t fa[4] = {pack_mma<T>(low[0], low[1]), pack_mma<T>(low[2], low[3]),
                            pack_mma<T>(high[0], high[1]), pack_mma<T>(high[2], high[3])};
#pragma unroll
    for (int n = 0; n < WIDTH / 16; n++) {
      uint32_t fb[4];
      kx::ldmatrix_x4<true>(fb,
                            b + (16 * t + lane % 16) * kMmaPitch<WIDTH> + 16 * n + lane / 16 * 8);
      multiply_mma<T>(sums[2 * n], fa, fb[0], fb[1]);
      multiply_mma<T>(sums[2 * n + 1], fa, fb[2], fb[3]);
    }
  }
}

// factor * sums to rows first.. of [count][width], first: the warp's.
template <int WIDTH, class T>
KX_DEVICE void store_rows_mma(T* to, const float (&sums)[WIDTH / 8][4], const float (&factor)[2],
                              int64_t first, int64_t count, int width) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const int64_t row = first + lane / 4 + 8 * h;
    if (row >= count) continue;
#pragma unroll
    for (int n = 0; n < WIDTH / 8; n++) {
#pragma unroll
      for (int e = 0; e < 2; e++) {
        const int c = 8 * n + lane % 4 * 2 + e;
        if (c < width) to[row * width + c] = kx::from_float<T>(sums[n][2 * h + e] * factor[h]);
      }
    }
  }
}

template <class T>
cudaError_t attention_backward_mma(const AttentionShape& p, const TileOperands<T>& all, T* dq,
                                   T* dk, T* dv, gs_stream stream);
}  // namespace gs
