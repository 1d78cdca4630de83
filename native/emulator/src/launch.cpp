// Launches: groups of co-resident blocks, one after the other, on the calling thread.
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "internal.h"

namespace emu {
std::vector<std::unique_ptr<Block>> g_blocks;
const char* g_kernel = "";
bool g_failed;
std::string g_report;

namespace {
uint32_t g_segment = 1;
std::vector<uint32_t> g_clock_storage;

// ---- faults ----
// A JVM in the same process uses SIGSEGV for its own purposes: what is not ours goes to the
// handlers before us. They are installed once and stay. Installing them for each launch made a ring
// when two copies of this library (two class loaders) ran at a time: one saved the other's as what
// was before it, each passed the JVM's signals to the other, for ever. The library is linked with
// -z nodelete, so that what is installed stays loaded.
struct sigaction g_old_segv, g_old_bus;
pthread_t g_launcher;

void on_fault(int signal, siginfo_t* info, void* context) {
  if (!g_current || !pthread_equal(pthread_self(), g_launcher)) {
    struct sigaction& old = signal == SIGSEGV ? g_old_segv : g_old_bus;
    if (old.sa_flags & SA_SIGINFO) {
      old.sa_sigaction(signal, info, context);
    } else if (old.sa_handler == SIG_DFL) {
      sigaction(signal, &old, nullptr);  // faults again, with the default action
    } else if (old.sa_handler != SIG_IGN) {
      old.sa_handler(signal);
    }
    return;
  }
  // The handler is left by a switch to the host's stack, not by returning.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGSEGV);
  sigaddset(&set, SIGBUS);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  uintptr_t offset;
  if (in_arena(info->si_addr, offset)) {
    fail("FAULT (guard page) at %s", describe_address(offset).c_str());
  }
  if (stack_of_fibers(info->si_addr)) fail("FAULT: stack overflow");
  fail("FAULT (wild pointer) at host address %p", info->si_addr);
}

void install_handlers() {
  [[maybe_unused]] static const bool installed = [] {
    struct sigaction action{};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    return sigaction(SIGSEGV, &action, &g_old_segv) == 0 &&
           sigaction(SIGBUS, &action, &g_old_bus) == 0;
  }();
}

// The calling thread's faults are this launch's, and are handled on a stack of their own.
class FaultScope {
 public:
  FaultScope() {
    install_handlers();
    g_launcher = pthread_self();
    stack_.ss_sp = stack_bytes_;
    stack_.ss_size = sizeof stack_bytes_;
    stack_.ss_flags = 0;
    sigaltstack(&stack_, &old_stack_);
  }
  ~FaultScope() { sigaltstack(&old_stack_, nullptr); }

 private:
  // One for all threads: launches exclude each other.
  static inline char stack_bytes_[65536];
  stack_t stack_{}, old_stack_{};
};

// ---- blocks ----
unsigned volume(const dim3& d) { return d.x * d.y * d.z; }

uint3 unflatten(uint64_t i, const dim3& d) {
  return {static_cast<unsigned>(i % d.x), static_cast<unsigned>(i / d.x % d.y),
          static_cast<unsigned>(i / d.x / d.y)};
}

// Index of member k of group number `group`.
uint3 block_index(const Launch& l, uint64_t group, unsigned k) {
  if (l.cooperative) return unflatten(k, l.grid);
  const dim3 groups(l.grid.x / l.cluster.x, l.grid.y / l.cluster.y, l.grid.z / l.cluster.z);
  const uint3 g = unflatten(group, groups), m = unflatten(k, l.cluster);
  return {g.x * l.cluster.x + m.x, g.y * l.cluster.y + m.y, g.z * l.cluster.z + m.z};
}

void start_block(const Launch& l, unsigned k, uint3 index) {
  const int threads = static_cast<int>(volume(l.block)), warps = (threads + 31) / 32;
  Block& b = *g_blocks[k];
  uint8_t* window = g_arena + k * kWindowBytes;
  if (g_checking) {
    // What the last block in this window used; its cells' segments are stale, their state is not.
    shadow_clear(k * kWindowBytes, std::max(b.top, kDynamicOffset + l.dynamic_bytes));
    shadow_set(k * kWindowBytes + kDynamicOffset, l.dynamic_bytes, true, false);
  }
  b = Block();
  b.segment = g_segment;
  b.index = index;
  b.window = window;
  b.dynamic_bytes = l.dynamic_bytes;
  b.top = kDynamicOffset + l.dynamic_bytes;
  b.threads = b.live = threads;
  b.rendezvous.resize(warps);
  b.alive.assign(warps, 0);
  b.warpgroups.resize((warps + 3) / 4);
  memset(window + kDynamicOffset, 0xff, l.dynamic_bytes);
  for (int t = 0; t < threads; t++) {
    Fiber* f = g_fibers[k * threads + t];
    f->thread = unflatten(t, l.block);
    f->block = &b;
    f->agent = static_cast<int>(k) * threads + t;
    f->in_block = t;
    f->lane = t & 31;
    f->warp = t >> 5;
    f->copies.ops.clear();
    f->copies.clock = 1;
    f->copy_groups.clear();
    f->device_fenced = f->wgmma_fenced = false;
    b.alive[f->warp] |= 1u << f->lane;
    if (g_checking) {
      f->clocks = &g_clock_storage[static_cast<size_t>(f->agent) * 2 * g_agents];
      f->clocks[f->agent] = 1;
    }
    prepare_fiber(f);
    make_ready(f);
  }
}

std::string deadlock_report(int blocked) {
  std::map<std::string, std::pair<int, std::string>> places;
  for (int i = 0; i < g_threads; i++) {
    const Fiber* f = g_fibers[i];
    if (f->state == State::kDone) continue;
    auto& [count, first] = places[std::string(f->waits_in) + " at " + describe(f->waits_at)];
    if (count++ == 0) first = describe(f);
  }
  std::string text = "DEADLOCK: " + std::to_string(blocked) + " threads blocked:";
  for (const auto& [place, who] : places) {
    text += "\n    " + std::to_string(who.first) + " in " + place + " (first: " + who.second + ")";
  }
  return text;
}

cudaError_t refuse(cudaError_t error, const char* why) {
  set_report(std::string(g_kernel) + ": " + why);
  return error;
}
}  // namespace

const Config& config() {
  static const Config instance = [] {
    const auto number = [](const char* name, uint64_t otherwise) -> uint64_t {
      const char* value = getenv(name);
      return value && *value ? strtoull(value, nullptr, 10) : otherwise;
    };
    Config c;
    c.seed = number("GRIDSTRIDE_EMULATOR_SEED", 1);
    c.order = static_cast<Order>(std::min<uint64_t>(number("GRIDSTRIDE_EMULATOR_ORDER", 0), 4));
    c.async = static_cast<Async>(std::min<uint64_t>(number("GRIDSTRIDE_EMULATOR_ASYNC", 2), 2));
    return c;
  }();
  return instance;
}

cudaError_t run_grid(const Launch& l, const char* name, void (*thunk)(void*), void* args) {
  std::lock_guard<std::recursive_mutex> guard(g_lock);
  set_report("");
  g_kernel = name;
  const uint64_t threads = volume(l.block), cluster = volume(l.cluster);
  const uint64_t total = uint64_t(l.grid.x) * l.grid.y * l.grid.z;
  if (threads == 0 || threads > 1024 || total == 0 || cluster == 0 || l.grid.y > 65535 ||
      l.grid.z > 65535 || l.grid.x > 0x7fffffffu || l.dynamic_bytes > kMaxShared) {
    return refuse(cudaErrorInvalidConfiguration, "invalid launch configuration");
  }
  if (l.grid.x % l.cluster.x || l.grid.y % l.cluster.y || l.grid.z % l.cluster.z) {
    return refuse(cudaErrorInvalidConfiguration, "grid is not a multiple of the cluster");
  }
  const uint64_t together = l.cooperative ? total : cluster;
  if (together > kMaxBlocks) {
    return refuse(cudaErrorCooperativeLaunchTooLarge, "more than 16 co-resident blocks");
  }
  if (!arena_open()) return refuse(cudaErrorMemoryAllocation, "no address space");

  g_thunk = thunk;
  g_thunk_args = args;
  g_failed = false;
  blockDim = l.block;
  gridDim = l.grid;
  g_threads = static_cast<int>(threads * together);
  g_agents = g_joined = 2 * g_threads + 32;
  g_random_state = config().seed * 0x9E3779B97F4A7C15ull | 1;
  for (int i = 0; i < 4; i++) random_bits();
  g_order = config().order != Order::kMixed ? config().order
            : random_bits() & 1             ? Order::kRandomThreads
                                            : Order::kRandomWarps;
  create_fibers(g_threads);
  while (g_blocks.size() < together) g_blocks.push_back(std::make_unique<Block>());
  std::vector<uint64_t> order(total / together);
  std::iota(order.begin(), order.end(), 0);
  if (g_order == Order::kLifo) std::reverse(order.begin(), order.end());
  if (g_order >= Order::kRandomThreads) {
    for (size_t i = order.size(); i > 1; i--) std::swap(order[i - 1], order[random_bits() % i]);
  }
  g_first_segment = g_segment + 1;
  clocks_reset_launch();
  if (g_checking) g_clock_storage.resize(static_cast<size_t>(g_threads) * 2 * g_agents);

  FaultScope faults;
  for (const uint64_t group : order) {
    g_loads.clear();
    clocks_reset_group();
    g_segment++;
    scheduler_reset(g_threads);
    if (g_checking) {
      std::fill(g_clock_storage.begin(), g_clock_storage.end(), 0);
      g_joined = g_agents;
    }
    for (unsigned k = 0; k < together; k++) start_block(l, k, block_index(l, group, k));
    if (g_order == Order::kLifo) scheduler_reverse();
    run_fibers();
    if (g_failed) {
      set_report(g_report);
      return cudaErrorLaunchFailure;
    }
    int live = 0;
    for (unsigned k = 0; k < together; k++) live += g_blocks[k]->live;
    if (live) return refuse(cudaErrorLaunchTimeout, deadlock_report(live).c_str());
  }
  if (!g_checking) {
    if (const std::string damage = damaged_guard(); !damage.empty()) {
      return refuse(cudaErrorIllegalAddress, damage.c_str());
    }
  }
  return cudaSuccess;
}
}  // namespace emu
