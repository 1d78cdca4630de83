// Entries of one dimension picked by index.
//
// | kernel | for |
// |---|---|
// | gather_check_kernel | the first index that is out of range; nothing is written if there is one
// | | gather_rows_kernel<T> | long rows: a warp for 1024 elements of a row | |
// gather_short_kernel<T> | short rows: a thread an element | | gather_elements_kernel<T> | an index
// for each element |
//
// T is as wide as rows and addresses allow, up to 16 bytes.
#include "casts.h"
#include "indices.h"

namespace gs {
namespace {
constexpr int kRowPart = 1024, kUnroll = 4;
constexpr int kLongRow = 32;  // elements from which on a warp takes a row
using Wide16 = uint4;

__global__ __launch_bounds__(kElementThreads) void gather_check_kernel(Indices indices,
                                                                       int64_t count,
                                                                       BadIndex* bad) {
  for (int64_t k = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; k < count;
       k += (int64_t)gridDim.x * kElementThreads) {
    if (!indices.is_good(indices.raw(k))) {
      atomicMin(bad, (BadIndex)k);
      return;  // this thread's later ones are not the first
    }
  }
}

template <class T>
__global__ __launch_bounds__(kElementThreads) void gather_rows_kernel(Indices indices, int64_t rows,
                                                                      int64_t count, int64_t inner,
                                                                      const BadIndex* bad,
                                                                      const T* x, T* y) {
  if (*bad != kNoBadIndex) return;
  constexpr int kWarps = kElementThreads / 32;
  const int lane = threadIdx.x % 32;
  const int64_t parts = (inner + kRowPart - 1) / kRowPart;
  for (int64_t w = (int64_t)blockIdx.x * kWarps + threadIdx.x / 32; w < rows * parts;
       w += (int64_t)gridDim.x * kWarps) {
    int64_t rest = w;
    const int64_t begin = take_digit(rest, parts) * kRowPart, row = rest;
    const int64_t k = take_digit(rest, count);
    const T* from = x + (rest * indices.size + indices.at(k)) * inner;
    T* to = y + row * inner;
    const int64_t end = min(begin + kRowPart, inner);
    int64_t i = begin + lane;
    for (; i + (kUnroll - 1) * 32 < end; i += kUnroll * 32) {
      T v[kUnroll];
#pragma unroll
      for (int j = 0; j < kUnroll; j++) v[j] = from[i + j * 32];
#pragma unroll
      for (int j = 0; j < kUnroll; j++) to[i + j * 32] = v[j];
    }
    for (; i < end; i += 32) to[i] = from[i];
  }
}

template <class T>
__global__ __launch_bounds__(kElementThreads) void gather_short_kernel(Indices indices,
                                                                       int64_t rows, int64_t count,
                                                                       int64_t inner,
                                                                       const BadIndex* bad,
                                                                       const T* x, T* y) {
  if (*bad != kNoBadIndex) return;
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < rows * inner;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i;
    const int64_t column = take_digit(rest, inner), k = take_digit(rest, count);
    y[i] = x[(rest * indices.size + indices.at(k)) * inner + column];
  }
}

template <class T>
__global__ __launch_bounds__(kElementThreads) void gather_elements_kernel(
    Indices indices, const __grid_constant__ Walk<2> walk, int64_t count, int64_t step,
    const BadIndex* bad, const T* x, T* y) {
  if (*bad != kNoBadIndex) return;
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    y[i] = x[place(walk, i, 1) + indices.at(i) * step];
  }
}

// ---- launchers ----
template <class T>
cudaError_t gather_rows(const Indices& indices, int64_t rows, int64_t count, int64_t inner,
                        const BadIndex* bad, const void* x, void* y, gs_stream stream) {
  const T* px = static_cast<const T*>(x);
  T* py = static_cast<T*>(y);
  if (inner >= kLongRow) {
    const int64_t warps = rows * ((inner + kRowPart - 1) / kRowPart);
    return KX_LAUNCH(gather_rows_kernel<T>, element_config(warps * 32, stream), indices, rows,
                     count, inner, bad, px, py);
  }
  return KX_LAUNCH(gather_short_kernel<T>, element_config(rows * inner, stream), indices, rows,
                   count, inner, bad, px, py);
}

cudaError_t gather(const gs_gather& op, const void* x, const void* index, void* y, void* workspace,
                   gs_stream stream) {
  const Indices indices = indices_of(index, op.size, op.index_type, op.from_end);
  const cudaError_t error = check_indices(indices, op.count, workspace, stream);
  const int64_t rows = op.outer * op.count;
  int64_t bytes = op.inner * bytes_of(op.type);
  if (error != cudaSuccess || rows == 0 || bytes == 0) return error;
  const auto lowest =
      reinterpret_cast<uintptr_t>(x) | reinterpret_cast<uintptr_t>(y) | (uintptr_t)bytes | 16;
  const auto* bad = static_cast<const BadIndex*>(workspace);
  switch (lowest & -lowest) {
    case 1:
      return gather_rows<uint8_t>(indices, rows, op.count, bytes, bad, x, y, stream);
    case 2:
      return gather_rows<uint16_t>(indices, rows, op.count, bytes / 2, bad, x, y, stream);
    case 4:
      return gather_rows<uint32_t>(indices, rows, op.count, bytes / 4, bad, x, y, stream);
    case 8:
      return gather_rows<uint64_t>(indices, rows, op.count, bytes / 8, bad, x, y, stream);
    default:
      return gather_rows<Wide16>(indices, rows, op.count, bytes / 16, bad, x, y, stream);
  }
}

gs_status check_types(const char* op, int32_t type, int32_t index_type) {
  GS_REQUIRE(type >= GS_F32 && type <= GS_U8, "%s: no such element type; type=%d", op, type);
  GS_REQUIRE(index_type == GS_I32 || index_type == GS_I64,
             "%s: index_type must be i32 or i64; index_type=%d", op, index_type);
  return GS_OK;
}
}  // namespace

cudaError_t check_indices(const Indices& indices, int64_t count, void* workspace,
                          gs_stream stream) {
  const cudaError_t error = clear_bad_index(workspace, stream);
  if (error != cudaSuccess || count == 0) return error;
  return KX_LAUNCH(gather_check_kernel, element_config(count, stream), indices, count,
                   static_cast<BadIndex*>(workspace));
}

gs_status check_gather(const gs_gather* op) {
  GS_REQUIRE(op, "gather: the description must not be null");
  const int64_t x[3] = {op->outer, op->size, op->inner}, y[3] = {op->outer, op->count, op->inner};
  GS_REQUIRE(count_of(3, x) >= 0 && count_of(3, y) >= 0 && op->count <= INT64_MAX / 16,
             "gather: sizes must not be negative, x and y addressable; outer=%lld, size=%lld, "
             "inner=%lld, count=%lld",
             (long long)op->outer, (long long)op->size, (long long)op->inner, (long long)op->count);
  return check_types("gather", op->type, op->index_type);
}

gs_status describe_gather_elements(const gs_gather_elements* op, ElementwiseIndices* e) {
  GS_REQUIRE(op, "gather_elements: the description must not be null");
  if (const gs_status s = check_types("gather_elements", op->type, op->index_type)) return s;
  GS_REQUIRE(op->dims >= 1 && op->dims <= GS_MAX_DIMS,
             "gather_elements: x must have 1 to 8 dimensions; dims=%d", op->dims);
  GS_REQUIRE(op->axis >= 0 && op->axis < op->dims,
             "gather_elements: axis must name a dimension; axis=%d, dims=%d", op->axis, op->dims);
  *e = {};
  e->x_count = count_of(op->dims, op->size_x), e->count = count_of(op->dims, op->size_index);
  GS_REQUIRE(e->x_count >= 0 && e->count >= 0,
             "gather_elements: sizes must not be negative, x and indices addressable; dims=%d",
             op->dims);
  int64_t x_stride = 1, index_stride = 1;
  e->walk.dims = op->dims, e->line_count = 1;
  for (int d = op->dims - 1; d >= 0; d--) {
    const bool axis = d == op->axis;
    GS_REQUIRE(axis || op->size_index[d] <= op->size_x[d],
               "gather_elements: the indices must not be more than x but along the axis; "
               "dimension %d: %lld indices, x %lld",
               d, (long long)op->size_index[d], (long long)op->size_x[d]);
    e->walk.size[d] = op->size_index[d];
    e->walk.stride[0][d] = index_stride, e->walk.stride[1][d] = axis ? 0 : x_stride;
    if (axis) {
      e->length = op->size_index[d], e->step = x_stride, e->index_step = index_stride;
    } else {
      e->line_count *= op->size_index[d];
    }
    if (e->count > 0) x_stride *= op->size_x[d], index_stride *= op->size_index[d];
  }
  e->lines = e->walk;
  e->lines.size[op->axis] = 1;
  e->lines = merged(e->lines), e->walk = merged(e->walk);
  return GS_OK;
}
}  // namespace gs

extern "C" gs_status gs_gather_forward(const gs_gather* op, const void* x, const void* index,
                                       void* y, void* workspace, gs_stream stream) {
  if (const gs_status s = gs::check_gather(op)) return s;
  const bool results = op->outer > 0 && op->count > 0 && op->inner > 0;
  GS_REQUIRE(workspace && (index || op->count == 0) && (!results || (y && (x || op->size == 0))),
             "gather: operands and workspace must not be null");
  return gs::check(gs::gather(*op, x, index, y, workspace, stream), "gather_forward");
}

extern "C" gs_status gs_gather_elements_forward(const gs_gather_elements* op, const void* x,
                                                const void* index, void* y, void* workspace,
                                                gs_stream stream) {
  gs::ElementwiseIndices e;
  if (const gs_status s = gs::describe_gather_elements(op, &e)) return s;
  GS_REQUIRE(workspace && (e.count == 0 || (index && y && (x || e.x_count == 0))),
             "gather_elements: operands and workspace must not be null");
  const gs::Indices indices =
      gs::indices_of(index, op->size_x[op->axis], op->index_type, op->from_end);
  cudaError_t error = gs::check_indices(indices, e.count, workspace, stream);
  if (error != cudaSuccess || e.count == 0) return gs::check(error, "gather_elements_forward");
  const auto launch = [&](auto zero) {
    using T = decltype(zero);
    return KX_LAUNCH(gs::gather_elements_kernel<T>, gs::element_config(e.count, stream), indices,
                     e.walk, e.count, e.step, static_cast<const gs::BadIndex*>(workspace),
                     static_cast<const T*>(x), static_cast<T*>(y));
  };
  return gs::check(gs::with_width(gs::bytes_of(op->type), launch), "gather_elements_forward");
}
