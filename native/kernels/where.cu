// Choice between two arrays, element by element, with broadcasting. The bits are copied.
//
// | kernel | for |
// |---|---|
// | where_contiguous_kernel<T> | operands without gaps or broadcasting, in 16-byte vectors |
// | where_strided_kernel<T> | any strides; dimensions that can be are merged before the launch |
#include "strides.h"

namespace gs {
namespace {
// T: an unsigned integer of the elements' size.
template <class T>
__global__ __launch_bounds__(kElementThreads) void where_contiguous_kernel(
    int64_t count, int64_t packs, const uint8_t* condition, const T* a, const T* b, T* y) {
  constexpr int V = Pack<T>::kSize;
  struct alignas(V) Conditions {
    uint8_t v[V];
  };
  const int64_t first = (int64_t)blockIdx.x * kElementThreads + threadIdx.x;
  const int64_t stride = (int64_t)gridDim.x * kElementThreads;
  for (int64_t i = first; i < packs; i += stride) {
    const Conditions c = reinterpret_cast<const Conditions*>(condition)[i];
    const Pack<T> p = reinterpret_cast<const Pack<T>*>(a)[i];
    const Pack<T> q = reinterpret_cast<const Pack<T>*>(b)[i];
    Pack<T> r;
#pragma unroll
    for (int j = 0; j < V; j++) r.v[j] = c.v[j] ? p.v[j] : q.v[j];
    reinterpret_cast<Pack<T>*>(y)[i] = r;
  }
  for (int64_t i = packs * V + first; i < count; i += stride) y[i] = condition[i] ? a[i] : b[i];
}

// walk: y, condition, a, b.
template <class T>
__global__ __launch_bounds__(kElementThreads) void where_strided_kernel(
    int64_t count, const __grid_constant__ Walk<4> walk, const uint8_t* condition, const T* a,
    const T* b, T* y) {
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i, at[4] = {};
    for (int d = walk.dims - 1; d >= 0; d--) {
      const int64_t index = take_digit(rest, walk.size[d]);
#pragma unroll
      for (int p = 0; p < 4; p++) at[p] += index * walk.stride[p][d];
    }
    y[at[0]] = condition[at[1]] ? a[at[2]] : b[at[3]];
  }
}

// ---- launchers ----
template <class T>
cudaError_t run(int64_t count, const Walk<4>& walk, const void* condition, const void* a,
                const void* b, void* y, gs_stream stream) {
  const uint8_t* pc = static_cast<const uint8_t*>(condition);
  const T *pa = static_cast<const T*>(a), *pb = static_cast<const T*>(b);
  T* py = static_cast<T*>(y);
  bool contiguous = walk.dims <= 1;
  for (int p = 0; p < 4 && walk.dims == 1; p++) contiguous = contiguous && walk.stride[p][0] == 1;
  if (!contiguous) {
    return KX_LAUNCH(where_strided_kernel<T>, element_config(count, stream), count, walk, pc, pa,
                     pb, py);
  }
  constexpr int V = Pack<T>::kSize;
  const bool vectors = aligned16({a, b, y}) && reinterpret_cast<uintptr_t>(condition) % V == 0;
  const int64_t packs = vectors ? count / V : 0;
  return KX_LAUNCH(where_contiguous_kernel<T>,
                   element_config(std::max(packs, count - packs * V), stream), count, packs, pc, pa,
                   pb, py);
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_where(int32_t type, const gs_where_layout* l, const void* condition,
                              const void* a, const void* b, void* y, gs_stream stream) {
  GS_REQUIRE(type >= GS_F32 && type <= GS_U8, "where: no such type; type=%d", type);
  GS_REQUIRE(l && l->dims >= 0 && l->dims <= GS_MAX_DIMS,
             "where: the layout must have 0 to 8 dimensions; dims=%d", l ? l->dims : -1);
  const int64_t count = gs::count_of(l->dims, l->size);
  GS_REQUIRE(count >= 0 && gs::addressable_strides(l->dims, l->size, l->stride_condition) &&
                 gs::addressable_strides(l->dims, l->size, l->stride_a) &&
                 gs::addressable_strides(l->dims, l->size, l->stride_b) &&
                 gs::addressable_strides(l->dims, l->size, l->stride_y),
             "where: sizes must not be negative and all elements addressable; dims=%d", l->dims);
  GS_REQUIRE(count == 0 || !gs::overlaps_itself(l->dims, l->size, l->stride_y),
             "where: y must not name an element twice");
  if (count == 0) return GS_OK;
  GS_REQUIRE(condition && a && b && y, "where: operands must not be null");
  gs::Walk<4> walk;
  walk.dims = l->dims;
  for (int d = 0; d < l->dims; d++) {
    walk.size[d] = l->size[d];
    walk.stride[0][d] = l->stride_y[d], walk.stride[1][d] = l->stride_condition[d];
    walk.stride[2][d] = l->stride_a[d], walk.stride[3][d] = l->stride_b[d];
  }
  walk = gs::merged(walk);
  const auto launch = [&](auto zero) {
    constexpr size_t kBytes = sizeof zero;
    using T =
        std::conditional_t<kBytes == 8, uint64_t,
                           std::conditional_t<kBytes == 4, uint32_t,
                                              std::conditional_t<kBytes == 2, uint16_t, uint8_t>>>;
    return gs::run<T>(count, walk, condition, a, b, y, stream);
  };
  return gs::check(gs::with_type(type, launch), "where");
}
