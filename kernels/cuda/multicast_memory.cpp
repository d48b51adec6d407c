#include "kernels/cuda/multicast_memory.hpp"

#include <algorithm>

#include "emulator/base/error.hpp"
#include "kernels/cuda/driver_api.hpp"

namespace fabricast::cuda {
namespace {

constexpr const char* what = "the multicast object";
constexpr const char* fabric_manager_advice =
    "see that the NVSwitch fabric is up: nvidia-smi -q (Fabric), and nvidia-fabricmanager or, "
    "between hosts, nvidia-imex";

CUmulticastObjectProp properties_of(int members, std::size_t bytes, ShareBy by) {
  CUmulticastObjectProp properties{};
  properties.numDevices = static_cast<unsigned>(members);
  properties.size = bytes;
  properties.handleTypes =
      by == ShareBy::fabric ? CU_MEM_HANDLE_TYPE_FABRIC : CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  return properties;
}

std::size_t granularity(const CUmulticastObjectProp& properties,
                        CUmulticastGranularity_flags which) {
  std::size_t bytes = 0;
  check_driver(driver_api().multicast_granularity(&bytes, &properties, which),
               "asking how multicast memory is cut", fabric_manager_advice);
  return bytes;
}

std::size_t rounded_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

std::string why_no_multicast(int device) {
  if (const auto& missing = driver_api().missing; !missing.empty()) return missing;
  const int major = device_attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  if (major < 9) {
    return "the GPU has compute capability " + std::to_string(major) + "." +
           std::to_string(device_attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)) +
           ", multimem instructions need 9.0";
  }
  if (device_attribute(device, CU_DEVICE_ATTRIBUTE_MULTICAST_SUPPORTED) != 0) return "";
  return "the driver offers no multicast on this GPU (no NVSwitch, or its fabric is not up: see "
         "nvidia-smi -q, Fabric)";
}

MulticastMemory::MulticastMemory(int device, int members, ShareBy by)
    : device_(device), members_(members), by_(by) {}

MulticastMemory::~MulticastMemory() {
  through_switch_ = MappedMemory();
  own_ = MappedMemory();
  CUdevice handle = 0;
  if (bound_ && driver_api().device_get(&handle, device_) == CUDA_SUCCESS) {
    driver_api().multicast_unbind(object_.get(), handle, 0, bytes_);
  }
}

// The recommended unit is large (hundreds of MiB): for smaller sizes the least will do.
std::size_t MulticastMemory::size_for(std::size_t bytes) const {
  const std::size_t memory_unit = allocation_granularity(device_, by_);
  const auto properties = properties_of(members_, rounded_up(bytes, memory_unit), by_);
  const auto least = granularity(properties, CU_MULTICAST_GRANULARITY_MINIMUM);
  const auto best = granularity(properties, CU_MULTICAST_GRANULARITY_RECOMMENDED);
  return rounded_up(bytes, std::max(bytes >= best ? best : least, memory_unit));
}

void MulticastMemory::create(std::size_t bytes) {
  const auto properties = properties_of(members_, bytes, by_);
  CUmemGenericAllocationHandle handle = 0;
  check_driver(driver_api().multicast_create(&handle, &properties),
               "creating a multicast object of " + std::to_string(bytes) + " bytes over " +
                   std::to_string(members_) + " GPUs",
               fabric_manager_advice);
  object_ = AllocationHandle(handle);
  bytes_ = bytes;
}

SharedHandle MulticastMemory::share() const { return object_.share(by_, what); }

void MulticastMemory::adopt(const SharedHandle& shared, std::size_t bytes) {
  object_ = AllocationHandle::import(shared, what);
  bytes_ = bytes;
}

void MulticastMemory::add_device() {
  CUdevice handle = 0;
  check_driver(driver_api().device_get(&handle, device_), "finding the GPU");
  check_driver(driver_api().multicast_add_device(object_.get(), handle),
               "adding the GPU to the multicast object",
               "all GPUs must be joined by one NVSwitch fabric");
}

void MulticastMemory::bind() {
  memory_ = allocate_shared(device_, bytes_, by_);
  check_driver(driver_api().multicast_bind(object_.get(), 0, memory_.get(), 0, bytes_, 0),
               "binding GPU memory to the multicast object", fabric_manager_advice);
  bound_ = true;
  const auto alignment =
      granularity(properties_of(members_, bytes_, by_), CU_MULTICAST_GRANULARITY_MINIMUM);
  own_ = MappedMemory(device_, memory_, bytes_, alignment, "the GPU's own memory");
  through_switch_ = MappedMemory(device_, object_, bytes_, alignment, what);
}

}  // namespace fabricast::cuda
