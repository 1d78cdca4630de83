// A block's shared memory, and the asynchronous copies into it (cp.async).
#include <cstring>

#include "internal.h"

namespace emu {
void* shared_static(const void* key, const char* name, size_t bytes, size_t align) {
  Block& b = *g_current->block;
  if (const auto it = b.statics.find(key); it != b.statics.end()) return it->second;
  const auto round_up = [](size_t x, size_t to) { return (x + to - 1) / to * to; };
  // At least 64 bytes that belong to nobody between two arrays.
  const size_t offset = round_up(b.top + 64, align);
  b.static_bytes = round_up(b.static_bytes, align) + bytes;
  if (b.static_bytes > kMaxStatic) fail("static shared memory over 48 KB");
  // An extern array of alignment 1024 makes ptxas round static memory up.
  if (round_up(b.static_bytes, 1024) + b.dynamic_bytes > kMaxShared ||
      offset + bytes > kWindowBytes) {
    fail("%zu bytes of static (rounded up to 1024) and %zu of dynamic shared memory: over 227 KB",
         b.static_bytes, b.dynamic_bytes);
  }
  b.top = offset + bytes;
  uint8_t* p = b.window + offset;
  memset(p, 0xff, bytes);  // NaN
  if (g_checking) shadow_set(arena_offset(p), bytes, true, false);
  b.statics[key] = p;
  b.names.emplace_back(offset, name);
  return p;
}

void* shared_dynamic(size_t align) {
  if (align > 1024) fail("dynamic shared memory is aligned to 1024 bytes only");
  return g_current->block->window + kDynamicOffset;
}

uint32_t shared_address(const void* p) {
  require_shared(p, "shared_address");
  return arena_offset(p) % kWindowBytes;
}

namespace {
void land(CopyOp& op) {
  if (op.done) return;
  memcpy(op.dst, op.src, op.valid);
  memset(static_cast<uint8_t*>(op.dst) + op.valid, 0, op.bytes - op.valid);
  op.done = true;
}
}  // namespace

// The data lands at once or at the wait: both must be right.
void copy_async(void* dst, const void* src, int bytes, int valid, const Loc& loc) {
  Fiber* f = g_current;
  require_shared(dst, "cp.async");
  const uintptr_t target = arena_offset(dst);
  if (target & (bytes - 1)) fail("MISALIGNED cp.async destination at %s", describe(loc).c_str());
  if (valid && (reinterpret_cast<uintptr_t>(src) & (bytes - 1))) {
    fail("MISALIGNED cp.async source at %s", describe(loc).c_str());
  }
  if (g_checking) {
    const std::string how = "cp.async " + describe(loc);
    uintptr_t source;
    if (valid && in_arena(src, source)) {
      check(as_thread(f), source, valid, Access::kRead, nullptr, how.c_str());
    }
    check({f, f->clocks, g_threads + f->agent, f->copies.clock}, target, bytes, Access::kWrite,
          nullptr, how.c_str());
  }
  CopyOp op{dst, src, bytes, valid, false};
  const Async mode = config().async;
  if (mode == Async::kEarly || (mode == Async::kRandom && (random_bits() & 1))) land(op);
  f->copies.ops.push_back(op);
}

void copy_async_commit() {
  Fiber* f = g_current;
  const uint32_t clock = f->copies.clock;
  f->copy_groups.push_back(std::move(f->copies));
  f->copies.ops.clear();
  f->copies.clock = clock + 1;
}

void copy_async_wait(int groups) {
  Fiber* f = g_current;
  while (static_cast<int>(f->copy_groups.size()) > groups) {
    CopyGroup& group = f->copy_groups.front();
    for (CopyOp& op : group.ops) land(op);
    if (g_checking) f->clocks[g_threads + f->agent] = group.clock;
    f->copy_groups.pop_front();
  }
}
}  // namespace emu
