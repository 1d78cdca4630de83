// The two platforms kernels are compiled for: CUDA on a GPU, and the emulator on a CPU.
//
// This folder is the only place with inline PTX. Each wrapper has one name and one meaning on both
// platforms; the emulator can't execute the PTX, so keep the wrappers few and small, and run the
// conformance tests on a GPU when one changes.
#pragma once
#include <cstdint>
#include <cstring>
#include <tuple>
#include <type_traits>

#ifdef __CUDACC__
#include <cuda.h>
#include <cuda_runtime.h>
#define KX_DEVICE __device__ __forceinline__
#define KX_BOTH __host__ __device__ __forceinline__
#define KX_LOC
#define KX_SHARED(name, ...) __shared__ __align__(128)::kx::shared_type<__VA_ARGS__> name
#else
#include "emulator/intrinsics.h"
#define KX_DEVICE inline
#define KX_BOTH inline
// The place of the call in the kernel, for the emulator's reports.
#define KX_LOC , const emu::Loc& loc = emu::Loc::current()
#define KX_SHARED(name, ...)                                  \
  static const char name##_key = 0;                           \
  auto& name = *static_cast<::kx::shared_type<__VA_ARGS__>*>( \
      emu::shared_static(&name##_key, #name, sizeof(::kx::shared_type<__VA_ARGS__>), 128))
#endif

// KX_SHARED(name, type): a shared array or variable of the block, as in KX_SHARED(tile,
// float[8][132]), instead of __shared__.

namespace kx {
template <class T>
struct type_identity {
  using type = T;
};
// An alias, which needs no `typename` where T depends on template parameters.
template <class T>
using shared_type = typename type_identity<T>::type;

#ifdef __CUDACC__
extern __shared__ __align__(1024) unsigned char dynamic_shared_raw[];
#endif

// The launch's dynamic shared memory, aligned to ALIGN <= 1024 bytes.
template <class T, int ALIGN = 16>
KX_DEVICE T* dynamic_shared() {
  static_assert(ALIGN <= 1024);
#ifdef __CUDACC__
  return reinterpret_cast<T*>(dynamic_shared_raw);
#else
  return static_cast<T*>(emu::shared_dynamic(ALIGN));
#endif
}

// Address within the block's shared memory, as PTX operands want it.
KX_DEVICE uint32_t shared_address(const void* p) {
#ifdef __CUDACC__
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
#else
  return emu::shared_address(p);
#endif
}
}  // namespace kx
