// Products of a warpgroup (wgmma). A product runs when its group is waited for; until then its
// accumulator registers hold a NaN, so that reading or changing them shows.
#include <bit>
#include <cstring>

#include "internal.h"

namespace emu {
namespace {
using Call = Warpgroup::Call;

Warpgroup& warpgroup() { return g_current->block->warpgroups[g_current->warp / 4]; }

// Byte address of element (r, k), r along mn; the layouts are those in kx/wgmma.h.
size_t element_address(uint64_t descriptor, bool mn_major, int r, int k) {
  const size_t start = (descriptor & 0x3fff) << 4;
  const size_t leading = (descriptor >> 16 & 0x3fff) << 4;
  const size_t stride = (descriptor >> 32 & 0x3fff) << 4;
  const int mode = descriptor >> 62 & 3, span = swizzle_span(mode), per = span / 2;
  if (!mn_major) {
    if (mode) return swizzled(start + r / 8 * stride + r % 8 * span + k * 2, mode);
    return start + r / 8 * stride + k / 8 * leading + r % 8 * 16 + k % 8 * 2;
  }
  if (mode) {
    return swizzled(start + r / per * leading + k / 8 * stride + k % 8 * span + r % per * 2, mode);
  }
  return start + r / 8 * stride + k / 8 * leading + k % 8 * 16 + r % 8 * 2;
}

void check_descriptor(uint64_t d, bool mn_major, const char* which, const Loc& loc) {
  if (d & 0x3fffc000c000c000ull) {
    fail("WGMMA descriptor of %s: reserved bits or a base offset (not modelled) at %s", which,
         describe(loc).c_str());
  }
  const int mode = d >> 62 & 3;
  const size_t span = swizzle_span(mode), start = ((d & 0x3fff) << 4) % (8 * span);
  if (mode && (mn_major ? start != 0 : start + 32 > span)) {
    fail("WGMMA descriptor of %s: starts %zu bytes into the %zu-byte swizzle pattern, at %s", which,
         start, span, describe(loc).c_str());
  }
}

// Thread of the warpgroup and register that hold accumulator (row, col).
int owner(int row, int col) { return row / 16 * 32 + row % 8 * 4 + col % 8 / 2; }
int slot(int row, int col) { return col / 8 * 4 + row % 16 / 8 * 2 + col % 2; }

void run(Product& p) {
  if (p.done) return;
  p.done = true;
  const uint8_t* shared = p.fiber->block->window;
  const auto load = [&](uint64_t descriptor, bool mn_major, int r, int k) {
    const size_t address = element_address(descriptor, mn_major, r, k);
    if (address + 2 > kWindowBytes) {
      fail("wgmma descriptor out of shared memory at %s", describe(p.loc).c_str());
    }
    uint16_t bits;
    memcpy(&bits, shared + address, 2);
    return p.f16 ? f16_value(bits) : bf16_value(bits);
  };
  std::vector<float> b(16 * p.n), sums(p.n);
  for (int k = 0; k < 16; k++) {
    for (int j = 0; j < p.n; j++) b[k * p.n + j] = load(p.b, p.b_mn, j, k);
  }
  for (int r = 0; r < 64; r++) {
    float a[16];
    for (int k = 0; k < 16; k++) a[k] = load(p.a, p.a_mn, r, k);
    for (int j = 0; j < p.n; j++) {
      const int t = owner(r, j), i = slot(r, j);
      sums[j] = !p.accumulate ? 0.f : p.saved.empty() ? p.acc[t][i] : p.saved[t * (p.n / 2) + i];
    }
    for (int k = 0; k < 16; k++) {
      for (int j = 0; j < p.n; j++) sums[j] += a[k] * b[k * p.n + j];
    }
    for (int j = 0; j < p.n; j++) p.acc[owner(r, j)][slot(r, j)] = sums[j];
  }
}

// Returns true in the last of the 128 threads, which does the work of all.
bool meet(Warpgroup& w, Call call, float* acc, uint64_t a, uint64_t b, const Loc& loc) {
  Fiber* f = g_current;
  if (w.arrived && (w.call != call || w.loc.line() != loc.line() || w.a != a || w.b != b)) {
    fail("WGMMA: warpgroup diverged or descriptors differ, at %s", describe(loc).c_str());
  }
  const int t = f->in_block & 127;
  w.call = call;
  w.loc = loc;
  w.a = a;
  w.b = b;
  w.acc[t] = acc;
  w.fibers[t] = f;
  if (++w.arrived < 128) {
    block_on(State::kWarpgroup, "a wgmma", loc);
    return false;
  }
  w.arrived = 0;
  for (int i = 0; i < 128; i++) {
    if (i != t) make_ready(w.fibers[i]);
  }
  return true;
}

// The first product in flight on each accumulator keeps the values, the registers get a NaN.
void poison(Warpgroup& w) {
  std::set<float*> seen;
  const auto visit = [&](Product& p) {
    if (!seen.insert(p.acc[0]).second || !p.saved.empty()) return;
    const int half = p.n / 2;
    p.saved.resize(128 * half);
    for (int t = 0; t < 128; t++) {
      for (int i = 0; i < half; i++) {
        p.saved[t * half + i] = p.acc[t][i];
        p.acc[t][i] = std::bit_cast<float>(0x7fffdeadu);
      }
    }
  };
  for (auto& group : w.groups) {
    for (auto& p : group.ops) visit(*p);
  }
  for (auto& p : w.current) visit(*p);
}

// Each warp reads its 16 rows of A and all of B, until the wait.
void check_operands(const Warpgroup& w, const Product& p) {
  const std::string how = "wgmma operand " + describe(p.loc);
  const size_t base = arena_offset(p.fiber->block->window);
  for (int q = 0; q < 4; q++) {
    Fiber* f = w.fibers[q * 32];
    const Accessor who{f, f->clocks, g_threads + f->agent, f->copies.clock};
    const auto read = [&](uint64_t descriptor, bool mn_major, int first, int rows) {
      for (int r = first; r < first + rows; r += mn_major ? 8 : 1) {
        for (int k = 0; k < 16; k += mn_major ? 1 : 8) {
          check(who, base + element_address(descriptor, mn_major, r, k), 16, Access::kRead, nullptr,
                how.c_str(), false);
        }
      }
    };
    read(p.a, p.a_mn, q * 16, 16);
    read(p.b, p.b_mn, 0, p.n);
  }
}
}  // namespace

void wgmma_fence() { g_current->wgmma_fenced = true; }

// Stricter than the ISA in one point: a fence for every batch, even where the accumulators were not
// touched since the last.
void wgmma(float* acc, int n, uint64_t a, uint64_t b, bool a_mn, bool b_mn, bool accumulate,
           bool f16, const Loc& loc) {
  Warpgroup& w = warpgroup();
  if (!g_current->wgmma_fenced) {
    fail("WGMMA without wgmma.fence before it, at %s", describe(loc).c_str());
  }
  check_descriptor(a, a_mn, "A", loc);
  check_descriptor(b, b_mn, "B", loc);
  if (!meet(w, accumulate ? Call::kProduct : Call::kOverwrite, acc, a, b, loc)) return;
  auto p = std::make_shared<Product>();
  memcpy(p->acc, w.acc, sizeof p->acc);
  p->n = n;
  p->a = a;
  p->b = b;
  p->a_mn = a_mn;
  p->b_mn = b_mn;
  p->accumulate = accumulate;
  p->f16 = f16;
  p->done = false;
  p->fiber = g_current;
  p->loc = loc;
  if (g_checking) check_operands(w, *p);
  w.current.push_back(std::move(p));
  poison(w);
}

void wgmma_commit() {
  static const Loc loc = Loc::current();
  Warpgroup& w = warpgroup();
  g_current->wgmma_fenced = false;
  if (!meet(w, Call::kCommit, nullptr, 0, 0, loc)) return;
  Warpgroup::Group group;
  group.ops = std::move(w.current);
  for (int q = 0; q < 4; q++) group.clock[q] = w.fibers[q * 32]->copies.clock++;
  w.groups.push_back(std::move(group));
  w.current.clear();
}

// The warpgroup's product is one operation: a wait that returns in any warp covers the operand
// reads of all four, so one thread may release the buffer.
void wgmma_wait(int groups, const Loc& loc) {
  Warpgroup& w = warpgroup();
  if (!meet(w, Call::kWait, nullptr, groups, 0, loc)) return;
  while (static_cast<int>(w.groups.size()) > groups) {
    Warpgroup::Group& group = w.groups.front();
    for (auto& p : group.ops) run(*p);
    if (g_checking) {
      for (Fiber* f : w.fibers) {
        for (int q = 0; q < 4; q++) {
          f->clocks[g_threads + w.fibers[q * 32]->agent] = group.clock[q];
        }
      }
    }
    w.groups.pop_front();
  }
  poison(w);
}
}  // namespace emu
