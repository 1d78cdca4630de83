// Device arrays for the tests of wrappers and emulator, which need no C ABI.
#pragma once
#include <cuda_runtime_api.h>

#include <cstdlib>

#include "check.h"

template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t count) : count_(count) {
    if (cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(T)) != cudaSuccess) {
      printf("FAIL cudaMalloc: %s\n", cudaGetErrorString(cudaGetLastError()));
      exit(3);
    }
  }
  explicit DeviceArray(const std::vector<T>& host) : DeviceArray(host.size()) {
    cudaMemcpy(data_, host.data(), count_ * sizeof(T), cudaMemcpyHostToDevice);
  }
  DeviceArray(const DeviceArray&) = delete;
  ~DeviceArray() { cudaFree(data_); }
  T* data() { return data_; }
  std::vector<T> get() const {
    std::vector<T> host(count_);
    cudaMemcpy(host.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost);
    return host;
  }

 private:
  T* data_ = nullptr;
  size_t count_;
};

// A launch's result, or a failed check.
inline bool launched(Checks& checks, int error, const std::string& where) {
  if (error == cudaSuccess) error = cudaDeviceSynchronize();
  checks.that(error == cudaSuccess,
              where + ": " + cudaGetErrorString(static_cast<cudaError_t>(error)));
  return error == cudaSuccess;
}
