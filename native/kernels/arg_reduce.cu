// Places of the largest or smallest elements along one dimension.
//
// | kernel | for |
// |---|---|
// | arg_rows_kernel<T, GROUP> | elements of a line side by side: a warp or a block a line |
// | arg_cols_kernel<T> | lines side by side: a warp has 32 of them, 8 warps share the depth |
// | arg_total_kernel<T> | the best of the parts of lines that were split |
//
// Key and place together are never equal, so the result does not depend on the order of work.
#include "order.h"
#include "reduce.h"

namespace gs {
namespace {
struct ArgArguments {
  Lines lines;
  int64_t chunk;
  int splits;
  bool min, last;
  bool vectors, finished;  // 16-byte loads; the results go to y
};

// The best so far: a larger key is better. No place yet: -1.
template <class T>
struct Best {
  OrderKey<T> key;
  int64_t place;

  KX_DEVICE static Best none() { return {0, -1}; }
  // Elements come in ascending order of places.
  KX_DEVICE void add(const ArgArguments& p, T element, int64_t at) {
    OrderKey<T> k = order_key(element);
    if (p.min && (std::is_integral_v<T> || k != kLargestKey<T>)) k = kLargestKey<T> - k;
    if (place < 0 || k > key || (k == key && p.last)) key = k, place = at;
  }
  KX_DEVICE void combine(const ArgArguments& p, const Best& o) {
    if (o.place < 0) return;
    if (place < 0 || o.key > key || (o.key == key && (o.place > place) == p.last)) *this = o;
  }
};

template <class T>
KX_DEVICE void store(const ArgArguments& p, int64_t line, int64_t split, const Best<T>& b,
                     Best<T>* partial, int64_t* y) {
  if (p.finished) {
    y[line] = b.place;
  } else {
    partial[split * p.lines.count + line] = b;
  }
}

// Grid: lines, splits.
template <class T, int GROUP>
__global__ __launch_bounds__(kGroupThreads) void arg_rows_kernel(
    const __grid_constant__ ArgArguments p, const T* x, Best<T>* partial, int64_t* y) {
  KX_SHARED(scratch, Best<T>[kGroupThreads / 32]);
  const int lane = threadIdx.x % GROUP;
  const int64_t begin = blockIdx.y * p.chunk, end = min(begin + p.chunk, p.lines.size);
  for (int64_t l = (int64_t)blockIdx.x * (kGroupThreads / GROUP) + threadIdx.x / GROUP;
       l < p.lines.count; l += (int64_t)gridDim.x * (kGroupThreads / GROUP)) {
    const T* line = x + place(p.lines.walk, l);
    Best<T> b = Best<T>::none();
    int64_t i = begin;
    if (p.vectors) {
      constexpr int V = Pack<T>::kSize;
      const int64_t packs = (end - begin) / V;
      for (int64_t k = lane; k < packs; k += GROUP) {
        const Pack<T> e = *reinterpret_cast<const Pack<T>*>(line + begin + k * V);
#pragma unroll
        for (int v = 0; v < V; v++) b.add(p, e.v[v], begin + k * V + v);
      }
      i += packs * V;
    }
    for (i += lane; i < end; i += GROUP) b.add(p, line[i * p.lines.step], i);
#pragma unroll
    for (int distance = 16; distance > 0; distance >>= 1) {
      Best<T> other;
      other.key = __shfl_xor_sync(0xffffffffu, b.key, distance);
      other.place = __shfl_xor_sync(0xffffffffu, b.place, distance);
      b.combine(p, other);
    }
    if constexpr (GROUP > 32) {
      __syncthreads();  // the last line's reads of scratch
      if (lane % 32 == 0) scratch[lane / 32] = b;
      __syncthreads();  // the warps' best are complete
      for (int w = 0; w < GROUP / 32; w++) b.combine(p, scratch[w]);
    }
    if (lane == 0) store(p, l, blockIdx.y, b, partial, y);
  }
}

template <class T>
__global__ __launch_bounds__(kGroupThreads) void arg_cols_kernel(
    const __grid_constant__ ArgArguments p, const T* x, Best<T>* partial, int64_t* y) {
  constexpr int kParts = kGroupThreads / 32;
  KX_SHARED(parts, Best<T>[kParts][32]);
  const int lane = threadIdx.x % 32, part = threadIdx.x / 32;
  const int64_t begin = blockIdx.y * p.chunk, end = min(begin + p.chunk, p.lines.size);
  for (int64_t first = (int64_t)blockIdx.x * 32; first < p.lines.count;
       first += (int64_t)gridDim.x * 32) {
    const int64_t l = first + lane;
    Best<T> b = Best<T>::none();
    if (l < p.lines.count) {
      const T* line = x + place(p.lines.walk, l);
      for (int64_t i = begin + part; i < end; i += kParts) b.add(p, line[i * p.lines.step], i);
    }
    parts[part][lane] = b;
    __syncthreads();  // the parts are complete
    if (part == 0 && l < p.lines.count) {
      for (int o = 1; o < kParts; o++) b.combine(p, parts[o][lane]);
      store(p, l, blockIdx.y, b, partial, y);
    }
    __syncthreads();  // before the next lines' parts
  }
}

template <class T>
__global__ __launch_bounds__(kElementThreads) void arg_total_kernel(
    const __grid_constant__ ArgArguments p, const Best<T>* partial, int64_t* y) {
  for (int64_t l = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; l < p.lines.count;
       l += (int64_t)gridDim.x * kElementThreads) {
    Best<T> b = partial[l];
    for (int i = 1; i < p.splits; i++) b.combine(p, partial[i * p.lines.count + l]);
    y[l] = b.place;
  }
}

// ---- launchers ----
bool by_columns(const Lines& l) {
  return l.walk.dims > 0 && std::llabs(l.walk.stride[0][l.walk.dims - 1]) < std::llabs(l.step);
}

gs_status describe(const gs_arg_reduce* op, ArgArguments* p) {
  GS_REQUIRE(op, "arg_reduce: the description must not be null");
  GS_REQUIRE(op->kind == GS_ARG_MAX || op->kind == GS_ARG_MIN, "arg_reduce: no such kind; kind=%d",
             op->kind);
  if (const gs_status s = check_ordered("arg_reduce", op->type, op->axis, op->x)) return s;
  GS_REQUIRE(op->x.size[op->axis] > 0, "arg_reduce: the axis must not be empty; axis=%d", op->axis);
  *p = {};
  p->lines = lines_of(op->x, op->axis);
  p->min = op->kind == GS_ARG_MIN, p->last = op->last != 0;
  const int64_t lines = std::max(p->lines.count, (int64_t)1), size = p->lines.size;
  const int64_t wanted = by_columns(p->lines) ? std::min(1024 * 32 / lines, size / 256)
                                              : std::min(1024 / lines, size / 8192);
  p->splits = (int)std::clamp(wanted, (int64_t)1, (int64_t)1024);
  p->chunk = ((size + p->splits - 1) / p->splits + 15) / 16 * 16;
  return GS_OK;
}

template <class T>
cudaError_t run(ArgArguments p, const void* x, int64_t* y, void* workspace, gs_stream stream) {
  const T* px = static_cast<const T*>(x);
  auto* partial = static_cast<Best<T>*>(workspace);
  p.finished = p.splits == 1;
  p.vectors = p.lines.step == 1 && aligned16({x});
  for (int d = 0; d < p.lines.walk.dims; d++) {
    p.vectors &= p.lines.walk.stride[0][d] % Pack<T>::kSize == 0;
  }
  const bool cols = by_columns(p.lines), block = p.lines.size > 1024;
  const int64_t each = cols ? 32 : block ? 1 : kGroupThreads / 32;
  const kx::launch_config config{
      dim3((unsigned)std::min((p.lines.count + each - 1) / each, (int64_t)2048),
           (unsigned)p.splits),
      dim3(kGroupThreads), 0, stream_of(stream)};
  const cudaError_t error =
      cols    ? KX_LAUNCH(arg_cols_kernel<T>, config, p, px, partial, y)
      : block ? kx::launch("arg_rows_kernel", arg_rows_kernel<T, kGroupThreads>, config, p, px,
                           partial, y)
              : kx::launch("arg_rows_kernel", arg_rows_kernel<T, 32>, config, p, px, partial, y);
  if (error != cudaSuccess || p.finished) return error;
  return KX_LAUNCH(arg_total_kernel<T>, element_config(p.lines.count, stream), p,
                   static_cast<const Best<T>*>(partial), y);
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_arg_reduce_workspace(const gs_arg_reduce* op, int64_t* bytes) {
  gs::ArgArguments p;
  if (const gs_status s = gs::describe(op, &p)) return s;
  GS_REQUIRE(bytes, "arg_reduce: bytes must not be null");
  *bytes = p.splits > 1 ? p.splits * p.lines.count * (int64_t)sizeof(gs::Best<double>) : 0;
  return GS_OK;
}

extern "C" gs_status gs_arg_reduce_run(const gs_arg_reduce* op, const void* x, int64_t* y,
                                       void* workspace, gs_stream stream) {
  gs::ArgArguments p;
  if (const gs_status s = gs::describe(op, &p)) return s;
  if (p.lines.count == 0) return GS_OK;
  GS_REQUIRE(x && y && (workspace || p.splits == 1),
             "arg_reduce: operands and workspace must not be null");
  const auto launch = [&](auto zero) {
    return gs::run<decltype(zero)>(p, x, y, workspace, stream);
  };
  return gs::check(gs::with_ordered_type(op->type, launch), "arg_reduce");
}
