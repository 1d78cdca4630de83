// State of the emulator, shared by its source files. One launch runs at a time, under g_lock.
//
// Terms. Agent: whoever has a clock: a thread of the co-resident blocks, that thread's asynchronous
// copies (or its warpgroup's products), or the TMA loads of an mbarrier. Segment: one number for
// each group of co-resident blocks; a shadow cell from another segment is stale (shared memory) or
// another block's (global memory).
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "emulator/emulator.h"

// CUDA's built-in variables, of the running fiber.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

namespace emu {
// ---- configuration (environment variables; see README.md) ----
enum class Order { kMixed, kFifo, kLifo, kRandomThreads, kRandomWarps };
enum class Async { kEarly, kLate, kRandom };
struct Config {
  uint64_t seed = 1;
  Order order = Order::kMixed;
  Async async = Async::kRandom;
};
const Config& config();

extern std::recursive_mutex g_lock;
extern bool g_checking;  // set by the first instrumented file: the checked build

// ---- random numbers: the schedule is a function of the seed ----
extern uint64_t g_random_state;
inline uint64_t random_bits() {
  g_random_state ^= g_random_state << 13;
  g_random_state ^= g_random_state >> 7;
  g_random_state ^= g_random_state << 17;
  return g_random_state * 2685821657736338717ull >> 16;
}

// ---- device memory (memory.cpp) ----
// One reservation: windows of shared memory first, then global memory.
constexpr size_t kArenaBytes = size_t(8) << 30;
constexpr int kMaxBlocks = 16;  // co-resident
constexpr size_t kWindowBytes = 320 << 10;
constexpr size_t kSharedZone = kMaxBlocks * kWindowBytes;
constexpr size_t kDynamicOffset = 1024;  // of dynamic shared memory within its window
constexpr size_t kMaxShared = 227 << 10;
constexpr size_t kMaxStatic = 48 << 10;
constexpr size_t kPage = 4096;

// What is known of two bytes. In masks bit 0 is the first byte, bit 1 the second.
struct Cell {
  uint32_t write_segment, write_clock, read_segment, read0_clock, read1_clock;
  uint16_t write_agent, read0_agent, read1_agent;  // the last writer, two readers since
  uint8_t write_mask;                              // and kAtomic
  uint8_t read0_mask, read1_mask;
  uint8_t state;    // bits 0-1 initialised, 4-5 addressable
  uint8_t generic;  // written by an ordinary access, not by TMA or wgmma
  uint8_t padding;
};
static_assert(sizeof(Cell) == 32);
constexpr uint8_t kAtomic = 0x80;

struct Allocation {
  size_t bytes, capacity;
};
extern uint8_t* g_arena;
extern Cell* g_shadow;
extern std::map<uintptr_t, Allocation> g_allocations;
bool arena_open();
inline Cell& cell(size_t offset) { return g_shadow[offset >> 1]; }
inline bool in_arena(const void* p, uintptr_t& offset) {
  offset = reinterpret_cast<uintptr_t>(p) - reinterpret_cast<uintptr_t>(g_arena);
  return offset < kArenaBytes;
}
inline size_t arena_offset(const void* p) {
  return static_cast<size_t>(static_cast<const uint8_t*>(p) - g_arena);
}
void shadow_set(size_t offset, size_t bytes, bool addressable, bool initialised);
void shadow_clear(size_t offset, size_t bytes);
void shadow_copy(size_t target, size_t source, size_t bytes);
void* device_allocate(size_t bytes);
bool device_free(void* p);
// Whether [p, p + bytes) lies in one allocation, or outside of the arena altogether.
bool range_ok(const void* p, size_t bytes);
// Names the buffer whose guard bytes were overwritten, or nothing.
std::string damaged_guard();

// ---- fibers and blocks ----
enum class State : uint8_t { kReady, kBarrier, kWarp, kMbarrier, kWarpgroup, kDone };
struct CopyOp {
  void* dst;
  const void* src;
  int bytes, valid;
  bool done;
};
struct CopyGroup {
  std::vector<CopyOp> ops;
  uint32_t clock;
};
struct Block;
struct Fiber {
  void* stack_pointer;
  char* stack;
  uint3 thread;
  Block* block;
  int agent, in_block, lane, warp;
  State state;
  const char* waits_in;
  Loc waits_at;
  CopyGroup copies;
  std::deque<CopyGroup> copy_groups;
  // g_agents clocks; then g_agents clocks of what a fence.proxy.async of its past covers.
  uint32_t* clocks;
  bool device_fenced, wgmma_fenced;
};
using Clocks = std::vector<uint32_t>;

struct Rendezvous {
  unsigned mask, arrived;
  WarpOp op;
  Loc loc;
  LaneArgs args[32];
  Fiber* fibers[32];
};
struct BarrierState {
  int expected = 0, arrived = 0;
  std::vector<Fiber*> waiters;
  Loc loc;
  Clocks clocks;
};
struct Mbarrier {
  Fiber* initialiser = nullptr;
  bool visible = false;     // fenced for the async proxy
  bool unobserved = false;  // a TMA load nobody has waited for
  bool seen = false;        // someone has waited for the last phase
  Loc load_loc;
  unsigned count = 0, pending = 0, phase = 0;
  int64_t bytes = 0;
  int agent = 0;
  uint32_t agent_clock = 1;
  std::vector<Fiber*> waiters;
  Clocks clocks, last_clocks;
};
struct Product {
  float* acc[128];
  std::vector<float> saved;  // the accumulators' values while the registers are poisoned
  int n;
  uint64_t a, b;
  bool a_mn, b_mn, accumulate, f16, done;
  Fiber* fiber;
  Loc loc;
};
struct Warpgroup {
  enum class Call { kProduct, kOverwrite, kCommit, kWait };
  struct Group {
    std::vector<std::shared_ptr<Product>> ops;
    uint32_t clock[4];
  };
  int arrived = 0;
  Call call = Call::kProduct;
  float* acc[128];
  Fiber* fibers[128];
  uint64_t a = 0, b = 0;
  Loc loc;
  std::vector<std::shared_ptr<Product>> current;
  std::deque<Group> groups;
};
struct Block {
  uint3 index;
  uint8_t* window;
  size_t dynamic_bytes, top, static_bytes = 0;
  std::unordered_map<const void*, uint8_t*> statics;
  std::vector<std::pair<size_t, std::string>> names;  // offset and name of each static array
  BarrierState barriers[16];
  std::vector<std::vector<std::unique_ptr<Rendezvous>>> rendezvous;  // by warp
  std::vector<unsigned> alive;                                       // by warp
  int threads, live;
  uint32_t segment;
  std::map<void*, Mbarrier> mbarriers;
  std::vector<Warpgroup> warpgroups;
  std::set<uint32_t> acquired;  // segments whose writes are visible here
  int mbarrier_agents = 0;
};
struct TmaLoad {
  Block* block;
  uint8_t* dst;
  TensorMap map;
  int x, y, z;
  Mbarrier* bar;
};

extern Fiber* g_current;  // null on the host
extern std::vector<Fiber*> g_fibers;
extern std::vector<std::unique_ptr<Block>> g_blocks;
extern std::vector<TmaLoad> g_loads;  // in flight
extern Order g_order;                 // of this launch; never kMixed
extern const char* g_kernel;
extern bool g_failed;
extern std::string g_report;
extern int g_threads;  // co-resident threads
extern int g_agents;   // clocks: threads, their copies, 32 mbarriers
extern int g_joined;   // clocks to join: g_agents, or twice from the first fence.proxy.async on
extern uint32_t g_first_segment;
extern void (*g_thunk)(void*);
extern void* g_thunk_args;

// ---- scheduling (fibers.cpp) ----
void scheduler_reset(int threads);
void scheduler_reverse();
void make_ready(Fiber* f);
void make_ready_last(Fiber* f);  // behind all others, even in LIFO order
void suspend();                  // the current fiber is blocked, done, or queued again
void prepare_fiber(Fiber* f);
void create_fibers(int count);
bool stack_of_fibers(const void* p);
void run_fibers();  // until all are done or blocked, or one failed
[[noreturn]] void leave_to_host();
inline void block_on(State state, const char* what, const Loc& loc) {
  g_current->state = state;
  g_current->waits_in = what;
  g_current->waits_at = loc;
  suspend();
}

// ---- clocks and checks (clocks.cpp) ----
void join(Clocks& target, const uint32_t* source);
void join(uint32_t* target, const Clocks& source);
struct Accessor {
  Fiber* fiber;
  const uint32_t* clocks;
  int agent;
  uint32_t clock;
};
inline Accessor as_thread(Fiber* f) { return {f, f->clocks, f->agent, f->clocks[f->agent]}; }
enum class Access { kRead, kWrite, kAtomic };
// Checks an access to the arena for bounds, initialisation and races, and records it.
// generic: by an ordinary instruction, not by TMA or wgmma.
void check(const Accessor& who, uintptr_t offset, unsigned bytes, Access access, void* pc,
           const char* how, bool generic = true);
void check_instrumented(const void* p, unsigned bytes, bool write, bool aligned, void* pc);
void require_shared(const void* p, const char* what);
void clocks_reset_launch();
void clocks_reset_group();

// ---- the rest ----
void run_load(size_t index);                // tma.cpp
size_t swizzled(size_t address, int mode);  // tma.cpp
int swizzle_span(int mode);
void execute_matrix(Rendezvous& r);    // matrix.cpp: ldmatrix and mma
std::string describe(const Fiber* f);  // report.cpp
std::string describe(const Loc& loc);
std::string describe_address(uintptr_t offset);
std::string describe_agent(int agent);
std::string describe_pc(void* pc);
void set_report(std::string report);  // for the host thread

inline float f16_value(uint16_t bits) {
  return static_cast<float>(__builtin_bit_cast(_Float16, bits));
}
inline float bf16_value(uint16_t bits) {
  const uint32_t u = static_cast<uint32_t>(bits) << 16;
  float f;
  __builtin_memcpy(&f, &u, 4);
  return f;
}
}  // namespace emu
