// Loads of boxes of a matrix by the tensor memory accelerator (sm_90), and the maps that describe
// the matrix.
#pragma once
#include "kx/mbarrier.h"
#include "kx/numeric.h"

namespace kx {
// How 16-byte chunks are exchanged within spans of 128, 64 or 32 bytes: the byte for address a lies
// at a ^ ((a >> 7 & span/16 - 1) << 4). Numbered as in the wgmma descriptor, not as
// CUtensorMapSwizzle.
enum class Swizzle : unsigned { kNone = 0, k128 = 1, k64 = 2, k32 = 3 };

constexpr int span_bytes(Swizzle s) {
  return s == Swizzle::k128 ? 128 : s == Swizzle::k64 ? 64 : s == Swizzle::k32 ? 32 : 16;
}

// A kernel takes it as const __grid_constant__.
#ifdef __CUDACC__
using tensor_map = CUtensorMap;
#else
struct alignas(64) tensor_map {
  emu::TensorMap map;
  char padding[128 - sizeof(emu::TensorMap)];
};
#endif

// Fetches the map, which the first copy by it then need not wait for.
KX_DEVICE void tma_prefetch([[maybe_unused]] const tensor_map* map) {
#ifdef __CUDACC__
  asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
#endif
}

// Starts copying the box whose first element is (row y, column x) of the map's first matrix, or of
// its matrix z, to dst; one thread. The bytes of the whole box arrive at bar; elements outside of
// the matrices are zeros. dst is a multiple of 128 bytes, of 8 spans when swizzled. x is a multiple
// of 16 bytes, also below 0: an H100 takes any other for an illegal instruction.
KX_DEVICE void tma_load_2d(void* dst, const tensor_map* map, int x, int y, uint64_t* bar KX_LOC) {
#ifdef __CUDACC__
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%3, %4}], [%2];" ::"r"(shared_address(dst)),
      "l"(map), "r"(shared_address(bar)), "r"(x), "r"(y)
      : "memory");
#else
  emu::tma_load(dst, map, x, y, 0, bar, loc);
#endif
}
KX_DEVICE void tma_load_3d(void* dst, const tensor_map* map, int x, int y, int z,
                           uint64_t* bar KX_LOC) {
#ifdef __CUDACC__
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%3, %4, %5}], [%2];" ::"r"(shared_address(dst)),
      "l"(map), "r"(shared_address(bar)), "r"(x), "r"(y), "r"(z)
      : "memory");
#else
  emu::tma_load(dst, map, x, y, z, bar, loc);
#endif
}

// `count` row-major matrices of 16-bit elements, `slice` elements apart, whose rows are pitch
// elements apart.
struct matrices {
  const void* base;
  int64_t rows, cols, pitch, count, slice;
};

// Describes the matrices and boxes of them, for tma_load_2d with dimensions = 2, else for
// tma_load_3d. The driver's rules: base, pitch and slice multiples of 16 bytes, box width too, box
// sides 1..256, box width at most the swizzle's span. Returns a cudaError_t or CUresult.
inline int make_tensor_map(tensor_map* map, const matrices& m, int box_rows, int box_cols,
                           Swizzle swizzle, int dimensions) {
#ifdef __CUDACC__
  // The entry point, so that the library needs no libcuda to be loaded.
  static const auto encode = [] {
    void* entry = nullptr;
    cudaDriverEntryPointQueryResult found;
    const cudaError_t error = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &entry,
                                                               12000, cudaEnableDefault, &found);
    return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(error == cudaSuccess ? entry
                                                                                    : nullptr);
  }();
  if (encode == nullptr) return cudaErrorNotSupported;
  const cuuint64_t dims[3] = {static_cast<cuuint64_t>(m.cols), static_cast<cuuint64_t>(m.rows),
                              static_cast<cuuint64_t>(m.count)};
  const cuuint64_t strides[2] = {static_cast<cuuint64_t>(m.pitch) * 2,
                                 static_cast<cuuint64_t>(m.slice) * 2};
  const cuuint32_t box[3] = {static_cast<cuuint32_t>(box_cols), static_cast<cuuint32_t>(box_rows),
                             1};
  const cuuint32_t element_strides[3] = {1, 1, 1};
  const CUtensorMapSwizzle swizzles[4] = {CU_TENSOR_MAP_SWIZZLE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                                          CU_TENSOR_MAP_SWIZZLE_64B, CU_TENSOR_MAP_SWIZZLE_32B};
  return encode(map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, static_cast<cuuint32_t>(dimensions),
                const_cast<void*>(m.base), dims, strides, box, element_strides,
                CU_TENSOR_MAP_INTERLEAVE_NONE, swizzles[static_cast<unsigned>(swizzle)],
                CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
#else
  const int span = swizzle == Swizzle::kNone ? 0 : span_bytes(swizzle);
  if (m.rows < 1 || m.cols < 1 || m.count < 1 || m.pitch < m.cols || m.pitch % 8 != 0 ||
      (dimensions == 3 && (m.slice < 1 || m.slice % 8 != 0)) ||
      reinterpret_cast<uintptr_t>(m.base) % 16 != 0 || box_cols < 1 || box_rows < 1 ||
      box_cols > 256 || box_rows > 256 || box_cols % 8 != 0 || (span != 0 && box_cols * 2 > span)) {
    return 1;  // CUDA_ERROR_INVALID_VALUE
  }
  // Narrower swizzled boxes are legal on a GPU, but their row pitch is not modelled.
  if (span != 0 && box_cols * 2 != span) return cudaErrorNotSupported;
  map->map = {
      m.base,   m.cols,   m.rows, dimensions == 3 ? m.count : 1, m.pitch * 2,         m.slice * 2,
      box_cols, box_rows, 2,      static_cast<int>(swizzle),     emu::kTensorMapMagic};
  return 0;
#endif
}

// One matrix, for tma_load_2d; pitch 0: cols.
inline int make_tensor_map_bf16(tensor_map* map, const void* base, int rows, int cols, int box_rows,
                                int box_cols, Swizzle swizzle = Swizzle::k128, int pitch = 0) {
  return make_tensor_map(map, {base, rows, cols, pitch == 0 ? cols : pitch, 1, 0}, box_rows,
                         box_cols, swizzle, 2);
}
}  // namespace kx
