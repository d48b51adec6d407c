// A multicast object over the GPUs of a process group, and this GPU's memory behind it: what a
// switch reduces and writes to (kernels/lane/multimem.hpp).
//
// In this order, each step on all members before the next one on any: one creates and shares, the
// others adopt; all add their GPU; all bind. (The driver lets cuMulticastBindMem wait for GPUs that
// have not been added: members must agree that all were.) A GPU belongs to the object until that
// goes. Everything is released when the object here goes, in any state: no kernel of any member may
// use it then. Built without nvcc the same symbols say "not built". Not thread safe.
// Source: CUDA driver API, "Multicast Object Management" and "Virtual Memory Management".
#pragma once

#include <cstddef>
#include <string>

#include "kernels/cuda/shared_memory.hpp"

namespace fabricast::cuda {

// Can this GPU take part? Empty, or why not.
std::string why_no_multicast(int device);

class MulticastMemory {
 public:
  MulticastMemory(int device, int members, ShareBy by);
  MulticastMemory(const MulticastMemory&) = delete;
  MulticastMemory& operator=(const MulticastMemory&) = delete;
  ~MulticastMemory();

  // The least size of at least so many bytes that the driver can cut; members take their largest.
  // All throw RuntimeError.
  std::size_t size_for(std::size_t bytes) const;
  void create(std::size_t bytes);
  SharedHandle share() const;
  void adopt(const SharedHandle& shared, std::size_t bytes);
  void add_device();
  void bind();

  std::byte* multicast() const { return through_switch_.data(); }
  std::byte* own() const { return own_.data(); }
  std::size_t bytes() const { return bytes_; }

 private:
  int device_;
  int members_;
  ShareBy by_;
  std::size_t bytes_ = 0;
  // Released from below: mappings, the binding (in the destructor), memory, the object.
  AllocationHandle object_;
  AllocationHandle memory_;
  bool bound_ = false;
  MappedMemory own_;
  MappedMemory through_switch_;
};

}  // namespace fabricast::cuda
