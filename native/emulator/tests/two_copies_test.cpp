// Two libraries of the emulator in one process, as two class loaders make them, launch at a time
// while the host program handles faults of its own, as a JVM does: each of those must reach the
// host's handler, and none go round.
#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "check.h"
#include "gridstride.h"

namespace {
constexpr int kLaunches = 1000, kSeconds = 60;
char* g_page;
std::atomic<int> g_handled;

void host_handler(int, siginfo_t*, void*) {
  g_handled++;
  mprotect(g_page, 1, PROT_READ | PROT_WRITE);
}

void launch_until(const char* file, const std::atomic<bool>& done, std::atomic<int>& launches) {
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    printf("FAIL %s\n", dlerror());
    _exit(1);
  }
  auto malloc = reinterpret_cast<decltype(&gs_malloc)>(dlsym(library, "gs_malloc"));
  auto fill = reinterpret_cast<decltype(&gs_fill_f64)>(dlsym(library, "gs_fill_f64"));
  auto synchronize =
      reinterpret_cast<decltype(&gs_stream_synchronize)>(dlsym(library, "gs_stream_synchronize"));
  void* y = nullptr;
  if (malloc(&y, 4096, nullptr) != GS_OK) _exit(1);
  gs_layout layout{};
  layout.dims = 1, layout.size[0] = 1000, layout.stride[0] = 1;
  while (!done) {
    if (fill(GS_F32, &layout, 1, y, nullptr) != GS_OK || synchronize(nullptr) != GS_OK) _exit(1);
    launches++;
  }
}
}  // namespace

int main(int, char** arguments) {
  Checks checks("two copies");
  g_page = static_cast<char*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  struct sigaction action{};
  action.sa_sigaction = host_handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, nullptr);
  alarm(kSeconds);  // ends the program where a fault goes round

  std::atomic<bool> done{false};
  std::atomic<int> first{0}, second{0};
  std::thread one([&] { launch_until(arguments[1], done, first); });
  std::thread two([&] { launch_until(arguments[2], done, second); });
  int faults = 0;
  for (; first < kLaunches || second < kLaunches; faults++) {
    mprotect(g_page, 1, PROT_NONE);
    *const_cast<volatile char*>(g_page) = 1;
  }
  done = true;
  one.join();
  two.join();
  checks.that(g_handled == faults, std::to_string(g_handled) + " of " + std::to_string(faults) +
                                       " faults reached the host");
  return checks.finish();
}
