// GPU memory that other processes may map: an allocation with a shareable handle, and the mapping
// of any such allocation (own or imported, of memory or of a multicast object) into this process.
//
// Handles travel as a POSIX file descriptor between processes of one host, which the kernel copies
// (emulator/base/descriptor_passing.hpp), or as 64 bytes of text between hosts of one NVLink domain
// (fabric handles; both ends need the same IMEX channel). Everything is released when its owner
// goes. The driver keeps memory for as long as anybody has it open or mapped. Not thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace fabricast::cuda {

enum class ShareBy : std::uint8_t { descriptor, fabric };

// A handle on its way: of one kind only.
struct SharedHandle {
  int descriptor = -1;  // the caller's to close
  std::string fabric;
};

// Can the device's memory be shared so with other hosts? Empty, or why not.
std::string why_no_fabric_handles(int device);

// One reference to an allocation or a multicast object.
class AllocationHandle {
 public:
  AllocationHandle() = default;
  explicit AllocationHandle(unsigned long long handle) : handle_(handle), held_(true) {}
  AllocationHandle(AllocationHandle&& other) noexcept;
  AllocationHandle& operator=(AllocationHandle&& other) noexcept;
  ~AllocationHandle();

  bool held() const { return held_; }
  unsigned long long get() const { return handle_; }
  // `what` names it in errors. Throw RuntimeError.
  SharedHandle share(ShareBy by, const std::string& what) const;
  static AllocationHandle import(const SharedHandle& shared, const std::string& what);

 private:
  unsigned long long handle_ = 0;
  bool held_ = false;
};

// Memory of the device, `bytes` a multiple of allocation_granularity(). Throw RuntimeError.
std::size_t allocation_granularity(int device, ShareBy by);
AllocationHandle allocate_shared(int device, std::size_t bytes, ShareBy by);

// All of an allocation at an address that the device reads and writes.
class MappedMemory {
 public:
  MappedMemory() = default;
  // Throws RuntimeError.
  MappedMemory(int device, const AllocationHandle& allocation, std::size_t bytes,
               std::size_t alignment, const std::string& what);
  MappedMemory(MappedMemory&& other) noexcept;
  MappedMemory& operator=(MappedMemory&& other) noexcept;
  ~MappedMemory();

  std::byte* data() const { return reinterpret_cast<std::byte*>(address_); }

 private:
  void release();

  std::uintptr_t address_ = 0;
  std::size_t bytes_ = 0;
  bool mapped_ = false;
};

}  // namespace fabricast::cuda
