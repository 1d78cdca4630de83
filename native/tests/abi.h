// Device arrays through the C ABI, with guard bands, for the tests that run on GPU and emulator
// alike.
#pragma once
#include <cstdlib>

#include "check.h"
#include "gridstride.h"

// Ends the test program with 77, which test drivers take as "skipped", when there is no device.
inline void require_device() {
  int32_t count = 0;
  gs_device_count(&count);
  if (count == 0) {
    printf("SKIP %s\n", gs_last_error());
    exit(77);
  }
}

inline bool ok(Checks& checks, gs_status status, const std::string& where) {
  if (status == GS_OK) status = gs_stream_synchronize(nullptr);
  checks.that(status == GS_OK, where + ": " + gs_last_error());
  return status == GS_OK;
}

// The call must be refused, with a message that contains `rule`.
inline void refused(Checks& checks, gs_status status, gs_status want, const std::string& rule) {
  const std::string message = gs_last_error();
  checks.that(status == want && message.find(rule) != std::string::npos,
              "not refused for '" + rule + "' but: " + std::to_string(status) + " " + message);
}

// `offset` elements into an allocation: operands that are not aligned to vectors.
template <class T>
class Array {
 public:
  explicit Array(size_t count, size_t offset = 0) : count_(count), offset_(offset) {
    const auto bytes = static_cast<int64_t>((kGuard * 2 + count + offset) * sizeof(T));
    void* p = nullptr;
    if (gs_malloc(&p, bytes, nullptr) != GS_OK || gs_memset(p, kGuardByte, bytes, nullptr)) {
      printf("FAIL %s\n", gs_last_error());
      exit(3);
    }
    gs_stream_synchronize(nullptr);
    base_ = static_cast<T*>(p);
  }
  explicit Array(const std::vector<T>& host, size_t offset = 0) : Array(host.size(), offset) {
    set(host);
  }
  Array(const Array&) = delete;
  ~Array() { gs_free(base_, nullptr); }
  T* data() { return base_ + kGuard + offset_; }
  // Done when it returns, also for other streams, which the default one does not order.
  void set(const std::vector<T>& host) {
    gs_copy_to_device(data(), host.data(), static_cast<int64_t>(host.size() * sizeof(T)), nullptr);
    gs_stream_synchronize(nullptr);
  }
  std::vector<T> get(Checks& checks, const std::string& where) {
    std::vector<T> all(kGuard * 2 + count_ + offset_);
    gs_copy_to_host(all.data(), base_, static_cast<int64_t>(all.size() * sizeof(T)), nullptr);
    gs_stream_synchronize(nullptr);
    const auto* bytes = reinterpret_cast<const unsigned char*>(all.data());
    const size_t from = (kGuard + offset_) * sizeof(T), to = from + count_ * sizeof(T);
    bool intact = true;
    for (size_t i = 0; i < all.size() * sizeof(T); i++) {
      if (i == from) i = to;
      if (i < all.size() * sizeof(T) && bytes[i] != kGuardByte) intact = false;
    }
    checks.that(intact, where + ": wrote outside of the operand");
    return {all.begin() + kGuard + offset_, all.begin() + kGuard + offset_ + count_};
  }

 private:
  static constexpr size_t kGuard = 64;
  static constexpr int kGuardByte = 0xa5;
  T* base_;
  size_t count_, offset_;
};
