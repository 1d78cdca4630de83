// Both GEMMs of the self-test; B_TRANSPOSED for the one that takes B as [n][k].
#include "harness.h"

extern "C" int test_gemm(int, int, int, const void*, const void*, float*);

int main() {
  Checks checks("tensor core gemm");
  Random random;
  const int shapes[][3] = {{150, 136, 104}, {129, 8, 8}, {65, 64, 72}, {64, 72, 328}};
  for (const auto& [m, n, k] : shapes) {
    const std::string where = std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
    std::vector<uint16_t> a(m * k), b(k * n), stored(k * n);
    for (auto& x : a) x = float_to_bf16(random());
    for (auto& x : b) x = float_to_bf16(random());
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < n; j++) {
#ifdef B_TRANSPOSED
        stored[j * k + i] = b[i * n + j];
#else
        stored[i * n + j] = b[i * n + j];
#endif
      }
    }
    DeviceArray<uint16_t> da(a), db(stored);
    DeviceArray<float> dc(m * n);
    if (!launched(checks, test_gemm(m, n, k, da.data(), db.data(), dc.data()), where)) break;
    const auto c = dc.get();
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0, size = 0;
        for (int p = 0; p < k; p++) {
          const double x = double(bf16_to_float(a[i * k + p])) * bf16_to_float(b[p * n + j]);
          sum += x;
          size += std::fabs(x);
        }
        // f32 sums of exact products: at most k roundings of 2^-24 each.
        checks.close(c[i * n + j], sum, size * k * 6e-8 + 1e-30, where);
      }
    }
  }
  return checks.finish();
}
