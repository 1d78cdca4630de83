// Fills, and copies between any strides and types.
//
// | kernel | for |
// |---|---|
// | fill_contiguous_kernel<T> | elements without gaps, in 16-byte vectors |
// | fill_strided_kernel<T> | any strides |
// | copy_strided_kernel<T> | any strides, no change of type; T as wide as strides and addresses
// allow, up to 16 bytes |
// | copy_transposed_kernel<T> | x and y have different innermost dimensions: tiles of 32 x 32
// through shared memory, both sides coalesced | | cast_contiguous_kernel<FROM> | a change of type
// without gaps, the wider side in 16-byte vectors
// |
// | cast_strided_kernel<FROM> | a change of type, any strides |
//
// A copy without gaps and without change of type is cudaMemcpyAsync.
#include "casts.h"
#include "strides.h"

namespace gs {
namespace {
constexpr int kTile = 32, kTileThreads = 256;
constexpr int kTileBlocks = 2048;  // enough to fill any device; more tiles are done in turn
using Wide16 = uint4;

// y is operand 0, x operand 1.
using CopyWalk = Walk<2>;

template <class T>
__global__ __launch_bounds__(kElementThreads) void fill_contiguous_kernel(int64_t count,
                                                                          int64_t packs, T value,
                                                                          T* y) {
  constexpr int V = Pack<T>::kSize;
  const int64_t first = (int64_t)blockIdx.x * kElementThreads + threadIdx.x;
  const int64_t stride = (int64_t)gridDim.x * kElementThreads;
  Pack<T> p;
#pragma unroll
  for (int j = 0; j < V; j++) p.v[j] = value;
  for (int64_t i = first; i < packs; i += stride) reinterpret_cast<Pack<T>*>(y)[i] = p;
  for (int64_t i = packs * V + first; i < count; i += stride) y[i] = value;
}

template <class T>
__global__ __launch_bounds__(kElementThreads) void fill_strided_kernel(
    int64_t count, const __grid_constant__ Walk<1> w, T value, T* y) {
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i, at = 0;
    for (int d = w.dims - 1; d >= 0; d--) at += take_digit(rest, w.size[d]) * w.stride[0][d];
    y[at] = value;
  }
}

template <class T>
__global__ __launch_bounds__(kElementThreads) void copy_strided_kernel(
    int64_t count, const __grid_constant__ CopyWalk w, const T* x, T* y) {
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i, at_x = 0, at_y = 0;
    for (int d = w.dims - 1; d >= 0; d--) {
      const int64_t index = take_digit(rest, w.size[d]);
      at_y += index * w.stride[0][d];
      at_x += index * w.stride[1][d];
    }
    y[at_y] = x[at_x];
  }
}

// The last dimension is y's innermost, the one before it x's innermost.
template <class T>
__global__ __launch_bounds__(kTileThreads) void copy_transposed_kernel(
    int64_t tiles, const __grid_constant__ CopyWalk w, const T* x, T* y) {
  KX_SHARED(tile, T[kTile][kTile + 1]);  // padded: columns are read without bank conflicts
  const int row = w.dims - 2, col = w.dims - 1;
  const int64_t tile_rows = (w.size[row] + kTile - 1) / kTile;
  const int64_t tile_cols = (w.size[col] + kTile - 1) / kTile;
  const int lane = threadIdx.x % kTile, line = threadIdx.x / kTile;
  for (int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    int64_t rest = t;
    const int64_t col0 = take_digit(rest, tile_cols) * kTile;
    const int64_t row0 = take_digit(rest, tile_rows) * kTile;
    int64_t at_x = 0, at_y = 0;
    for (int d = row - 1; d >= 0; d--) {
      const int64_t index = take_digit(rest, w.size[d]);
      at_y += index * w.stride[0][d];
      at_x += index * w.stride[1][d];
    }
    for (int i = line; i < kTile; i += kTileThreads / kTile) {
      const int64_t r = row0 + lane, c = col0 + i;
      if (r < w.size[row] && c < w.size[col]) {
        tile[i][lane] = x[at_x + r * w.stride[1][row] + c * w.stride[1][col]];
      }
    }
    __syncthreads();  // the tile is complete
    for (int i = line; i < kTile; i += kTileThreads / kTile) {
      const int64_t r = row0 + i, c = col0 + lane;
      if (r < w.size[row] && c < w.size[col]) {
        y[at_y + r * w.stride[0][row] + c * w.stride[0][col]] = tile[lane][i];
      }
    }
    __syncthreads();  // before the next tile is stored
  }
}

template <int FROM>
__global__ __launch_bounds__(kElementThreads) void cast_contiguous_kernel(int to, int64_t count,
                                                                          bool vectors,
                                                                          const void* x, void* y) {
  const int64_t first = (int64_t)blockIdx.x * kElementThreads + threadIdx.x;
  const int64_t stride = (int64_t)gridDim.x * kElementThreads;
  with_constant<GS_F32, GS_U8>(to, [&](auto target) {
    constexpr int TO = target.value,
                  kLarger = bytes_of(FROM) > bytes_of(TO) ? bytes_of(FROM) : bytes_of(TO),
                  V = 16 / kLarger;
    struct alignas(V * bytes_of(FROM)) From {
      Storage<FROM> v[V];
    };
    struct alignas(V * bytes_of(TO)) To {
      Storage<TO> v[V];
    };
    const int64_t packs = vectors ? count / V : 0;
    for (int64_t i = first; i < packs; i += stride) {
      const From p = static_cast<const From*>(x)[i];
      To q;
#pragma unroll
      for (int j = 0; j < V; j++) q.v[j] = narrow<TO>(widen<FROM>(p.v[j]));
      static_cast<To*>(y)[i] = q;
    }
    for (int64_t i = packs * V + first; i < count; i += stride) {
      static_cast<Storage<TO>*>(y)[i] =
          narrow<TO>(widen<FROM>(static_cast<const Storage<FROM>*>(x)[i]));
    }
  });
}

template <int FROM>
__global__ __launch_bounds__(kElementThreads) void cast_strided_kernel(
    int to, int64_t count, const __grid_constant__ CopyWalk w, const void* x, void* y) {
  for (int64_t i = (int64_t)blockIdx.x * kElementThreads + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * kElementThreads) {
    int64_t rest = i, at_x = 0, at_y = 0;
    for (int d = w.dims - 1; d >= 0; d--) {
      const int64_t index = take_digit(rest, w.size[d]);
      at_y += index * w.stride[0][d];
      at_x += index * w.stride[1][d];
    }
    const Wide<FROM> v = widen<FROM>(static_cast<const Storage<FROM>*>(x)[at_x]);
    with_constant<GS_F32, GS_U8>(
        to, [&](auto t) { static_cast<Storage<t.value>*>(y)[at_y] = narrow<t.value>(v); });
  }
}

// ---- launchers ----
template <int OPERANDS>
bool contiguous(const Walk<OPERANDS>& w) {
  if (w.dims == 0) return true;
  for (int p = 0; p < OPERANDS; p++) {
    if (w.dims > 1 || w.stride[p][0] != 1) return false;
  }
  return true;
}

// Doubles the element as long as the innermost dimension and everything else allow; returns its
// bytes.
template <int OPERANDS>
int widest(Walk<OPERANDS>& w, int bytes, uintptr_t addresses) {
  const int last = w.dims - 1;
  for (int p = 0; p < OPERANDS; p++) {
    if (last < 0 || w.stride[p][last] != 1) return bytes;
  }
  while (bytes < 16 && addresses % (2 * bytes) == 0 && w.size[last] % 2 == 0) {
    for (int p = 0; p < OPERANDS; p++) {
      for (int d = 0; d < last; d++) {
        if (w.stride[p][d] % 2 != 0) return bytes;
      }
    }
    bytes *= 2;
    w.size[last] /= 2;
    for (int p = 0; p < OPERANDS; p++) {
      for (int d = 0; d < last; d++) w.stride[p][d] /= 2;
    }
  }
  return bytes;
}

// The dimension along which x is contiguous while y is not, to be moved next to the last; -1: none.
int transposed_with(const CopyWalk& w) {
  const int last = w.dims - 1;
  if (last < 1 || w.stride[0][last] != 1 || w.stride[1][last] == 1 || w.size[last] < 8) return -1;
  for (int d = 0; d < last; d++) {
    if (w.stride[1][d] == 1 && w.size[d] >= 8) return d;
  }
  return -1;
}

template <class T>
cudaError_t copy_elements(CopyWalk w, const void* x, void* y, gs_stream stream) {
  const T* px = static_cast<const T*>(x);
  T* py = static_cast<T*>(y);
  const int d = transposed_with(w), row = w.dims - 2;
  if (d >= 0) {
    for (int i = d; i < row; i++) {
      std::swap(w.size[i], w.size[i + 1]);
      std::swap(w.stride[0][i], w.stride[0][i + 1]);
      std::swap(w.stride[1][i], w.stride[1][i + 1]);
    }
    int64_t tiles = (w.size[row] + kTile - 1) / kTile * ((w.size[row + 1] + kTile - 1) / kTile);
    for (int i = 0; i < row; i++) tiles *= w.size[i];
    const kx::launch_config config{dim3((unsigned)std::min(tiles, (int64_t)kTileBlocks)),
                                   dim3(kTileThreads), 0, stream_of(stream)};
    return KX_LAUNCH(copy_transposed_kernel<T>, config, tiles, w, px, py);
  }
  const int64_t count = count_of(w);
  return KX_LAUNCH(copy_strided_kernel<T>, element_config(count, stream), count, w, px, py);
}

cudaError_t copy(int32_t from, int32_t to, const CopyWalk& walk, const void* x, void* y,
                 gs_stream stream) {
  CopyWalk w = merged(walk);
  const int64_t count = count_of(w);
  if (from == to) {
    if (contiguous(w)) {
      if (x == y) return cudaSuccess;
      return cudaMemcpyAsync(y, x, (size_t)(count * bytes_of(to)), cudaMemcpyDeviceToDevice,
                             stream_of(stream));
    }
    const auto addresses = reinterpret_cast<uintptr_t>(x) | reinterpret_cast<uintptr_t>(y);
    switch (widest(w, bytes_of(to), addresses)) {
      case 1:
        return copy_elements<uint8_t>(w, x, y, stream);
      case 2:
        return copy_elements<uint16_t>(w, x, y, stream);
      case 4:
        return copy_elements<uint32_t>(w, x, y, stream);
      case 8:
        return copy_elements<uint64_t>(w, x, y, stream);
      default: {
        const int64_t packs = count_of(w);
        return KX_LAUNCH(copy_strided_kernel<Wide16>, element_config(packs, stream), packs, w,
                         static_cast<const Wide16*>(x), static_cast<Wide16*>(y));
      }
    }
  }
  cudaError_t error = cudaSuccess;
  const auto cast = [&](auto source) {
    constexpr int FROM = source.value;
    if (contiguous(w)) {
      const int64_t threads = count * std::max(bytes_of(from), bytes_of(to)) / 16 + 16;
      error = KX_LAUNCH(cast_contiguous_kernel<FROM>, element_config(threads, stream), to, count,
                        aligned16({x, y}), x, y);
    } else {
      error =
          KX_LAUNCH(cast_strided_kernel<FROM>, element_config(count, stream), to, count, w, x, y);
    }
  };
  with_type_code(from, cast);
  return error;
}

template <class T>
cudaError_t fill_elements(Walk<1> w, uint64_t bits, void* y, gs_stream stream) {
  T value;
  memcpy(&value, &bits, sizeof value);
  const int64_t count = count_of(w);
  if (contiguous(w)) {
    const int64_t packs = aligned16({y}) ? count / Pack<T>::kSize : 0;
    return KX_LAUNCH(fill_contiguous_kernel<T>,
                     element_config(std::max(packs, count - packs * Pack<T>::kSize), stream), count,
                     packs, value, static_cast<T*>(y));
  }
  return KX_LAUNCH(fill_strided_kernel<T>, element_config(count, stream), count, w, value,
                   static_cast<T*>(y));
}

template <class W>
cudaError_t fill(int32_t type, const Walk<1>& walk, W value, void* y, gs_stream stream) {
  uint64_t bits = 0;
  with_type_code(type, [&](auto t) {
    const auto element = narrow<t.value>(value);
    memcpy(&bits, &element, sizeof element);
  });
  Walk<1> w = merged(walk);
  int bytes = bytes_of(type);
  const int wide =
      contiguous(w) ? bytes : std::min(8, widest(w, bytes, reinterpret_cast<uintptr_t>(y) | 8));
  for (; bytes < wide; bytes *= 2) bits |= bits << (8 * bytes);
  switch (wide) {
    case 1:
      return fill_elements<uint8_t>(w, bits, y, stream);
    case 2:
      return fill_elements<uint16_t>(w, bits, y, stream);
    case 4:
      return fill_elements<uint32_t>(w, bits, y, stream);
    default:
      return fill_elements<uint64_t>(w, bits, y, stream);
  }
}

// The checks that copies and fills share. count: -1 for a refused description.
gs_status check_target(const char* op, int32_t type, int32_t dims, const int64_t* size,
                       const int64_t* stride, int64_t* count) {
  GS_REQUIRE(type >= GS_F32 && type <= GS_U8, "%s: no such element type; type=%d", op, type);
  GS_REQUIRE(dims >= 0 && dims <= GS_MAX_DIMS,
             "%s: the layout must have 0 to 8 dimensions; dims=%d", op, dims);
  *count = count_of(dims, size);
  GS_REQUIRE(*count >= 0 && addressable_strides(dims, size, stride),
             "%s: sizes must not be negative and all elements of y addressable; dims=%d", op, dims);
  GS_REQUIRE(*count == 0 || !overlaps_itself(dims, size, stride),
             "%s: y must not name an element twice; dims=%d", op, dims);
  return GS_OK;
}

template <class W>
gs_status check_and_fill(int32_t type, const gs_layout* layout, W value, void* y,
                         gs_stream stream) {
  GS_REQUIRE(layout, "fill: the layout must not be null");
  int64_t count;
  if (const gs_status s =
          check_target("fill", type, layout->dims, layout->size, layout->stride, &count)) {
    return s;
  }
  if (count == 0) return GS_OK;
  GS_REQUIRE(y, "fill: y must not be null");
  Walk<1> w;
  w.dims = layout->dims;
  std::copy_n(layout->size, w.dims, w.size);
  std::copy_n(layout->stride, w.dims, w.stride[0]);
  return check(fill(type, w, value, y, stream), "fill");
}
}  // namespace
}  // namespace gs

extern "C" gs_status gs_fill_f64(int32_t type, const gs_layout* layout, double value, void* y,
                                 gs_stream stream) {
  return gs::check_and_fill(type, layout, value, y, stream);
}
extern "C" gs_status gs_fill_i64(int32_t type, const gs_layout* layout, int64_t value, void* y,
                                 gs_stream stream) {
  return gs::check_and_fill(type, layout, value, y, stream);
}

extern "C" gs_status gs_copy(int32_t from, int32_t to, const gs_copy_layout* layout, const void* x,
                             void* y, gs_stream stream) {
  GS_REQUIRE(layout, "copy: the layout must not be null");
  GS_REQUIRE(from >= GS_F32 && from <= GS_U8, "copy: no such element type; from=%d", from);
  int64_t count;
  if (const gs_status s =
          gs::check_target("copy", to, layout->dims, layout->size, layout->stride_y, &count)) {
    return s;
  }
  GS_REQUIRE(gs::addressable_strides(layout->dims, layout->size, layout->stride_x),
             "copy: all elements of x must be addressable; dims=%d", layout->dims);
  if (count == 0) return GS_OK;
  GS_REQUIRE(x && y, "copy: operands must not be null");
  gs::CopyWalk w;
  w.dims = layout->dims;
  std::copy_n(layout->size, w.dims, w.size);
  std::copy_n(layout->stride_y, w.dims, w.stride[0]);
  std::copy_n(layout->stride_x, w.dims, w.stride[1]);
  return gs::check(gs::copy(from, to, w, x, y, stream), "copy");
}
