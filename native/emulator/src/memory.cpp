// Device memory: one reservation of addresses, guard pages, and the shadow of the checked build.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "internal.h"

namespace emu {
uint8_t* g_arena;
Cell* g_shadow;
std::map<uintptr_t, Allocation> g_allocations;
std::recursive_mutex g_lock;
bool g_checking;

namespace {
size_t g_top = kSharedZone;
// Freed blocks by capacity, oldest first: an address is reused as late as possible, so that a use
// after free hits memory that is not addressable.
std::map<size_t, std::deque<size_t>> g_free;

size_t pages(size_t bytes) { return (bytes + kPage - 1) & ~(kPage - 1); }

// Small blocks come in few sizes, so that they can be reused; all but the pages in use are guards.
size_t capacity_for(size_t bytes) {
  size_t capacity = 64 << 10;
  while (capacity < pages(bytes) + kPage && capacity < 64 << 20) capacity *= 2;
  return capacity >= pages(bytes) + kPage
             ? capacity
             : (pages(bytes) + kPage + (1 << 20) - 1) & ~((1 << 20) - 1);
}
}  // namespace

bool arena_open() {
  if (g_arena) return true;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* arena = mmap(nullptr, kArenaBytes, PROT_NONE, flags, -1, 0);
  if (arena == MAP_FAILED) return false;
  if (mprotect(arena, kSharedZone, PROT_READ | PROT_WRITE) != 0) return false;
  if (g_checking) {
    void* shadow =
        mmap(nullptr, kArenaBytes / 2 * sizeof(Cell), PROT_READ | PROT_WRITE, flags, -1, 0);
    if (shadow == MAP_FAILED) return false;
    g_shadow = static_cast<Cell*>(shadow);
  }
  g_arena = static_cast<uint8_t*>(arena);
  return true;
}

void shadow_set(size_t offset, size_t bytes, bool addressable, bool initialised) {
  const size_t end = offset + bytes;
  for (size_t o = offset & ~size_t(1); o < end; o += 2) {
    const uint8_t mask = (o >= offset ? 1 : 0) | (o + 1 < end ? 2 : 0);
    Cell& c = cell(o);
    if (addressable) c.state |= mask << 4;
    if (initialised) {
      c.state |= mask;
    } else {
      c.state &= ~mask;
    }
  }
}

void shadow_clear(size_t offset, size_t bytes) {
  memset(static_cast<void*>(&cell(offset)), 0, (bytes + 1) / 2 * sizeof(Cell));
}

void shadow_copy(size_t target, size_t source, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    const bool initialised = cell(source + i).state >> ((source + i) & 1) & 1;
    shadow_set(target + i, 1, false, initialised);
  }
}

void* device_allocate(size_t bytes) {
  if (!arena_open()) return nullptr;
  if (bytes > kArenaBytes / 2) return nullptr;
  const size_t capacity = capacity_for(bytes), used = std::max(pages(bytes), kPage);
  auto& reusable = g_free[capacity];
  size_t base;
  if (g_top + capacity <= kArenaBytes && (reusable.size() < 16 || capacity > 1 << 20)) {
    // Fresh addresses while there are few to reuse; big blocks are reused at once.
    if (capacity > 1 << 20 && !reusable.empty()) {
      base = reusable.front();
      reusable.pop_front();
    } else {
      base = g_top;
      g_top += capacity;
    }
  } else if (!reusable.empty()) {
    base = reusable.front();
    reusable.pop_front();
  } else {
    return nullptr;
  }
  uint8_t* page = g_arena + base;
  if (mprotect(page, used, PROT_READ | PROT_WRITE) != 0) return nullptr;
  // Without checks: against the guard page behind, though aligned to 16 bytes only, not 256. The
  // checked build has exact bounds, and the alignment of a GPU.
  uint8_t* p = g_checking ? page : page + (used - ((bytes + 15) & ~size_t(15)));
  memset(page, 0xff, used);  // NaN
  if (g_checking) shadow_set(base, bytes, true, false);
  g_allocations[reinterpret_cast<uintptr_t>(p)] = {bytes, capacity};
  return p;
}

bool device_free(void* p) {
  const auto it = g_allocations.find(reinterpret_cast<uintptr_t>(p));
  if (it == g_allocations.end()) return false;
  const size_t base = arena_offset(p) & ~(kPage - 1);
  const size_t used = std::max(pages(it->second.bytes), kPage);
  if (g_checking) shadow_clear(base, it->second.bytes);
  mprotect(g_arena + base, used, PROT_NONE);
  g_free[it->second.capacity].push_back(base);
  g_allocations.erase(it);
  return true;
}

bool range_ok(const void* p, size_t bytes) {
  uintptr_t offset;
  if (!g_arena || !in_arena(p, offset)) return true;
  auto it = g_allocations.upper_bound(reinterpret_cast<uintptr_t>(p));
  if (it == g_allocations.begin()) return false;
  --it;
  const size_t from = reinterpret_cast<uintptr_t>(p) - it->first;
  return from <= it->second.bytes && bytes <= it->second.bytes - from;
}

std::string damaged_guard() {
  for (const auto& [address, allocation] : g_allocations) {
    const auto* p = reinterpret_cast<const uint8_t*>(address);
    const auto* page = reinterpret_cast<const uint8_t*>(address & ~(kPage - 1));
    const auto* end = page + std::max(pages(allocation.bytes), kPage);
    for (const uint8_t* c = page; c < end; c++) {
      if (c == p) c += allocation.bytes;
      if (c < end && *c != 0xff) {
        return "OUT OF BOUNDS write at offset " + std::to_string(c - p) + " of a buffer of " +
               std::to_string(allocation.bytes) + " bytes";
      }
    }
  }
  return "";
}
}  // namespace emu
