// Device memory of one NCCL rank: plain, or from ncclMemAlloc for a symmetric window.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fabricast {

class NcclBuffer {
 public:
  // Throws RuntimeError when there is not so much memory.
  NcclBuffer(int device, std::int64_t bytes, bool symmetric);
  NcclBuffer(NcclBuffer&& other) noexcept;
  NcclBuffer& operator=(NcclBuffer&&) = delete;
  ~NcclBuffer();

  std::byte* data() const { return static_cast<std::byte*>(data_); }
  std::size_t bytes() const { return bytes_; }  // rounded up to what windows need

 private:
  int device_;
  bool symmetric_;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace fabricast
