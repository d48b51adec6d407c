#include "topologies/discover/nvml.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include <fmt/format.h>

#include "topologies/discover/driver_library.hpp"

namespace fabricast {
namespace {

using nvml::Device;
using nvml::Library;
using nvml::nvml_success;

// Declarations of NVML (names and layouts of its public C interface).
constexpr unsigned max_nvlinks = 36;  // more than any GPU to date has; NVML refuses the others

constexpr unsigned remote_is_switch = 2;  // NVML_NVLINK_DEVICE_TYPE_SWITCH

struct Memory {
  unsigned long long total, free, used;
};

struct PciInfo {  // nvmlPciInfo_t of nvmlDeviceGetPciInfo_v3
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};

LocalGpu read_gpu(const Library& library, Device device) {
  LocalGpu gpu;
  std::array<char, 128> text{};
  const auto size = static_cast<unsigned>(text.size());
  if (library.call("nvmlDeviceGetName", device, text.data(), size) == nvml_success) {
    gpu.name = text.data();
  }
  if (library.call("nvmlDeviceGetUUID", device, text.data(), size) == nvml_success) {
    gpu.uuid = text.data();
  }
  PciInfo pci{};
  if (library.call("nvmlDeviceGetPciInfo_v3", device, &pci) == nvml_success) {
    gpu.bus_id = fmt::format("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device);
  }
  library.call("nvmlDeviceGetCudaComputeCapability", device, &gpu.compute_major,
               &gpu.compute_minor);
  Memory memory{};
  if (library.call("nvmlDeviceGetMemoryInfo", device, &memory) == nvml_success) {
    gpu.memory_bytes = static_cast<std::int64_t>(memory.total);
  }
  unsigned value = 0, other = 0;
  if (library.call("nvmlDeviceGetPowerManagementDefaultLimit", device, &value) == nvml_success) {
    gpu.power_limit_w = value / 1000.0;  // NVML reports milliwatts
  }
  if (library.call("nvmlDeviceGetMaxPcieLinkGeneration", device, &value) == nvml_success) {
    gpu.pcie_generation = static_cast<int>(value);
  }
  if (library.call("nvmlDeviceGetMaxPcieLinkWidth", device, &value) == nvml_success) {
    gpu.pcie_width = static_cast<int>(value);
  }
  if (library.call("nvmlDeviceGetMigMode", device, &value, &other) == nvml_success) {
    gpu.mig = value != 0;
  }
  for (unsigned link = 0; link < max_nvlinks; ++link) {
    unsigned active = 0;
    const bool known =
        library.call("nvmlDeviceGetNvLinkState", device, link, &active) == nvml_success;
    if (!known || active != 1) continue;
    ++gpu.nvlinks;
    unsigned remote = 0;
    const bool told =
        library.call("nvmlDeviceGetNvLinkRemoteDeviceType", device, link, &remote) == nvml_success;
    gpu.switch_links += told && remote == remote_is_switch ? 1 : 0;
  }
  return gpu;
}

}  // namespace

NvmlGpus probe_nvml(const std::string& library) {
  NvmlGpus result;
  const Library found(library);
  if (found.handle == nullptr) {
    result.note = fmt::format("{} cannot be loaded (no NVIDIA driver)", library);
    return result;
  }
  result.loaded = true;
  if (const int code = found.call("nvmlInit_v2"); code != nvml_success) {
    result.note = fmt::format("NVML does not start (nvmlInit_v2 returned {})", code);
    return result;
  }
  result.started = true;
  std::array<char, 128> text{};
  if (found.call("nvmlSystemGetDriverVersion", text.data(), static_cast<unsigned>(text.size())) ==
      nvml_success) {
    result.driver_version = text.data();
  }
  unsigned count = 0;
  found.call("nvmlDeviceGetCount_v2", &count);
  for (unsigned i = 0; i < count; ++i) {
    Device device = nullptr;
    if (found.call("nvmlDeviceGetHandleByIndex_v2", i, &device) == nvml_success) {
      result.gpus.push_back(read_gpu(found, device));
    }
  }
  found.call("nvmlShutdown");
  std::stable_sort(result.gpus.begin(), result.gpus.end(),
                   [](const auto& a, const auto& b) { return a.bus_id < b.bus_id; });
  if (result.gpus.empty()) result.note = "NVML reports no GPU";
  return result;
}

bool meet_at_switches(const std::vector<LocalGpu>& gpus) {
  return !gpus.empty() && std::all_of(gpus.begin(), gpus.end(), [](const LocalGpu& gpu) {
    return gpu.nvlinks > 0 && gpu.switch_links == gpu.nvlinks;
  });
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
