// Vector clocks and the check of each access: bounds, initialisation, races, missing proxy fences.
#include <algorithm>

#include "internal.h"

namespace emu {
int g_threads, g_agents, g_joined;
uint32_t g_first_segment = 1;

namespace {
// What each atomic variable's last release made visible: clocks within the group of co-resident
// blocks, segments across groups.
std::unordered_map<uintptr_t, Clocks> g_atomic_clocks;
std::unordered_map<uintptr_t, std::set<uint32_t>> g_atomic_segments;
unsigned g_spins;

void report_race(const char* how, unsigned bytes, uintptr_t offset, void* pc, const char* with,
                 const std::string& whom) {
  fail("RACE: %s %u bytes at %s%s conflicts with %s %s", how, bytes,
       describe_address(offset).c_str(), describe_pc(pc).c_str(), with, whom.c_str());
}
}  // namespace

void clocks_reset_launch() {
  g_atomic_segments.clear();
  g_atomic_clocks.clear();
}
void clocks_reset_group() { g_atomic_clocks.clear(); }

void join(Clocks& target, const uint32_t* source) {
  if (target.empty()) target.assign(2 * g_agents, 0);
  for (int i = 0; i < g_joined; i++) target[i] = std::max(target[i], source[i]);
}
void join(uint32_t* target, const Clocks& source) {
  if (source.empty()) return;
  for (int i = 0; i < g_joined; i++) target[i] = std::max(target[i], source[i]);
}

void check(const Accessor& who, uintptr_t offset, unsigned bytes, Access access, void* pc,
           const char* how, bool generic) {
  const bool atomic = access == Access::kAtomic, write = access != Access::kRead;
  const uint32_t* clocks = who.clocks;
  const Block& block = *who.fiber->block;
  const uint32_t segment = block.segment;
  const uintptr_t end = offset + bytes;
  const auto unordered = [&](uint32_t clock, int agent) {
    return agent != who.agent && clock > clocks[agent];
  };
  for (uintptr_t o = offset & ~uintptr_t(1); o < end; o += 2) {
    const uint8_t mask = (o >= offset ? 1 : 0) | (o + 1 < end ? 2 : 0);
    Cell& c = cell(o);
    const bool global = o >= kSharedZone;
    if ((c.state >> 4 & mask) != mask) {
      fail("OUT OF BOUNDS: %s %u bytes at %s%s", how, bytes, describe_address(offset).c_str(),
           describe_pc(pc).c_str());
    }
    if ((!write || atomic) && (c.state & mask) != mask) {
      fail("UNINITIALISED READ: %s %u bytes at %s%s", how, bytes, describe_address(offset).c_str(),
           describe_pc(pc).c_str());
    }
    // The last writer.
    if ((c.write_mask & mask) && c.write_segment >= g_first_segment &&
        !(atomic && (c.write_mask & kAtomic))) {
      const bool here = c.write_segment == segment;
      // Asynchronous copies are unordered even with themselves.
      const bool race = here ? unordered(c.write_clock, c.write_agent) ||
                                   (c.write_agent == who.agent && who.agent >= g_threads &&
                                    c.write_clock > clocks[who.agent])
                             : global && !block.acquired.count(c.write_segment);
      if (race) {
        report_race(how, bytes, offset, pc, "an unordered write by",
                    here ? describe_agent(c.write_agent) : "another block");
      }
      // The wrapper's fence is for shared memory only.
      if (!generic && c.generic && here && c.write_agent < g_threads &&
          (global || c.write_clock > clocks[g_agents + c.write_agent])) {
        fail("MISSING fence.proxy.async: async-proxy %s at %s of data written by %s", how,
             describe_address(offset).c_str(), describe_agent(c.write_agent).c_str());
      }
    }
    if (!write) {
      if (c.read_segment != segment) {
        c.read_segment = segment;
        c.read0_mask = c.read1_mask = 0;
      }
      // Two unordered readers are kept; one that is ordered before this read is replaced by it.
      uint8_t own = 0;
      if (c.read0_mask && unordered(c.read0_clock, c.read0_agent)) {
        c.read1_agent = c.read0_agent;
        c.read1_clock = c.read0_clock;
        c.read1_mask = c.read0_mask;
      } else if (c.read0_agent == who.agent) {
        own = c.read0_mask;
      }
      c.read0_agent = static_cast<uint16_t>(who.agent);
      c.read0_clock = who.clock;
      c.read0_mask = mask | own;
      continue;
    }
    // Earlier readers.
    if (c.read_segment >= g_first_segment) {
      if (c.read_segment == segment) {
        const bool first = (c.read0_mask & mask) && unordered(c.read0_clock, c.read0_agent);
        const bool second = (c.read1_mask & mask) && unordered(c.read1_clock, c.read1_agent);
        if (first || second) {
          report_race(how, bytes, offset, pc, "an unordered read by",
                      describe_agent(first ? c.read0_agent : c.read1_agent));
        }
      } else if ((c.read0_mask & mask) && global && !block.acquired.count(c.read_segment)) {
        report_race(how, bytes, offset, pc, "a read by", "another block");
      }
    }
    c.write_segment = segment;
    c.write_agent = static_cast<uint16_t>(who.agent);
    c.write_clock = who.clock;
    c.write_mask = mask | (atomic ? kAtomic : 0);
    c.generic = generic;
    c.state |= mask;
    c.read0_mask = c.read1_mask = 0;
  }
}

void check_instrumented(const void* p, unsigned bytes, bool write, bool aligned, void* pc) {
  uintptr_t offset;
  if (!g_current || !in_arena(p, offset)) return;
  if (aligned && (offset & (bytes - 1))) {
    fail("MISALIGNED %u-byte %s at %s%s", bytes, write ? "write" : "read",
         describe_address(offset).c_str(), describe_pc(pc).c_str());
  }
  check(as_thread(g_current), offset, bytes, write ? Access::kWrite : Access::kRead, pc,
        write ? "write" : "read");
}

void require_shared(const void* p, const char* what) {
  uintptr_t offset;
  if (!in_arena(p, offset) || offset >= kSharedZone) {
    fail("%s: address is not in shared memory", what);
  }
}

void atomic_touch(const void* p, unsigned bytes, void* pc) {
  Fiber* f = g_current;
  uintptr_t offset;
  if (!f || !in_arena(p, offset)) return;
  if (++g_spins > 64) {  // perhaps spinning: let the others run
    g_spins = 0;
    make_ready_last(f);
    suspend();
  }
  if (!g_checking) return;
  check(as_thread(f), offset, bytes, Access::kAtomic, pc, "atomic");
  // Acquire what others released here; release, but only behind a __threadfence.
  Clocks& clocks = g_atomic_clocks[offset];
  auto& segments = g_atomic_segments[offset];
  std::set<uint32_t>& acquired = f->block->acquired;
  join(f->clocks, clocks);
  acquired.insert(segments.begin(), segments.end());
  if (f->device_fenced) {
    join(clocks, f->clocks);
    f->clocks[f->agent]++;
    segments.insert(f->block->segment);
    segments.insert(acquired.begin(), acquired.end());
  }
}

void fence(Fence scope) {
  Fiber* f = g_current;
  if (scope == Fence::kDevice) f->device_fenced = true;
  if (scope == Fence::kAsyncProxy && g_checking) {
    g_joined = 2 * g_agents;
    std::copy(f->clocks, f->clocks + g_agents, f->clocks + g_agents);
    f->clocks[f->agent]++;
  }
  if (scope == Fence::kAsyncProxy || scope == Fence::kMbarrierInit) {
    for (auto& [address, bar] : f->block->mbarriers) {
      if (bar.initialiser == f) bar.visible = true;
    }
  }
}
}  // namespace emu
