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

// Starts copying the box whose first element is (row y, column x) to dst, one thread. The bytes of
// the whole box arrive at bar; elements outside the matrix are zeros. dst is a multiple of 128
// bytes, of 8 spans when swizzled.
KX_DEVICE void tma_load_2d(void* dst, const tensor_map* map, int x, int y, uint64_t* bar KX_LOC) {
#ifdef __CUDACC__
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%3, %4}], [%2];" ::"r"(shared_address(dst)),
      "l"(map), "r"(shared_address(bar)), "r"(x), "r"(y)
      : "memory");
#else
  emu::tma_load_2d(dst, map, x, y, bar, loc);
#endif
}

// Describes a row-major bf16 matrix whose rows are pitch elements apart (0: cols), and boxes of it.
// The driver's rules: base and pitch multiples of 16 bytes, box width too, box sides 1..256, box
// width at most the swizzle's span. Returns a cudaError_t or CUresult.
inline int make_tensor_map_bf16(tensor_map* map, const void* base, int rows, int cols, int box_rows,
                                int box_cols, Swizzle swizzle = Swizzle::k128, int pitch = 0) {
  if (pitch == 0) pitch = cols;
#ifdef __CUDACC__
  // The entry point, so that the library needs no libcuda to be loaded.
  void* entry = nullptr;
  cudaDriverEntryPointQueryResult found;
  const cudaError_t error = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &entry,
                                                             12000, cudaEnableDefault, &found);
  if (error != cudaSuccess) return error;
  if (entry == nullptr) return cudaErrorNotSupported;
  const cuuint64_t dims[2] = {static_cast<cuuint64_t>(cols), static_cast<cuuint64_t>(rows)};
  const cuuint64_t strides[1] = {static_cast<cuuint64_t>(pitch) * 2};
  const cuuint32_t box[2] = {static_cast<cuuint32_t>(box_cols), static_cast<cuuint32_t>(box_rows)};
  const cuuint32_t element_strides[2] = {1, 1};
  const CUtensorMapSwizzle swizzles[4] = {CU_TENSOR_MAP_SWIZZLE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                                          CU_TENSOR_MAP_SWIZZLE_64B, CU_TENSOR_MAP_SWIZZLE_32B};
  return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(entry)(
      map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, const_cast<void*>(base), dims, strides, box,
      element_strides, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzles[static_cast<unsigned>(swizzle)],
      CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
#else
  const int span = swizzle == Swizzle::kNone ? 0 : span_bytes(swizzle);
  if (rows < 1 || cols < 1 || pitch < cols || pitch % 8 != 0 ||
      reinterpret_cast<uintptr_t>(base) % 16 != 0 || box_cols < 1 || box_rows < 1 ||
      box_cols > 256 || box_rows > 256 || box_cols % 8 != 0 || (span != 0 && box_cols * 2 > span)) {
    return 1;  // CUDA_ERROR_INVALID_VALUE
  }
  // Narrower swizzled boxes are legal on a GPU, but their row pitch is not modelled.
  if (span != 0 && box_cols * 2 != span) return cudaErrorNotSupported;
  map->map = {base,
              cols,
              rows,
              static_cast<int64_t>(pitch) * 2,
              box_cols,
              box_rows,
              2,
              static_cast<int>(swizzle),
              emu::kTensorMapMagic};
  return 0;
#endif
}
}  // namespace kx
