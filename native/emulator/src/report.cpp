// Reports: the words in which a fault is described, and how it ends the launch.
#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "internal.h"

namespace emu {
namespace {
thread_local std::string t_report;

std::string file_name(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}
}  // namespace

std::string describe(const Fiber* f) {
  if (!f) return "host";
  char text[160];
  const uint3 b = f->block->index, t = f->thread;
  snprintf(text, sizeof text, "block(%u,%u,%u) thread(%u,%u,%u)", b.x, b.y, b.z, t.x, t.y, t.z);
  return text;
}

std::string describe(const Loc& loc) {
  return file_name(loc.file_name()) + ":" + std::to_string(loc.line());
}

std::string describe_agent(int agent) {
  if (agent < g_threads) return describe(g_fibers[agent]);
  if (agent < 2 * g_threads) {
    return "cp.async or wgmma of " + describe(g_fibers[agent - g_threads]);
  }
  return "a TMA load";
}

std::string describe_address(uintptr_t offset) {
  char text[200];
  if (offset < kSharedZone) {
    if (offset / kWindowBytes >= g_blocks.size()) return "shared ?";
    const Block& block = *g_blocks[offset / kWindowBytes];
    const size_t o = offset % kWindowBytes;
    std::string name = "dynamic";
    size_t base = kDynamicOffset;
    for (const auto& [start, array] : block.names) {
      if (o >= start && start >= base) {
        name = array;
        base = start;
      }
    }
    snprintf(text, sizeof text, "shared %s+%zd", name.c_str(), static_cast<ssize_t>(o - base));
    return text;
  }
  const uintptr_t p = reinterpret_cast<uintptr_t>(g_arena) + offset;
  auto it = g_allocations.upper_bound(p);
  if (it == g_allocations.begin()) return "global memory that was never allocated";
  --it;
  if (p >= it->first + it->second.capacity) return "global memory that is not allocated";
  snprintf(text, sizeof text, "global buffer #%zd (%zu bytes) offset %zd",
           std::distance(g_allocations.begin(), it), it->second.bytes,
           static_cast<ssize_t>(p - it->first));
  return text;
}

// The source line of an instruction, by addr2line; empty where that is not installed.
std::string describe_pc(void* pc) {
  Dl_info info;
  if (!pc || !dladdr(pc, &info) || !info.dli_fname) return "";
  char command[600], line[400] = "";
  snprintf(command, sizeof command, "addr2line -s -e '%s' %p 2>/dev/null", info.dli_fname,
           reinterpret_cast<void*>(static_cast<char*>(pc) - 1 -
                                   reinterpret_cast<size_t>(info.dli_fbase)));
  if (FILE* pipe = popen(command, "r")) {
    if (!fgets(line, sizeof line, pipe)) line[0] = 0;
    pclose(pipe);
  }
  line[strcspn(line, "\n ")] = 0;
  return line[0] ? std::string(" at ") + line : "";
}

void set_report(std::string report) { t_report = std::move(report); }
const char* last_report() { return t_report.c_str(); }
bool is_checked() { return g_checking; }

// What the fiber holds on its stack and heap stays there: the stack is reused by the next launch.
void fail(const char* format, ...) {
  char text[1200];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  g_report = std::string(g_kernel) + ": " + text + " [" + describe(g_current) + ", seed " +
             std::to_string(config().seed) + "]";
  g_failed = true;
  if (g_current) leave_to_host();
  // Only reachable by calling a device function on the host, which no caller does.
  abort();
}
}  // namespace emu
