// Small synchronisation patterns, each right (BAD = false) and wrong: the checker must accept the
// one and refuse the other.
#include "kx/kx.h"

namespace {
// The last block to finish reduces what all have written.
template <bool BAD>
__global__ void last_block_kernel(const float* x, float* partial, unsigned* count, float* out) {
  KX_SHARED(is_last, int);
  KX_SHARED(warp_sums, float[2]);
  float v = x[blockIdx.x * 64 + threadIdx.x];
  for (int o = 16; o; o >>= 1) v += __shfl_down_sync(~0u, v, o);
  if (threadIdx.x % 32 == 0) warp_sums[threadIdx.x / 32] = v;
  __syncthreads();
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = warp_sums[0] + warp_sums[1];
    if (!BAD) __threadfence();
    is_last = atomicInc(count, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (is_last && threadIdx.x == 0) {
    __threadfence();
    float sum = 0;
    for (unsigned i = 0; i < gridDim.x; i++) sum += partial[i];
    out[0] = sum;
  }
}

template <bool BAD>
__global__ void histogram_kernel(const unsigned char* x, int n, int* out) {
  KX_SHARED(bins, int[256]);
  bins[threadIdx.x] = 0;
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += 256) {
    if (BAD) {
      bins[x[i]]++;
    } else {
      atomicAdd(&bins[x[i]], 1);
    }
  }
  __syncthreads();
  atomicAdd(&out[threadIdx.x], bins[threadIdx.x]);
}

template <bool BAD>
__global__ void warp_reverse_kernel(const float* x, float* y) {
  KX_SHARED(tile, float[4][32]);
  const int w = threadIdx.x / 32, l = threadIdx.x % 32;
  tile[w][l] = 0;
  __syncthreads();
  tile[w][l] = x[threadIdx.x];
  if (!BAD) __syncwarp();
  y[threadIdx.x] = tile[w][31 - l];
}

// Two warps fill a buffer, two empty it, by named barriers.
template <bool BAD>
__global__ void named_barriers_kernel(const float* x, float* y) {
  KX_SHARED(buffer, float[64]);
  const int i = threadIdx.x & 63;
  for (int k = 0; k < 4; k++) {
    if (threadIdx.x < 64) {
      if (k > 0) kx::barrier_sync(2, 128);
      buffer[i] = x[k * 64 + i];
      kx::barrier_arrive(1, 128);
      continue;
    }
    kx::barrier_sync(1, 128);
    y[k * 64 + i] = buffer[63 - i];
    if (k < 3) kx::barrier_arrive(2, 128);
    if (BAD && k == 1) y[k * 64 + i] += buffer[i];  // behind the arrival
  }
}

// Neighbouring bytes by different threads are no race.
template <bool BAD>
__global__ void bytes_kernel(unsigned char* m) {
  m[blockIdx.x * 64 + threadIdx.x] = static_cast<unsigned char>(threadIdx.x);
  if (BAD) m[blockIdx.x * 64 + (threadIdx.x ^ 2)] = 1;
}

template <bool BAD>
__global__ void blocks_kernel(float* y) {
  y[BAD ? threadIdx.x : blockIdx.x * 32 + threadIdx.x] = 1.f;
}

// Cooperative launch, spinning on an atomic.
template <bool BAD>
__global__ void grid_barrier_kernel(float* x, unsigned* arrivals, float* y) {
  const int n = gridDim.x * 32, i = blockIdx.x * 32 + threadIdx.x;
  x[i] = static_cast<float>(i);
  __syncthreads();
  if (threadIdx.x == 0) {
    if (!BAD) __threadfence();
    atomicAdd(arrivals, 1u);
    while (atomicAdd(arrivals, 0u) < gridDim.x) {
    }
    __threadfence();
  }
  __syncthreads();
  y[i] = x[n - 1 - i];
}

// Groups of 8 lanes with masks of their own.
template <bool BAD>
__global__ void lane_groups_kernel(const float* x, float* y) {
  const unsigned group = (threadIdx.x & 31) / 8, mask = 0xffu << (group * 8);
  float v = x[threadIdx.x];
  if (group == 1 || group == 2) {
    for (int o = 4; o; o >>= 1) v += __shfl_xor_sync(BAD ? 0xffu : mask, v, o, 8);
  }
  y[threadIdx.x] = v;
}

template <bool BAD>
__global__ void local_array_kernel(const float* x, float* y, int k) {
  float a[4];
  for (int i = 0; i < 4; i++) a[i] = x[i];
  y[threadIdx.x] = a[BAD ? k + 4 : k];
}

// Ordinary stores that wgmma reads need a proxy fence: in the writers before the barrier, or behind
// it. BAD && READER: a fence before the stores does not count.
template <bool BAD, bool READER>
__global__ void proxy_fence_kernel(const kx::bf16* a, const kx::bf16* b, float* c) {
  auto* s = kx::dynamic_shared<kx::bf16, 1024>();
  const int t = threadIdx.x;
  if (BAD && READER) kx::fence_async_proxy();
  for (int i = t; i < 64 * 64; i += 128) {
    const int r = i / 64, k = i % 64, o = r * 64 + (((k >> 3) ^ (r & 7)) << 3) + (k & 7);
    s[o] = a[i];
    s[4096 + o] = b[i];
  }
  if (!BAD && !READER) kx::fence_async_proxy();
  __syncthreads();
  float acc[32] = {};
  if (!BAD && READER) kx::fence_async_proxy();
  kx::wgmma_fence(acc);
  for (int k = 0; k < 4; k++) {
    kx::wgmma<64, kx::bf16>(acc, kx::matrix_descriptor_k128(s) + 2 * k,
                            kx::matrix_descriptor_k128(s + 4096) + 2 * k);
  }
  kx::wgmma_commit();
  kx::wgmma_wait<0>(acc);
  for (int i = 0; i < 32; i++) {
    const int row = (t >> 5) * 16 + ((t & 31) >> 2) + ((i >> 1) & 1) * 8;
    c[row * 64 + (i >> 2) * 8 + (t & 3) * 2 + (i & 1)] = acc[i];
  }
}
template <bool BAD>
constexpr auto writer_fence_kernel = proxy_fence_kernel<BAD, false>;
template <bool BAD>
constexpr auto reader_fence_kernel = proxy_fence_kernel<BAD, true>;

// Two accumulators in two groups: behind wait<1> only the first may be read.
template <bool BAD>
__global__ void in_flight_kernel(const kx::bf16* a, float* c) {
  auto* s = kx::dynamic_shared<kx::bf16, 1024>();
  const int t = threadIdx.x;
  for (int i = t; i < 64 * 64; i += 128) s[i] = a[i];
  kx::fence_async_proxy();
  __syncthreads();
  float p[32] = {}, q[32] = {};
  kx::wgmma_fence(p, q);
  kx::wgmma<64, kx::bf16>(p, kx::matrix_descriptor_k128(s), kx::matrix_descriptor_k128(s));
  kx::wgmma_commit();
  kx::wgmma_fence(q);
  kx::wgmma<64, kx::bf16>(q, kx::matrix_descriptor_k128(s), kx::matrix_descriptor_k128(s));
  kx::wgmma_commit();
  kx::wgmma_wait<1>(p);
  const float r = BAD ? q[t & 31] : p[t & 31];
  kx::wgmma_wait<0>(q);
  c[t] = r + q[0];
  if (c[t] != c[t]) __trap();
}

// BAD: a phase nobody waits for.
template <bool BAD>
__global__ void phases_kernel(float* y) {
  KX_SHARED(bar, uint64_t);
  const int t = threadIdx.x;
  if (t == 0) {
    kx::mbarrier_init(&bar, 64);
    kx::mbarrier_init_fence();
  }
  __syncthreads();
  y[t] = 1.f;
  for (int i = 0; i < 3; i++) {
    if (i) __syncthreads();
    kx::mbarrier_arrive(&bar);
    if (!BAD || i == 2) kx::mbarrier_wait(&bar, i & 1);
  }
  y[64 + t] = y[63 - t];
}

using Config = kx::launch_config;
}  // namespace

#define PATTERN(kernel, ...) \
  (bad ? KX_LAUNCH(kernel<true>, __VA_ARGS__) : KX_LAUNCH(kernel<false>, __VA_ARGS__))

// x: 4096 floats of 0.5; y, z: 4096 floats; u: 256 zeros; m: 512 bytes of 7.
extern "C" int test_pattern(int which, bool bad, float* x, float* y, unsigned* u, float* z,
                            unsigned char* m) {
  const auto* half = reinterpret_cast<const kx::bf16*>(x);
  switch (which) {
    case 0:
      return PATTERN(last_block_kernel, (Config{dim3(8), dim3(64)}), x, z, u, y);
    case 1:
      return PATTERN(histogram_kernel, (Config{dim3(2), dim3(256)}), m, 500,
                     reinterpret_cast<int*>(u));
    case 2:
      return PATTERN(warp_reverse_kernel, (Config{dim3(1), dim3(128)}), x, y);
    case 3:
      return PATTERN(named_barriers_kernel, (Config{dim3(1), dim3(128)}), x, y);
    case 4:
      return PATTERN(bytes_kernel, (Config{dim3(2), dim3(64)}), m);
    case 5:
      return PATTERN(blocks_kernel, (Config{dim3(4), dim3(32)}), y);
    case 6:
      return PATTERN(grid_barrier_kernel,
                     (Config{dim3(4), dim3(32), 0, nullptr, dim3(1, 1, 1), true}), z, u, y);
    case 7:
      return PATTERN(lane_groups_kernel, (Config{dim3(1), dim3(64)}), x, y);
    case 8:
      return PATTERN(local_array_kernel, (Config{dim3(1), dim3(32)}), x, y, 2);
    case 9:
      return PATTERN(writer_fence_kernel, (Config{dim3(1), dim3(128), 16384}), half, half + 4096,
                     z);
    case 10:
      return PATTERN(reader_fence_kernel, (Config{dim3(1), dim3(128), 16384}), half, half + 4096,
                     z);
    case 11:
      return PATTERN(in_flight_kernel, (Config{dim3(1), dim3(128), 8192}), half, z);
    case 12:
      return PATTERN(phases_kernel, (Config{dim3(1), dim3(64)}), z);
  }
  return -1;
}
