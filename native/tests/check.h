// What test programs share: random data, comparisons that count, the exit code.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

// Uniform in [-1, 1), the same on every platform.
class Random {
 public:
  explicit Random(uint64_t seed = 12345) : state_(seed) {}
  uint32_t bits() {
    state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<uint32_t>(state_ >> 33);
  }
  float operator()() {
    return static_cast<float>(static_cast<int64_t>(bits()) - (int64_t(1) << 30)) /
           static_cast<float>(1 << 30);
  }

 private:
  uint64_t state_;
};

inline float bf16_to_float(uint16_t bits) {
  const uint32_t u = static_cast<uint32_t>(bits) << 16;
  float f;
  memcpy(&f, &u, 4);
  return f;
}
inline uint16_t float_to_bf16(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  return static_cast<uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

// Counts checks and failures; the first few failures are printed.
class Checks {
 public:
  explicit Checks(const char* name) : name_(name) {}
  // |got - want| <= tolerance; a NaN equals a NaN, an infinity itself, and nothing else.
  bool close(double got, double want, double tolerance, const std::string& where) {
    count_++;
    const bool both_nan = got != got && want != want;
    const bool ok = both_nan || got == want || std::fabs(got - want) <= tolerance;
    if (!ok) {
      char text[120];
      snprintf(text, sizeof text, ": got %.9g, want %.9g, tolerance %.3g", got, want, tolerance);
      fail(where + text);
    }
    return ok;
  }
  void that(bool ok, const std::string& what) {
    count_++;
    if (!ok) fail(what);
  }
  void fail(const std::string& what) {
    if (failures_++ < 5) printf("FAIL %s: %s\n", name_, what.c_str());
    if (getenv("GRIDSTRIDE_TEST_STOP")) exit(1);  // one failure is all that the caller asks
  }
  bool failed() const { return failures_ != 0; }
  // Prints the last line and returns main's result.
  int finish() const {
    printf("%s %s: %ld checks, %ld failed\n", failures_ ? "FAIL" : "PASS", name_, count_,
           failures_);
    return failures_ ? 1 : 0;
  }

 private:
  const char* name_;
  long count_ = 0, failures_ = 0;
};
