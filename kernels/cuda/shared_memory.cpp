#include "kernels/cuda/shared_memory.hpp"

#include <cstring>
#include <utility>

#include "emulator/base/error.hpp"
#include "kernels/cuda/driver_api.hpp"

namespace fabricast::cuda {
namespace {

constexpr const char* imex_advice =
    "see that the hosts are of one NVLink domain (else --executor nccl), and that each has the "
    "nvidia-imex service running and the same channel file under /dev/nvidia-caps-imex-channels";

CUmemAllocationHandleType type_of(ShareBy by) {
  return by == ShareBy::fabric ? CU_MEM_HANDLE_TYPE_FABRIC
                               : CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
}

CUmemAllocationProp properties_of(int device, ShareBy by) {
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.requestedHandleTypes = type_of(by);
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, {device}};
  return properties;
}

}  // namespace

std::string why_no_fabric_handles(int device) {
  if (const auto& missing = driver_api().missing; !missing.empty()) return missing;
  if (device_attribute(device, CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_FABRIC_SUPPORTED) == 0) {
    return "the GPU cannot share memory with other hosts (no fabric handles: not in a rack whose "
           "NVLink joins hosts, or its driver is before CUDA 12.3)";
  }
  // GPUs of hosts that NVLink does not join say yes as well, and refuse the handle.
  try {
    const std::size_t least = allocation_granularity(device, ShareBy::fabric);
    allocate_shared(device, least, ShareBy::fabric).share(ShareBy::fabric, "GPU memory");
  } catch (const RuntimeError& error) {
    return error.what();
  }
  return "";
}

AllocationHandle::AllocationHandle(AllocationHandle&& other) noexcept
    : handle_(other.handle_), held_(std::exchange(other.held_, false)) {}
AllocationHandle& AllocationHandle::operator=(AllocationHandle&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(held_, other.held_);
  return *this;
}
AllocationHandle::~AllocationHandle() {
  if (held_) driver_api().memory_release(handle_);
}

SharedHandle AllocationHandle::share(ShareBy by, const std::string& what) const {
  SharedHandle shared;
  if (by == ShareBy::descriptor) {
    check_driver(driver_api().memory_export(&shared.descriptor, handle_, type_of(by), 0),
                 "sharing " + what + " with other processes", "see ulimit -n");
    return shared;
  }
  CUmemFabricHandle fabric{};
  check_driver(driver_api().memory_export(&fabric, handle_, type_of(by), 0),
               "sharing " + what + " with other hosts", imex_advice);
  shared.fabric.assign(reinterpret_cast<const char*>(&fabric), sizeof fabric);
  return shared;
}

AllocationHandle AllocationHandle::import(const SharedHandle& shared, const std::string& what) {
  CUmemGenericAllocationHandle handle = 0;
  if (shared.descriptor >= 0) {
    void* descriptor = reinterpret_cast<void*>(static_cast<std::uintptr_t>(shared.descriptor));
    check_driver(driver_api().memory_import(&handle, descriptor, type_of(ShareBy::descriptor)),
                 "opening " + what + " of another process");
    return AllocationHandle(handle);
  }
  CUmemFabricHandle fabric{};
  if (shared.fabric.size() != sizeof fabric) {
    throw RuntimeError("no handle of " + what +
                       " (another build of the program?) start one binary on all hosts");
  }
  std::memcpy(&fabric, shared.fabric.data(), sizeof fabric);
  check_driver(driver_api().memory_import(&handle, &fabric, type_of(ShareBy::fabric)),
               "opening " + what + " of another host", imex_advice);
  return AllocationHandle(handle);
}

std::size_t allocation_granularity(int device, ShareBy by) {
  const auto properties = properties_of(device, by);
  std::size_t bytes = 0;
  check_driver(
      driver_api().memory_granularity(&bytes, &properties, CU_MEM_ALLOC_GRANULARITY_RECOMMENDED),
      "asking how GPU memory is cut");
  return bytes;
}

AllocationHandle allocate_shared(int device, std::size_t bytes, ShareBy by) {
  const auto properties = properties_of(device, by);
  CUmemGenericAllocationHandle handle = 0;
  const CUresult code = driver_api().memory_create(&handle, bytes, &properties, 0);
  const bool too_much = by == ShareBy::descriptor || code == CUDA_ERROR_OUT_OF_MEMORY;
  check_driver(code, "allocating " + std::to_string(bytes) + " bytes of GPU memory to share",
               too_much ? "ask for smaller sizes (-e)" : imex_advice);
  return AllocationHandle(handle);
}

MappedMemory::MappedMemory(int device, const AllocationHandle& allocation, std::size_t bytes,
                           std::size_t alignment, const std::string& what)
    : bytes_(bytes) {
  const DriverApi& api = driver_api();
  try {
    CUdeviceptr address = 0;
    check_driver(api.address_reserve(&address, bytes, alignment, 0, 0),
                 "reserving addresses for " + what);
    address_ = static_cast<std::uintptr_t>(address);
    check_driver(api.map(address, bytes, 0, allocation.get(), 0), "mapping " + what);
    mapped_ = true;
    CUmemAccessDesc access{};
    access.location = {CU_MEM_LOCATION_TYPE_DEVICE, {device}};
    access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
    check_driver(api.set_access(address, bytes, &access, 1), "opening " + what + " to the GPU");
  } catch (const RuntimeError&) {
    release();
    throw;
  }
}

MappedMemory::MappedMemory(MappedMemory&& other) noexcept
    : address_(std::exchange(other.address_, 0)),
      bytes_(other.bytes_),
      mapped_(std::exchange(other.mapped_, false)) {}
MappedMemory& MappedMemory::operator=(MappedMemory&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapped_, other.mapped_);
  return *this;
}
MappedMemory::~MappedMemory() { release(); }

void MappedMemory::release() {
  if (mapped_) driver_api().unmap(address_, bytes_);
  if (address_ != 0) driver_api().address_free(address_, bytes_);
}

}  // namespace fabricast::cuda
