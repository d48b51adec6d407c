// Memory of a GPU that another process of the same host reads and writes: CUDA IPC.
//
// The exporting process must keep the allocation until every importer has closed it. GPUs need peer
// access to each other (NVLink, or PCIe below one root complex). Not thread safe.
#pragma once

#include <cstddef>
#include <string>

namespace fabricast::cuda {

// Does a link join the two that keeps the 128 bytes of one store together, as LL128 needs (NVLink)?
// Asked by the attribute "native atomics over the link", which PCIe does not have. False as well if
// this process does not see the other device.
bool joined_for_lines(int device, const std::string& peer_address);

// Opaque bytes by which other processes import the allocation that starts at `memory`.
std::string export_memory(std::byte* memory);

class PeerMemory {
 public:
  // Throws RuntimeError: no peer access between the GPUs, or the exporter is gone.
  PeerMemory(int device, const std::string& exported);
  PeerMemory(PeerMemory&& other) noexcept;
  PeerMemory& operator=(PeerMemory&& other) noexcept;
  ~PeerMemory();

  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
};

}  // namespace fabricast::cuda
