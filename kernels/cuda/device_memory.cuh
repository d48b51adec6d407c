// CUDA calls checked, and device memory with an owner.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "emulator/base/error.hpp"

namespace fabricast::cuda {

inline void check(cudaError_t code, const std::string& what) {
  if (code == cudaSuccess) return;
  cudaGetLastError();  // forget it: told here, it is not the next launch's
  throw RuntimeError(what + " failed: " + cudaGetErrorString(code) + " (" + cudaGetErrorName(code) +
                     ")");
}

// Uninitialized device memory of `count` objects; at least one byte is allocated.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(std::size_t count, const std::string& what) : count_(count) {
    const std::size_t bytes = count * sizeof(T) > 0 ? count * sizeof(T) : 1;
    check(cudaMalloc(&data_, bytes),
          "allocating " + std::to_string(bytes) + " bytes of GPU memory for " + what);
  }
  DeviceArray(const std::vector<T>& values, const std::string& what)
      : DeviceArray(values.size(), what) {
    if (values.empty()) return;
    check(cudaMemcpy(data_, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice),
          "uploading " + what);
  }
  DeviceArray(DeviceArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~DeviceArray() {
    if (data_ != nullptr) cudaFree(data_);
  }

  T* data() const { return data_; }
  std::size_t size() const { return count_; }
  // Somebody else frees it.
  T* release() {
    count_ = 0;
    return std::exchange(data_, nullptr);
  }
  void zero(const std::string& what) const {
    if (count_ > 0) check(cudaMemset(data_, 0, count_ * sizeof(T)), "clearing " + what);
  }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace fabricast::cuda
