// Products of small integers are exact in every type, so results must be equal.
#include "harness.h"

extern "C" int test_fragments(const float*, const float*, float*, float*, const float*,
                              const float*, float*, const void*, uint32_t*);
extern "C" int test_copies(const float*, float*);

int main() {
  Checks checks("fragments");
  Random random;
  const auto integers = [&](int n) {
    std::vector<float> v(n);
    for (auto& x : v) x = static_cast<float>(static_cast<int>(random() * 8));
    return v;
  };
  const auto a16 = integers(256), b16 = integers(128), a8 = integers(128), b8 = integers(64);
  std::vector<uint16_t> matrix(256);
  for (int i = 0; i < 256; i++) matrix[i] = static_cast<uint16_t>(i);
  DeviceArray<float> a(a16), b(b16), as(a8), bs(b8), c_bf16(128), c_f16(128), c_tf32(128);
  DeviceArray<uint16_t> m(matrix);
  DeviceArray<uint32_t> loaded(256);
  if (!launched(checks,
                test_fragments(a.data(), b.data(), c_bf16.data(), c_f16.data(), as.data(),
                               bs.data(), c_tf32.data(), m.data(), loaded.data()),
                "launch")) {
    return checks.finish();
  }
  const auto bf16 = c_bf16.get(), f16 = c_f16.get(), tf32 = c_tf32.get();
  for (int i = 0; i < 16; i++) {
    for (int j = 0; j < 8; j++) {
      double x = 0, y = 0;
      for (int k = 0; k < 16; k++) x += double(a16[i + 16 * k]) * b16[j + 8 * k];
      for (int k = 0; k < 8; k++) y += double(a8[i + 16 * k]) * b8[j + 8 * k];
      const std::string at = " at " + std::to_string(i) + "," + std::to_string(j);
      checks.close(bf16[i + 16 * j], x, 0, "mma_bf16" + at);
      checks.close(f16[i + 16 * j], x, 0, "mma_f16" + at);
      checks.close(tf32[i + 16 * j], y, 0, "mma_tf32" + at);
    }
  }
  const auto l = loaded.get();
  for (int t = 0; t < 32; t++) {
    for (int i = 0; i < 4; i++) {
      for (int h = 0; h < 2; h++) {
        const int q = t / 4, p = 2 * (t % 4) + h;
        checks.close(l[t * 8 + i] >> 16 * h & 0xffff, i * 64 + q * 8 + p, 0, "ldmatrix");
        checks.close(l[t * 8 + 4 + i] >> 16 * h & 0xffff, i * 64 + p * 8 + q, 0, "ldmatrix trans");
      }
    }
  }
  std::vector<float> x(96);
  for (int i = 0; i < 96; i++) x[i] = static_cast<float>(i + 1);
  DeviceArray<float> dx(x), dy(96);
  if (launched(checks, test_copies(dx.data(), dy.data()), "copies")) {
    const auto y = dy.get();
    for (int i = 0; i < 96; i++) {
      const int copy = i % 32 / (1 << i / 32);
      checks.close(y[i], copy % 3 != 0 ? x[i] : 0, 0, "copy " + std::to_string(i));
    }
  }
  return checks.finish();
}
