#include "topologies/discover/nvml.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include <fmt/format.h>

namespace fabricast {
namespace {

// Declarations of NVML (names and layouts of its public C interface).
using Device = void*;
constexpr int nvml_success = 0;
constexpr unsigned max_nvlinks = 36;  // more than any GPU to date has; NVML refuses the others

struct Memory {
  unsigned long long total, free, used;
};

struct PciInfo {  // nvmlPciInfo_t of nvmlDeviceGetPciInfo_v3
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};

struct Library {
  explicit Library(const std::string& name) : handle(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {}
  ~Library() {
    if (handle != nullptr) dlclose(handle);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // Calls `name` if the library has it; any non-zero result means it said no.
  template <class... Args>
  int call(const char* name, Args... args) const {
    using Function = int (*)(Args...);
    // POSIX guarantees this conversion for dlsym.
    const auto function = reinterpret_cast<Function>(dlsym(handle, name));
    return function == nullptr ? -1 : function(args...);
  }

  void* handle;
};

LocalGpu read_gpu(const Library& nvml, Device device) {
  LocalGpu gpu;
  std::array<char, 128> text{};
  const auto size = static_cast<unsigned>(text.size());
  if (nvml.call("nvmlDeviceGetName", device, text.data(), size) == nvml_success) {
    gpu.name = text.data();
  }
  if (nvml.call("nvmlDeviceGetUUID", device, text.data(), size) == nvml_success) {
    gpu.uuid = text.data();
  }
  PciInfo pci{};
  if (nvml.call("nvmlDeviceGetPciInfo_v3", device, &pci) == nvml_success) {
    gpu.bus_id = fmt::format("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device);
  }
  nvml.call("nvmlDeviceGetCudaComputeCapability", device, &gpu.compute_major, &gpu.compute_minor);
  Memory memory{};
  if (nvml.call("nvmlDeviceGetMemoryInfo", device, &memory) == nvml_success) {
    gpu.memory_bytes = static_cast<std::int64_t>(memory.total);
  }
  unsigned value = 0, other = 0;
  if (nvml.call("nvmlDeviceGetPowerManagementDefaultLimit", device, &value) == nvml_success) {
    gpu.power_limit_w = value / 1000.0;  // NVML reports milliwatts
  }
  if (nvml.call("nvmlDeviceGetMaxPcieLinkGeneration", device, &value) == nvml_success) {
    gpu.pcie_generation = static_cast<int>(value);
  }
  if (nvml.call("nvmlDeviceGetMaxPcieLinkWidth", device, &value) == nvml_success) {
    gpu.pcie_width = static_cast<int>(value);
  }
  if (nvml.call("nvmlDeviceGetMigMode", device, &value, &other) == nvml_success) {
    gpu.mig = value != 0;
  }
  for (unsigned link = 0; link < max_nvlinks; ++link) {
    unsigned active = 0;
    const bool known = nvml.call("nvmlDeviceGetNvLinkState", device, link, &active) == nvml_success;
    gpu.nvlinks += known && active == 1 ? 1 : 0;
  }
  return gpu;
}

}  // namespace

NvmlGpus probe_nvml(const std::string& library) {
  NvmlGpus result;
  const Library nvml(library);
  if (nvml.handle == nullptr) {
    result.note = fmt::format("{} cannot be loaded (no NVIDIA driver)", library);
    return result;
  }
  if (const int code = nvml.call("nvmlInit_v2"); code != nvml_success) {
    result.note = fmt::format("NVML does not start (nvmlInit_v2 returned {})", code);
    return result;
  }
  std::array<char, 128> text{};
  if (nvml.call("nvmlSystemGetDriverVersion", text.data(), static_cast<unsigned>(text.size())) ==
      nvml_success) {
    result.driver_version = text.data();
  }
  unsigned count = 0;
  nvml.call("nvmlDeviceGetCount_v2", &count);
  for (unsigned i = 0; i < count; ++i) {
    Device device = nullptr;
    if (nvml.call("nvmlDeviceGetHandleByIndex_v2", i, &device) == nvml_success) {
      result.gpus.push_back(read_gpu(nvml, device));
    }
  }
  nvml.call("nvmlShutdown");
  std::stable_sort(result.gpus.begin(), result.gpus.end(),
                   [](const auto& a, const auto& b) { return a.bus_id < b.bus_id; });
  if (result.gpus.empty()) result.note = "NVML reports no GPU";
  return result;
}

std::vector<LocalGpu> visible_gpus(const std::vector<LocalGpu>& all, const char* variable) {
  if (variable == nullptr) return all;
  std::vector<LocalGpu> visible;
  std::string_view rest = variable;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    std::string_view entry = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    std::size_t index = all.size();
    const auto parsed = std::from_chars(entry.data(), entry.data() + entry.size(), index);
    if (parsed.ec != std::errc{} || parsed.ptr != entry.data() + entry.size()) {
      const auto found = std::find_if(all.begin(), all.end(), [&](const auto& gpu) {
        return entry.size() > 4 && gpu.uuid.starts_with(entry);
      });
      index = static_cast<std::size_t>(found - all.begin());
    }
    if (index >= all.size()) break;
    visible.push_back(all[index]);
  }
  return visible;
}

}  // namespace fabricast
