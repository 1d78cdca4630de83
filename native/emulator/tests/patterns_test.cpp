// Needs the checked emulator: on a GPU the wrong patterns have undefined results.
#include "harness.h"

extern "C" int test_pattern(int, bool, float*, float*, unsigned*, float*, unsigned char*);

int main() {
  Checks checks("patterns");
  const struct {
    const char* name;
    const char* report;
  } patterns[] = {{"last block", "RACE"},
                  {"histogram", "RACE"},
                  {"__syncwarp", "RACE"},
                  {"named barriers", "RACE"},
                  {"neighbouring bytes", "RACE"},
                  {"two blocks", "RACE"},
                  {"grid barrier", "RACE"},
                  {"groups of lanes", "WARP"},
                  {"local array", "INDEX"},
                  {"proxy fence in the writer", "MISSING fence.proxy.async"},
                  {"proxy fence in the reader", "MISSING fence.proxy.async"},
                  {"wgmma group in flight", "__trap"},
                  {"mbarrier phases", "MBARRIER"}};
  for (int k = 0; k < 13; k++) {
    for (const bool bad : {false, true}) {
      DeviceArray<float> x(std::vector<float>(4096, .5f)), y(4096), z(4096);
      DeviceArray<unsigned> u(std::vector<unsigned>(256, 0));
      DeviceArray<unsigned char> m(std::vector<unsigned char>(512, 7));
      const int error = test_pattern(k, bad, x.data(), y.data(), u.data(), z.data(), m.data());
      const std::string report =
          error ? cudaGetErrorString(static_cast<cudaError_t>(error)) : "no report";
      const bool ok = bad ? report.find(patterns[k].report) != std::string::npos : error == 0;
      checks.that(ok, std::string(patterns[k].name) + (bad ? ", wrong: " : ", right: ") + report);
    }
  }
  return checks.finish();
}
