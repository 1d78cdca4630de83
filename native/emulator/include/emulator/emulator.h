// What the device wrappers (kx) and the intrinsics call. Nothing else includes this file.
//
// Every function with a Loc takes the place of the call in the kernel: it identifies the call when
// lanes meet, and it is what a report names.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>

#include "cuda_runtime_api.h"

namespace emu {
using Loc = std::source_location;

// ---- warp-wide operations ----
enum class WarpOp {
  kSync,
  kShuffle,
  kShuffleUp,
  kShuffleDown,
  kShuffleXor,
  kBallot,
  kReduceAdd,
  kReduceMin,
  kReduceMax,
  kReduceOr,
  kReduceAnd,
  kReduceXor,
  kLdmatrix,
  kMmaBf16,
  kMmaF16,
  kMmaTf32,
};
// One lane's operands. param: source lane, predicate, signedness or transposition, by operation.
struct LaneArgs {
  const void* in;
  void* out;
  int param;
  int width;
  int size;
};
void collective(WarpOp op, unsigned mask, const LaneArgs& args, const Loc& loc);
unsigned active_mask();

// ---- block-wide ----
// threads 0: all of the block, which is __syncthreads.
void barrier(int id, int threads, bool arrive_only, const Loc& loc);
enum class Fence { kBlock, kDevice, kAsyncProxy, kMbarrierInit };
void fence(Fence scope);

// ---- memory ----
void* shared_static(const void* key, const char* name, size_t bytes, size_t align);
void* shared_dynamic(size_t align);
uint32_t shared_address(const void* p);
// To be called before an atomic operation on [p, p + bytes); pc is where the kernel calls it.
void atomic_touch(const void* p, unsigned bytes, void* pc);
void copy_async(void* dst, const void* src, int bytes, int valid, const Loc& loc);
void copy_async_commit();
void copy_async_wait(int groups);

// ---- Hopper ----
// swizzle as in the wgmma descriptor: 0 none, 1 = 128 bytes, 2 = 64, 3 = 32.
struct TensorMap {
  const void* base;
  int64_t width, height, depth, pitch,
      slice;  // elements, rows, matrices; bytes from one to the next
  int box_width, box_height, element_bytes, swizzle;
  uint32_t magic;
};
constexpr uint32_t kTensorMapMagic = 0x7a7a7a7a;
void mbarrier_init(void* bar, unsigned count, const Loc& loc);
void mbarrier_arrive(void* bar, unsigned bytes, const Loc& loc);
void mbarrier_wait(void* bar, unsigned parity, const Loc& loc);
void tma_load(void* dst, const void* map, int x, int y, int z, void* bar, const Loc& loc);
void wgmma(float* acc, int n, uint64_t a, uint64_t b, bool a_mn, bool b_mn, bool accumulate,
           bool f16, const Loc& loc);
void wgmma_fence();
void wgmma_commit();
void wgmma_wait(int groups, const Loc& loc);

// ---- launches and reports ----
struct Launch {
  dim3 grid, block, cluster;
  size_t dynamic_bytes = 0;
  bool cooperative = false;
  cudaStream_t stream = nullptr;
};
// Runs thunk(args) once for each thread. Errors: see last_report.
cudaError_t run_grid(const Launch& launch, const char* name, void (*thunk)(void*), void* args);
// The same in order of the launch's stream: while that records a graph, copy(args) is kept and runs
// with the graph.
using CopyArgs = std::shared_ptr<void> (*)(const void*);
cudaError_t enqueue(const Launch& launch, const char* name, void (*thunk)(void*), void* args,
                    CopyArgs copy);
// Ends the launch with this report. Only for code that runs in a kernel.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));
// What went wrong in this host thread's last failed launch; empty after a good one.
const char* last_report();
// Whether the kernels are instrumented: the checked build.
bool is_checked();
}  // namespace emu
