// Conformance of the Hopper wrappers, with layouts written out anew: the shared-memory image of TMA
// boxes, every canonical wgmma operand layout with its descriptor and step along k, the accumulator
// fragment, accumulate = 0, mbarrier phases. Run it on a GPU after fragments.
#include "kx/kx.h"

namespace {
// Byte offset of element (r, k) of a bf16 operand of 64 x 64; SPAN: swizzle, 16 = unswizzled.
template <int SPAN, bool MN>
KX_DEVICE int offset(int r, int k) {
  if (SPAN == 16) {
    return k / 8 * 1024 + (MN ? r / 8 * 128 + k % 8 * 16 + r % 8 * 2 : r * 16 + k % 8 * 2);
  }
  const int e = SPAN / 2;
  const int o =
      MN ? r / e * (64 * SPAN) + k * SPAN + r % e * 2 : k / e * (64 * SPAN) + r * SPAN + k % e * 2;
  return o ^ ((o >> 7) & (SPAN / 16 - 1)) << 4;
}

__host__ __device__ constexpr kx::Swizzle swizzle_of(int span) {
  return span == 128  ? kx::Swizzle::k128
         : span == 64 ? kx::Swizzle::k64
         : span == 32 ? kx::Swizzle::k32
                      : kx::Swizzle::kNone;
}

// The operand's 16 columns from k on.
template <int SPAN, bool MN>
KX_DEVICE uint64_t descriptor(const char* s, int k) {
  const kx::Swizzle mode = swizzle_of(SPAN);
  if (SPAN == 16) return kx::matrix_descriptor(s + k / 8 * 1024, 1024, 128, mode);
  return MN ? kx::matrix_descriptor(s + k * SPAN, 64 * SPAN, 8 * SPAN, mode)
            : kx::matrix_descriptor(s + k * 2 / SPAN * (64 * SPAN) + k * 2 % SPAN, 16, 8 * SPAN,
                                    mode);
}

template <int SPAN, bool MA, bool MB, int N, class T>
__global__ __launch_bounds__(128) void operands_kernel(const T* a, const T* b, float* c) {
  char *sa = kx::dynamic_shared<char, 1024>(), *sb = sa + 8192;
  const int t = threadIdx.x;
  for (int i = t; i < 64 * 64; i += 128) {
    *reinterpret_cast<T*>(sa + offset<SPAN, MA>(i / 64, i % 64)) = a[i];
  }
  for (int i = t; i < N * 64; i += 128) {
    *reinterpret_cast<T*>(sb + offset<SPAN, MB>(i / 64, i % 64)) = b[i];
  }
  kx::fence_async_proxy();
  __syncthreads();
  float d[N / 2];
#pragma unroll
  for (int i = 0; i < N / 2; i++) d[i] = 1e30f;  // the first step must not add it
  kx::wgmma_fence(d);
#pragma unroll
  for (int k = 0; k < 64; k += 16) {
    kx::wgmma<N, T, MA, MB>(d, descriptor<SPAN, MA>(sa, k), descriptor<SPAN, MB>(sb, k), k > 0);
  }
  kx::wgmma_commit();
  kx::wgmma_wait<0>(d);
#pragma unroll
  for (int i = 0; i < N / 2; i++) {
    const int row = t / 32 * 16 + t % 32 / 4 + i / 2 % 2 * 8, col = i / 4 * 8 + t % 4 * 2 + i % 2;
    c[row * N + col] = d[i];
  }
}

__global__ __launch_bounds__(128) void image_kernel(const __grid_constant__ kx::tensor_map map,
                                                    int x, int y, int z, int bytes, int rounds,
                                                    unsigned* out) {
  auto* image = kx::dynamic_shared<unsigned, 1024>();
  KX_SHARED(bar, uint64_t);
  const int t = threadIdx.x;
  if (t == 0) {
    kx::mbarrier_init(&bar, 1);
    kx::mbarrier_init_fence();
  }
  __syncthreads();
  for (int i = 0; i < rounds; i++) {
    if (t == 0) {
      kx::mbarrier_arrive_expect(&bar, bytes);
      if (z < 0) {
        kx::tma_load_2d(image, &map, x, y + i, &bar);
      } else {
        kx::tma_load_3d(image, &map, x, y + i, z, &bar);
      }
    }
    kx::mbarrier_wait(&bar, i & 1);
    for (int j = t; j < bytes / 4; j += 128) out[i * (bytes / 4) + j] = image[j];
    __syncthreads();
  }
}

template <int SPAN, int N, class T>
int run_operands(bool ma, bool mb, const void* a, const void* b, float* c) {
  const auto kernel =
      ma   ? mb ? operands_kernel<SPAN, true, true, N, T> : operands_kernel<SPAN, true, false, N, T>
        : mb ? operands_kernel<SPAN, false, true, N, T>
           : operands_kernel<SPAN, false, false, N, T>;
  return kx::launch("operands_kernel", kernel,
                    kx::launch_config{dim3(1), dim3(128), 8192 + N * 128}, static_cast<const T*>(a),
                    static_cast<const T*>(b), c);
}
}  // namespace

// b: n x 64. n other than 64 and f16: with a span of 128 bytes only.
extern "C" int test_hopper_operands(int span, int n, bool f16, bool a_mn, bool b_mn, const void* a,
                                    const void* b, float* c) {
  switch (n + span + f16) {
    case 64 + 16:
      return run_operands<16, 64, kx::bf16>(a_mn, b_mn, a, b, c);
    case 64 + 32:
      return run_operands<32, 64, kx::bf16>(a_mn, b_mn, a, b, c);
    case 64 + 64:
      return run_operands<64, 64, kx::bf16>(a_mn, b_mn, a, b, c);
    case 64 + 128:
      return run_operands<128, 64, kx::bf16>(a_mn, b_mn, a, b, c);
    case 128 + 128:
      return run_operands<128, 128, kx::bf16>(a_mn, b_mn, a, b, c);
    case 128 + 128 + 1:
      return run_operands<128, 128, kx::f16>(a_mn, b_mn, a, b, c);
    case 256 + 128 + 1:
      return run_operands<128, 256, kx::f16>(a_mn, b_mn, a, b, c);
    default:
      return run_operands<128, 256, kx::bf16>(a_mn, b_mn, a, b, c);
  }
}

// z < 0: x is one matrix, loaded as such; else it is two, one after the other.
extern "C" int test_hopper_image(int span, const void* x, int rows, int cols, int pitch,
                                 int box_rows, int box_cols, int col, int row, int z, int rounds,
                                 unsigned* out) {
  kx::tensor_map map;
  const kx::matrices all{x, rows, cols, pitch, z < 0 ? 1 : 2, rows * pitch};
  const int error =
      kx::make_tensor_map(&map, all, box_rows, box_cols, swizzle_of(span), z < 0 ? 2 : 3);
  if (error) return error;
  const int bytes = box_rows * box_cols * 2;
  return KX_LAUNCH(image_kernel,
                   (kx::launch_config{dim3(1), dim3(128), static_cast<size_t>(bytes)}), map, col,
                   row, z, bytes, rounds, out);
}
