// mbarriers, and the TMA loads that complete on them.
#include <algorithm>
#include <cstring>

#include "internal.h"

namespace emu {
std::vector<TmaLoad> g_loads;

namespace {
constexpr unsigned kCountLimit = 1u << 20;
constexpr int kMbarrierAgents = 32;

Mbarrier& find(void* bar, const Loc& loc) {
  auto& all = g_current->block->mbarriers;
  const auto it = all.find(bar);
  if (it == all.end()) fail("mbarrier used before mbarrier.init, at %s", describe(loc).c_str());
  return it->second;
}

void complete_phase_if_due(Mbarrier& bar) {
  if (bar.pending || bar.bytes) return;
  for (const TmaLoad& load : g_loads) {
    if (load.bar == &bar) {
      fail("MBARRIER phase completes while a TMA load on it is in flight (too few bytes expected)");
    }
  }
  bar.phase++;
  bar.pending = bar.count;
  bar.last_clocks = bar.clocks;
  bar.seen = !bar.waiters.empty();
  for (Fiber* w : bar.waiters) {
    bar.unobserved = false;
    if (g_checking) join(w->clocks, bar.last_clocks);
    make_ready(w);
  }
  bar.waiters.clear();
}
}  // namespace

void mbarrier_init(void* bar, unsigned count, const Loc& loc) {
  require_shared(bar, "mbarrier.init");
  if (reinterpret_cast<uintptr_t>(bar) & 7) {
    fail("MISALIGNED mbarrier at %s", describe(loc).c_str());
  }
  if (count == 0 || count >= kCountLimit) {
    fail("mbarrier.init: a count of %u at %s, allowed are 1 .. 2^20-1", count,
         describe(loc).c_str());
  }
  Block& block = *g_current->block;
  if (block.mbarriers.count(bar)) {
    fail("mbarrier.init of a live mbarrier (no mbarrier.inval before it), at %s",
         describe(loc).c_str());
  }
  Mbarrier m;
  m.count = m.pending = count;
  m.agent = 2 * g_threads + std::min(block.mbarrier_agents++, kMbarrierAgents - 1);
  m.initialiser = g_current;
  block.mbarriers[bar] = m;
  if (g_checking) {
    check(as_thread(g_current), arena_offset(bar), 8, Access::kWrite, nullptr, "mbarrier.init");
  }
}

void mbarrier_arrive(void* bar, unsigned bytes, const Loc& loc) {
  Mbarrier& m = find(bar, loc);
  if (m.phase && !m.seen) {
    fail("MBARRIER: arrival in phase %u at %s before anyone has waited for phase %u", m.phase,
         describe(loc).c_str(), m.phase - 1);
  }
  m.bytes += bytes;
  if (bytes >= kCountLimit || m.bytes >= static_cast<int64_t>(kCountLimit)) {
    fail("mbarrier: tx-count over 2^20-1, at %s", describe(loc).c_str());
  }
  if (!m.pending) fail("mbarrier: more arrivals than its count, at %s", describe(loc).c_str());
  m.pending--;
  if (g_checking) {
    join(m.clocks, g_current->clocks);
    g_current->clocks[g_current->agent]++;
  }
  complete_phase_if_due(m);
}

void mbarrier_wait(void* bar, unsigned parity, const Loc& loc) {
  Mbarrier& m = find(bar, loc);
  if (parity > 1) fail("mbarrier: a parity of %u at %s", parity, describe(loc).c_str());
  if ((m.phase & 1) != parity) {  // the phase before the current one, or a fresh barrier's wait(1)
    m.unobserved = false;
    m.seen = true;
    if (g_checking) join(g_current->clocks, m.last_clocks);
    if ((random_bits() & 3) == 0) {
      make_ready(g_current);
      suspend();
    }
    return;
  }
  const unsigned phase = m.phase;
  m.waiters.push_back(g_current);
  block_on(State::kMbarrier, "an mbarrier wait", loc);
  if (m.phase - phase > 1) {
    fail("MBARRIER: the wait for phase %u at %s was overtaken by phase %u", phase,
         describe(loc).c_str(), phase + 1);
  }
}

int swizzle_span(int mode) { return mode == 1 ? 128 : mode == 2 ? 64 : mode == 3 ? 32 : 16; }

// By the address in shared memory, not by the offset in the tile.
size_t swizzled(size_t address, int mode) {
  return mode ? address ^ (((address >> 7) & (swizzle_span(mode) / 16 - 1)) << 4) : address;
}

void tma_load(void* dst, const void* map, int x, int y, int z, void* bar, const Loc& loc) {
  const std::string at = describe(loc);
  require_shared(dst, "TMA");
  const auto& m = *static_cast<const TensorMap*>(map);
  if (m.magic != kTensorMapMagic) fail("TMA: not a tensor map, at %s", at.c_str());
  if (reinterpret_cast<uintptr_t>(map) & 63) {
    fail("TMA: map not aligned to 64 bytes (is it a const __grid_constant__ parameter?), at %s",
         at.c_str());
  }
  Mbarrier& b = find(bar, loc);
  if (!b.visible) {
    fail("TMA on an mbarrier whose init was not fenced for the async proxy, at %s", at.c_str());
  }
  b.unobserved = true;
  b.load_loc = loc;
  const uintptr_t target = arena_offset(dst);
  const size_t alignment = m.swizzle ? 8 * swizzle_span(m.swizzle) : 128;
  if (target % kWindowBytes % alignment) {
    fail("TMA: destination not aligned to %zu, at %s", alignment, at.c_str());
  }
  if (x % 8 != 0) {  // elements of 16 bits
    fail("TMA: column %d is not a multiple of 16 bytes, at %s", x, at.c_str());
  }
  if (g_checking) {
    const std::string how = "TMA load " + at;
    const Accessor who{g_current, g_current->clocks, b.agent, b.agent_clock};
    const int64_t from = std::max<int64_t>(x, 0);
    const int64_t to = std::min<int64_t>(int64_t(x) + m.box_width, m.width);
    const bool outside = z < 0 || z >= m.depth || from >= to;
    for (int r = 0; r < m.box_height; r++) {
      const int64_t row = y + static_cast<int64_t>(r);
      uintptr_t source;
      if (row < 0 || row >= m.height || outside) continue;
      const auto* p =
          static_cast<const char*>(m.base) + z * m.slice + row * m.pitch + from * m.element_bytes;
      if (in_arena(p, source)) {
        check(who, source, (to - from) * m.element_bytes, Access::kRead, nullptr, how.c_str(),
              false);
      }
    }
    check(who, target, m.box_width * m.box_height * m.element_bytes, Access::kWrite, nullptr,
          how.c_str(), false);
    if (b.clocks.empty()) b.clocks.assign(2 * g_agents, 0);
    b.clocks[b.agent] = b.agent_clock++;
  }
  g_loads.push_back({g_current->block, static_cast<uint8_t*>(dst), m, x, y, z, &b});
  if (config().async == Async::kEarly) run_load(g_loads.size() - 1);
}

void run_load(size_t index) {
  const TmaLoad load = g_loads[index];
  g_loads.erase(g_loads.begin() + index);
  const TensorMap& m = load.map;
  const size_t base = arena_offset(load.dst) % kWindowBytes;
  for (int r = 0; r < m.box_height; r++) {
    for (int c = 0; c < m.box_width; c++) {
      const int64_t x = int64_t(load.x) + c, y = int64_t(load.y) + r;
      const size_t packed = (static_cast<size_t>(r) * m.box_width + c) * m.element_bytes;
      uint8_t* target = load.block->window + swizzled(base + packed, m.swizzle);
      if (x < 0 || y < 0 || load.z < 0 || x >= m.width || y >= m.height || load.z >= m.depth) {
        memset(target, 0, m.element_bytes);
      } else {
        memcpy(
            target,
            static_cast<const char*>(m.base) + load.z * m.slice + y * m.pitch + x * m.element_bytes,
            m.element_bytes);
      }
    }
  }
  load.bar->bytes -= static_cast<int64_t>(m.box_width) * m.box_height * m.element_bytes;
  complete_phase_if_due(*load.bar);
}
}  // namespace emu
