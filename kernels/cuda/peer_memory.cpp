#include "kernels/cuda/peer_memory.hpp"

#include <cuda_runtime.h>

#include <cstring>
#include <utility>

#include "emulator/base/error.hpp"
#include "kernels/cuda/device_memory.cuh"

namespace fabricast::cuda {

bool joined_for_lines(int device, const std::string& peer_address) {
  int peer = -1, native = 0;
  if (cudaDeviceGetByPCIBusId(&peer, peer_address.c_str()) != cudaSuccess) return false;
  if (peer == device) return true;
  return cudaDeviceGetP2PAttribute(&native, cudaDevP2PAttrNativeAtomicSupported, device, peer) ==
             cudaSuccess &&
         native == 1;
}

std::string export_memory(std::byte* memory) {
  cudaIpcMemHandle_t handle{};
  check(cudaIpcGetMemHandle(&handle, memory), "sharing GPU memory with other processes");
  return {reinterpret_cast<const char*>(&handle), sizeof handle};
}

PeerMemory::PeerMemory(int device, const std::string& exported) {
  cudaIpcMemHandle_t handle{};
  if (exported.size() != sizeof handle) {
    throw RuntimeError("no handle of GPU memory (another build of the program?) start one binary");
  }
  std::memcpy(&handle, exported.data(), sizeof handle);
  auto code = cudaSetDevice(device);
  void* data = nullptr;
  if (code == cudaSuccess) {
    code = cudaIpcOpenMemHandle(&data, handle, cudaIpcMemLazyEnablePeerAccess);
  }
  if (code != cudaSuccess) {
    throw RuntimeError(std::string("reaching another GPU's memory failed: ") +
                       cudaGetErrorString(code) + " (" + cudaGetErrorName(code) +
                       ": no peer access between the two) see nvidia-smi topo -p2p r");
  }
  data_ = static_cast<std::byte*>(data);
}

PeerMemory::PeerMemory(PeerMemory&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
PeerMemory& PeerMemory::operator=(PeerMemory&& other) noexcept {
  std::swap(data_, other.data_);
  return *this;
}
PeerMemory::~PeerMemory() {
  if (data_ != nullptr) cudaIpcCloseMemHandle(data_);
}

}  // namespace fabricast::cuda
