// Warp-wide operations: lanes meet, the last one computes the results of all.
#include <algorithm>
#include <cstring>

#include "internal.h"

namespace emu {
namespace {
template <class F>
void for_lanes(unsigned mask, F f) {
  for (int lane = 0; lane < 32; lane++) {
    if (mask >> lane & 1) f(lane);
  }
}

void synchronise(Rendezvous& r) {
  if (!g_checking) return;
  Clocks joined;
  for_lanes(r.mask, [&](int lane) { join(joined, r.fibers[lane]->clocks); });
  for_lanes(r.mask, [&](int lane) {
    Fiber* f = r.fibers[lane];
    const uint32_t own = f->clocks[f->agent] + 1;
    memcpy(f->clocks, joined.data(), g_joined * sizeof(uint32_t));
    f->clocks[f->agent] = own;
  });
}

int source_lane(WarpOp op, int lane, int param, int width) {
  const int base = lane & ~(width - 1);
  switch (op) {
    case WarpOp::kShuffle:
      return base + (param & (width - 1));
    case WarpOp::kShuffleUp:
      return lane - param < base ? lane : lane - param;
    case WarpOp::kShuffleDown:
      return lane + param >= base + width ? lane : lane + param;
    default:
      return (lane ^ param) >= base + width ? lane : lane ^ param;
  }
}

void shuffle(Rendezvous& r) {
  for_lanes(r.mask, [&](int lane) {
    const LaneArgs& a = r.args[lane];
    const int source = source_lane(r.op, lane, a.param, a.width);
    if (source < 0 || source > 31 || !(r.mask >> source & 1)) {
      fail("SHUFFLE reads lane %d, which is not in the mask %08x or does not exist, at %s", source,
           r.mask, describe(r.loc).c_str());
    }
    memcpy(a.out, r.args[source].in, a.size);
  });
}

void ballot(Rendezvous& r) {
  unsigned votes = 0;
  for_lanes(r.mask, [&](int lane) { votes |= unsigned(r.args[lane].param != 0) << lane; });
  for_lanes(r.mask, [&](int lane) { memcpy(r.args[lane].out, &votes, 4); });
}

uint32_t combine(WarpOp op, bool is_signed, uint32_t x, uint32_t y) {
  const bool less = is_signed ? static_cast<int32_t>(y) < static_cast<int32_t>(x) : y < x;
  switch (op) {
    case WarpOp::kReduceAdd:
      return x + y;
    case WarpOp::kReduceMin:
      return less ? y : x;
    case WarpOp::kReduceMax:
      return less ? x : y;
    case WarpOp::kReduceOr:
      return x | y;
    case WarpOp::kReduceAnd:
      return x & y;
    default:
      return x ^ y;
  }
}

void reduce(Rendezvous& r) {
  bool first = true;
  uint32_t result = 0;
  for_lanes(r.mask, [&](int lane) {
    uint32_t value;
    memcpy(&value, r.args[lane].in, 4);
    result = first ? value : combine(r.op, r.args[lane].param != 0, result, value);
    first = false;
  });
  for_lanes(r.mask, [&](int lane) { memcpy(r.args[lane].out, &result, 4); });
}

void execute(Rendezvous& r) {
  switch (r.op) {
    case WarpOp::kSync:
      return synchronise(r);
    case WarpOp::kShuffle:
    case WarpOp::kShuffleUp:
    case WarpOp::kShuffleDown:
    case WarpOp::kShuffleXor:
      return shuffle(r);
    case WarpOp::kBallot:
      return ballot(r);
    case WarpOp::kReduceAdd:
    case WarpOp::kReduceMin:
    case WarpOp::kReduceMax:
    case WarpOp::kReduceOr:
    case WarpOp::kReduceAnd:
    case WarpOp::kReduceXor:
      return reduce(r);
    default:
      return execute_matrix(r);
  }
}

unsigned existing_lanes(const Fiber* f) {
  const int left = f->block->threads - f->warp * 32;
  return left >= 32 ? ~0u : (1u << left) - 1;
}
}  // namespace

unsigned active_mask() { return g_current->block->alive[g_current->warp]; }

void collective(WarpOp op, unsigned mask, const LaneArgs& args, const Loc& loc) {
  Fiber* f = g_current;
  mask &= existing_lanes(f);
  if (!(mask >> f->lane & 1)) {
    fail("WARP: lane %d calls a collective with mask %08x that lacks it, at %s", f->lane, mask,
         describe(loc).c_str());
  }
  auto& open = f->block->rendezvous[f->warp];
  auto it = std::find_if(open.begin(), open.end(), [&](const auto& x) {
    return x->mask == mask && !(x->arrived >> f->lane & 1);
  });
  if (it == open.end()) {
    open.push_back(std::make_unique<Rendezvous>(Rendezvous{mask, 0, op, loc, {}, {}}));
    it = open.end() - 1;
  }
  Rendezvous& r = **it;
  if (r.op != op || r.loc.line() != loc.line()) {
    fail("DIVERGENT WARP: lanes of one warp at different collectives: %s and %s",
         describe(r.loc).c_str(), describe(loc).c_str());
  }
  r.args[f->lane] = args;
  r.fibers[f->lane] = f;
  r.arrived |= 1u << f->lane;
  if (r.arrived != mask) {
    block_on(State::kWarp, "a warp-wide operation", loc);
    return;
  }
  execute(r);
  for_lanes(mask, [&](int lane) {
    if (lane != f->lane) make_ready(r.fibers[lane]);
  });
  open.erase(it);  // this lane, the last, goes on
}
}  // namespace emu
