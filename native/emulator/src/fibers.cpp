// One fiber for each thread of the co-resident blocks, and the schedules they run in.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "internal.h"

#if !defined(__x86_64__)
#error "the context switch is written for x86-64"
#endif

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

// Saves the callee-saved registers and the stack pointer in *save, continues on the stack `to`.
extern "C" void emu_switch(void** save, void* to);
asm(R"(
.text
.globl emu_switch
.hidden emu_switch
.type emu_switch,@function
emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emu_switch,.-emu_switch
)");

namespace emu {
Fiber* g_current;
std::vector<Fiber*> g_fibers;
Order g_order;
uint64_t g_random_state = 88172645463325252ull;
void (*g_thunk)(void*);
void* g_thunk_args;

namespace {
constexpr size_t kStackBytes = 128 << 10;
void* g_host_stack_pointer;
std::vector<Fiber*> g_ready;  // from g_ready_head on
size_t g_ready_head;
// kRandomWarps: the ready fibers of each warp, and the warps from the highest priority down.
std::vector<std::vector<Fiber*>> g_warp_ready;
std::vector<int> g_warp_order;
size_t g_warp_ready_count;

void shuffle_warps() {
  for (size_t i = g_warp_order.size(); i > 1; i--) {
    std::swap(g_warp_order[i - 1], g_warp_order[random_bits() % i]);
  }
}

bool nobody_ready() {
  return g_order == Order::kRandomWarps ? g_warp_ready_count == 0 : g_ready.size() == g_ready_head;
}

Fiber* pick() {
  while (!g_loads.empty() &&
         (nobody_ready() || (config().async != Async::kLate && (random_bits() & 7) == 0))) {
    run_load(config().async == Async::kEarly ? 0 : random_bits() % g_loads.size());
  }
  if (nobody_ready()) {
    g_ready.clear();
    g_ready_head = 0;
    return nullptr;
  }
  if (g_order == Order::kRandomWarps) {
    if ((random_bits() & 255) == 0) shuffle_warps();
    for (int warp : g_warp_order) {
      auto& fibers = g_warp_ready[warp];
      if (fibers.empty()) continue;
      Fiber* f = fibers.back();
      fibers.pop_back();
      g_warp_ready_count--;
      return f;
    }
  }
  if (g_order == Order::kFifo) {
    Fiber* f = g_ready[g_ready_head++];
    if (g_ready_head > 4096) {
      g_ready.erase(g_ready.begin(), g_ready.begin() + g_ready_head);
      g_ready_head = 0;
    }
    return f;
  }
  const size_t n = g_ready.size() - g_ready_head;
  const size_t k = g_order == Order::kLifo ? n - 1 : random_bits() % n;
  std::swap(g_ready[g_ready_head + k], g_ready.back());
  Fiber* f = g_ready.back();
  g_ready.pop_back();
  return f;
}

void enter(Fiber* f) {
  g_current = f;
  threadIdx = f->thread;
  blockIdx = f->block->index;
}

// The return address of a fresh fiber's first switch.
extern "C" void emu_fiber_main() {
  g_thunk(g_thunk_args);
  Fiber* f = g_current;
  Block& b = *f->block;
  f->state = State::kDone;
  b.live--;
  b.alive[f->warp] &= ~(1u << f->lane);
  if (!b.barriers[0].waiters.empty()) {
    fail("DIVERGENT BARRIER: thread exits while others wait in __syncthreads at %s",
         describe(b.barriers[0].loc).c_str());
  }
  if (b.live == 0) {
    for (const auto& [address, bar] : b.mbarriers) {
      if (bar.unobserved) {
        fail("TMA load at %s: the block exits without having waited for it",
             describe(bar.load_loc).c_str());
      }
    }
  }
  suspend();
  abort();  // a fiber that is done is never picked
}
}  // namespace

void leave_to_host() {
  void* ignored;
  emu_switch(&ignored, g_host_stack_pointer);
  abort();  // a fiber that failed is never picked
}

void make_ready(Fiber* f) {
  f->state = State::kReady;
  if (g_order == Order::kRandomWarps) {
    g_warp_ready[f->agent >> 5].push_back(f);
    g_warp_ready_count++;
  } else {
    g_ready.push_back(f);
  }
}

void make_ready_last(Fiber* f) {
  make_ready(f);
  if (g_order == Order::kLifo) {
    std::rotate(g_ready.begin() + g_ready_head, g_ready.end() - 1, g_ready.end());
  }
}

void suspend() {
  Fiber* self = g_current;
  Fiber* next = pick();
  if (next == self) {
    self->state = State::kReady;
    return;
  }
  if (next) {
    enter(next);
    emu_switch(&self->stack_pointer, next->stack_pointer);
  } else {
    emu_switch(&self->stack_pointer, g_host_stack_pointer);
  }
}

void scheduler_reset(int threads) {
  g_ready.clear();
  g_ready_head = 0;
  g_warp_ready.assign((threads + 31) / 32, {});
  g_warp_ready_count = 0;
  g_warp_order.resize(g_warp_ready.size());
  std::iota(g_warp_order.begin(), g_warp_order.end(), 0);
  shuffle_warps();
}

void scheduler_reverse() { std::reverse(g_ready.begin(), g_ready.end()); }

void create_fibers(int count) {
  while (static_cast<int>(g_fibers.size()) < count) {
    char* stack = static_cast<char*>(mmap(nullptr, kStackBytes + kPage, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (stack == MAP_FAILED) throw std::bad_alloc();
    mprotect(stack, kPage, PROT_NONE);  // an overflow faults
    auto* f = new Fiber();
    f->stack = stack + kPage;
    g_fibers.push_back(f);
  }
}

bool stack_of_fibers(const void* p) {
  for (const Fiber* f : g_fibers) {
    if (p >= f->stack - kPage && p < f->stack) return true;
  }
  return false;
}

void prepare_fiber(Fiber* f) {
  void** sp = reinterpret_cast<void**>(f->stack + kStackBytes - 64);
  *--sp = nullptr;  // the return address of emu_fiber_main, and the alignment it expects
  *--sp = reinterpret_cast<void*>(emu_fiber_main);
  for (int i = 0; i < 6; i++) *--sp = nullptr;
  f->stack_pointer = sp;
}

void run_fibers() {
  enter(pick());
  emu_switch(&g_host_stack_pointer, g_current->stack_pointer);
  g_current = nullptr;
}
}  // namespace emu
