// Barriers of a block: __syncthreads and the named ones.
#include <cstring>

#include "internal.h"

namespace emu {
void barrier(int id, int threads, bool arrive_only, const Loc& loc) {
  Fiber* f = g_current;
  Block& block = *f->block;
  if (id < 0 || id > 15 || threads % 32 != 0) {
    fail("NAMED BARRIER %d for %d threads at %s: the id is 0..15, the count a multiple of 32", id,
         threads, describe(loc).c_str());
  }
  BarrierState& bar = block.barriers[id];
  const int expected = threads ? threads : block.threads;
  if (!threads && block.live != block.threads) {
    fail("DIVERGENT BARRIER: __syncthreads at %s, but %d threads of the block have exited",
         describe(loc).c_str(), block.threads - block.live);
  }
  if (bar.arrived && id == 0 && (bar.loc.line() != loc.line() || bar.expected != expected)) {
    fail("DIVERGENT BARRIER: __syncthreads at %s and at %s by threads of one block",
         describe(bar.loc).c_str(), describe(loc).c_str());
  }
  bar.loc = loc;
  bar.expected = expected;
  bar.arrived++;
  if (g_checking) {
    join(bar.clocks, f->clocks);
    f->clocks[f->agent]++;
  }
  if (!arrive_only) bar.waiters.push_back(f);
  if (bar.arrived < expected) {
    if (!arrive_only) block_on(State::kBarrier, "a barrier", loc);
    return;
  }
  for (Fiber* w : bar.waiters) {
    if (g_checking) {
      const uint32_t own = w->clocks[w->agent];
      memcpy(w->clocks, bar.clocks.data(), g_joined * sizeof(uint32_t));
      w->clocks[w->agent] = own;
    }
    make_ready(w);
  }
  bar.waiters.clear();
  bar.arrived = 0;
  if (g_checking) bar.clocks.assign(2 * g_agents, 0);
  if (!arrive_only) suspend();
}
}  // namespace emu
