#include "kernels/cuda/peer_memory.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "emulator/base/error.hpp"
#include "kernels/cuda/device_memory.cuh"

namespace fabricast::cuda {
namespace {

// The first byte of what is exported.
constexpr char ipc_kind = 'i';
constexpr char fabric_kind = 'f';

}  // namespace

bool joined_for_lines(int device, const std::string& peer_address) {
  int peer = -1, native = 0;
  if (cudaDeviceGetByPCIBusId(&peer, peer_address.c_str()) != cudaSuccess) return false;
  if (peer == device) return true;
  return cudaDeviceGetP2PAttribute(&native, cudaDevP2PAttrNativeAtomicSupported, device, peer) ==
             cudaSuccess &&
         native == 1;
}

OwnPeerMemory::OwnPeerMemory(int device, std::size_t bytes, ShareBy by) {
  check(cudaSetDevice(device), "selecting the GPU");
  if (by == ShareBy::fabric) {
    const std::size_t unit = allocation_granularity(device, by);
    bytes_ = std::max<std::size_t>((bytes + unit - 1) / unit, 1) * unit;
    allocation_ = allocate_shared(device, bytes_, by);
    mapping_ = MappedMemory(device, allocation_, bytes_, unit, "connections between GPUs");
    data_ = mapping_.data();
    check(cudaMemset(data_, 0, bytes_), "clearing connections between GPUs");
  } else {
    DeviceArray<std::byte> array(bytes, "connections between GPUs");
    array.zero("connections between GPUs");
    bytes_ = bytes;
    data_ = array.release();
  }
  check(cudaDeviceSynchronize(), "waiting for the GPU");
}

OwnPeerMemory::OwnPeerMemory(OwnPeerMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      bytes_(other.bytes_),
      allocation_(std::move(other.allocation_)),
      mapping_(std::move(other.mapping_)) {}
OwnPeerMemory& OwnPeerMemory::operator=(OwnPeerMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(allocation_, other.allocation_);
  std::swap(mapping_, other.mapping_);
  return *this;
}
OwnPeerMemory::~OwnPeerMemory() {
  if (data_ != nullptr && mapping_.data() == nullptr) cudaFree(data_);
}

std::string OwnPeerMemory::exported() const {
  if (allocation_.held()) {
    const auto shared = allocation_.share(ShareBy::fabric, "GPU memory");
    return fabric_kind + std::to_string(bytes_) + " " + shared.fabric;
  }
  cudaIpcMemHandle_t handle{};
  check(cudaIpcGetMemHandle(&handle, data_), "sharing GPU memory with other processes");
  return ipc_kind + std::string(reinterpret_cast<const char*>(&handle), sizeof handle);
}

PeerMemory::PeerMemory(int device, const std::string& exported) {
  check(cudaSetDevice(device), "selecting the GPU");
  if (exported.starts_with(fabric_kind)) {
    char* rest = nullptr;
    const std::size_t bytes = std::strtoull(exported.c_str() + 1, &rest, 10);
    const auto at = static_cast<std::size_t>(rest - exported.c_str());
    const auto handle = at < exported.size() ? exported.substr(at + 1) : std::string();
    const auto allocation = AllocationHandle::import({-1, handle}, "GPU memory");
    mapping_ = MappedMemory(device, allocation, bytes, 0, "another GPU's memory");
    data_ = mapping_.data();
    return;
  }
  cudaIpcMemHandle_t handle{};
  if (!exported.starts_with(ipc_kind) || exported.size() != 1 + sizeof handle) {
    throw RuntimeError("no handle of GPU memory (another build of the program?) start one binary");
  }
  std::memcpy(&handle, exported.data() + 1, sizeof handle);
  void* data = nullptr;
  const auto code = cudaIpcOpenMemHandle(&data, handle, cudaIpcMemLazyEnablePeerAccess);
  if (code != cudaSuccess) {
    throw RuntimeError(std::string("reaching another GPU's memory failed: ") +
                       cudaGetErrorString(code) + " (" + cudaGetErrorName(code) +
                       ": no peer access between the two) see nvidia-smi topo -p2p r");
  }
  data_ = static_cast<std::byte*>(data);
}

PeerMemory::PeerMemory(PeerMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), mapping_(std::move(other.mapping_)) {}
PeerMemory& PeerMemory::operator=(PeerMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(mapping_, other.mapping_);
  return *this;
}
PeerMemory::~PeerMemory() {
  if (data_ != nullptr && mapping_.data() == nullptr) cudaIpcCloseMemHandle(data_);
}

}  // namespace fabricast::cuda
