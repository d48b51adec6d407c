// Memory of a GPU that other processes read and write: by CUDA IPC on one host, by fabric handles
// between hosts of one NVLink domain (shared_memory.hpp).
//
// With IPC the exporting process must keep the allocation until every importer has closed it, and
// GPUs need peer access to each other (NVLink, or PCIe below one root complex). Not thread safe.
#pragma once

#include <cstddef>
#include <string>

#include "kernels/cuda/shared_memory.hpp"

namespace fabricast::cuda {

// Does a link join the two that keeps the 128 bytes of one store together, as LL128 needs (NVLink)?
// Asked by the attribute "native atomics over the link", which PCIe does not have. False as well if
// this process does not see the other device.
bool joined_for_lines(int device, const std::string& peer_address);

// This GPU's own, zeros, for others to import.
class OwnPeerMemory {
 public:
  OwnPeerMemory() = default;
  // Throws RuntimeError.
  OwnPeerMemory(int device, std::size_t bytes, ShareBy by);
  OwnPeerMemory(OwnPeerMemory&& other) noexcept;
  OwnPeerMemory& operator=(OwnPeerMemory&& other) noexcept;
  ~OwnPeerMemory();

  std::byte* data() const { return data_; }
  // Opaque bytes by which other processes import it. Throws RuntimeError.
  std::string exported() const;

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  AllocationHandle allocation_;  // between hosts; else data_ is an allocation of the runtime
  MappedMemory mapping_;
};

class PeerMemory {
 public:
  // Throws RuntimeError: no peer access between the GPUs, no common NVLink domain, or the exporter
  // is gone.
  PeerMemory(int device, const std::string& exported);
  PeerMemory(PeerMemory&& other) noexcept;
  PeerMemory& operator=(PeerMemory&& other) noexcept;
  ~PeerMemory();

  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
  MappedMemory mapping_;  // between hosts; else data_ was opened by the runtime
};

}  // namespace fabricast::cuda
