// The scale-up part of a discovered machine: every number says whether it was read, looked up or
// assumed.
#include <algorithm>

#include <fmt/format.h>

#include "topologies/discover/cuda_driver.hpp"
#include "topologies/discover/gpu_catalog.hpp"
#include "topologies/discover/machine_writer.hpp"

namespace fabricast {

std::string yaml_quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const bool printable = static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
    if (c == '"' || c == '\\') result += '\\';
    result += printable ? c : ' ';
  }
  return result + '"';
}

std::string yaml_sourced(std::string_view value, std::string_view origin, std::string_view source) {
  return fmt::format("{{value: {}, origin: {}, source: {}}}", value, origin, yaml_quoted(source));
}

std::string yaml_line(std::string_view indent, std::string_view key, std::string_view value) {
  return fmt::format("{}{}: {}\n", indent, key, value);
}

std::string short_gpu_name(const LocalGpu& gpu) {
  const auto* rating = find_rating(gpu.name);
  if (rating != nullptr) return std::string(rating->name);
  std::string_view name = gpu.name;
  if (name.starts_with("NVIDIA ")) name.remove_prefix(7);
  return name.empty() ? "unnamed" : std::string(name);
}

namespace {

const LocalGpu& least_connected(const LocalMachine& host) {
  return *std::min_element(host.gpus.begin(), host.gpus.end(),
                           [](const auto& a, const auto& b) { return a.nvlinks < b.nvlinks; });
}

}  // namespace

std::string_view joined_by(const LocalMachine& host) {
  if (!host.nvlinks_known) return "pcie";
  const LocalGpu& least = least_connected(host);
  const double rate = nvlink_rating(least.compute_major, least.compute_minor).gb_per_s;
  return least.nvlinks > 0 && rate > 0 && host.nvlink_shape != "apart" ? "nvlink" : "pcie";
}

// Collective channels of NCCL 2.28.9's own search on 8-GPU NVLink boxes; assumed elsewhere.
std::string gpu_channels(const LocalMachine& host, bool several_hosts) {
  const auto& gpu = host.gpus.front();
  const auto generation = generation_of(gpu.compute_major, gpu.compute_minor);
  const bool nvlink = joined_by(host) == "nvlink";
  const bool box = host.gpus.size() == 8 && nvlink && !several_hosts;
  const std::string_view count = !nvlink ? "2" : generation == "blackwell" ? "32" : "24";
  return box && (generation == "ampere" || generation == "hopper" || generation == "blackwell")
             ? yaml_sourced(count, "published",
                            "NCCL 2.28.9 topology search on an 8-GPU XML of this kind")
             : yaml_sourced(several_hosts && nvlink ? "16" : count, "assumed",
                            "carried over from NCCL 2.28.9 searches on other boxes; compare with "
                            "NCCL_DEBUG=INFO");
}

namespace {

std::string processor_section(const LocalMachine& host, std::string_view indent) {
  const std::string inner = std::string(indent) + "  ";
  std::string text = fmt::format("{}processor:\n", indent);
  text += yaml_line(inner, "name", yaml_quoted(host.cpu_model));
  text +=
      yaml_line(inner, "memory",
                host.memory_bytes > 0
                    ? yaml_sourced(fmt::format("{} B", host.memory_bytes), "measured",
                                   "/proc/meminfo and cgroup limit")
                    : yaml_sourced("1 GB", "assumed", "the amount of memory could not be read"));
  if (host.llc_bytes > 0) {
    text += yaml_line(inner, "llc",
                      yaml_sourced(fmt::format("{} B", host.llc_bytes), "measured",
                                   "/sys/devices/system/cpu/cpu0/cache, one cache"));
  }
  return text;
}

std::string host_domain(const LocalMachine& host, std::string_view indent) {
  std::string text = yaml_line(indent, "kind", "host");
  text += yaml_line(
      indent, "lanes",
      yaml_sourced(
          std::to_string(host.usable_cores), "measured",
          fmt::format("usable cores of {} online (affinity and cgroup quota)", host.online_cores)));
  text += processor_section(host, indent);
  text += yaml_line(indent, "channels",
                    yaml_sourced("1", "assumed", "one lane of the host executor per core"));
  if (host.usable_cores == 1) return text;
  const std::string inner = std::string(indent) + "  ";
  text += fmt::format("{}interconnect:\n", indent);
  text += yaml_line(inner, "kind", "shared_memory");
  text += yaml_line(
      inner, "bandwidth",
      yaml_sourced("64 GB/s", "assumed",
                   "above the 52 GB/s of a cache-resident shared-memory copy between two cores; "
                   "what a core really copies is a parameter of the profile"));
  text += yaml_line(inner, "latency",
                    yaml_sourced("50 ns", "assumed",
                                 "half of about 100 ns from core to core; measure calibrates it"));
  return text;
}

// Who told memory and power, whatever a file says of the links.
std::string driver_source(const LocalMachine& host) {
  return std::string(host.gpu_source.starts_with(cuda_driver_source) ? cuda_driver_source : "NVML");
}

std::string gpu_section(const LocalMachine& host, std::string_view indent) {
  const LocalGpu& gpu = host.gpus.front();
  const std::string inner = std::string(indent) + "  ";
  const auto* rating = find_rating(gpu.name);
  std::string text = fmt::format("{}gpu:\n", indent);
  text += yaml_line(inner, "name", yaml_quoted(short_gpu_name(gpu)));
  text += yaml_line(inner, "generation", generation_of(gpu.compute_major, gpu.compute_minor));
  if (gpu.memory_bytes > 0) {
    text += yaml_line(inner, "hbm",
                      yaml_sourced(fmt::format("{} B", gpu.memory_bytes), "measured",
                                   driver_source(host) + ", total memory of the device"));
  }
  const auto nominal = [&](std::string_view key, double value, std::string_view unit) {
    if (rating == nullptr || value <= 0) return;
    text += yaml_line(inner, key,
                      yaml_sourced(fmt::format("{} {}", value, unit), "datasheet", rating->source));
  };
  if (rating != nullptr) {
    nominal("hbm_bandwidth", rating->hbm_tb_per_s, "TB/s");
    nominal("bf16", rating->bf16_tflops, "TFLOPS");
    nominal("fp8", rating->fp8_tflops, "TFLOPS");
  }
  if (gpu.power_limit_w > 0) {
    text += yaml_line(inner, "power",
                      yaml_sourced(fmt::format("{} W", gpu.power_limit_w), "measured",
                                   driver_source(host) + ", default power limit"));
  }
  return text;
}

// The least connected GPU decides: a collective runs at its speed.
std::string gpu_interconnect(const LocalMachine& host, std::string_view indent) {
  const LocalGpu& least = least_connected(host);
  const std::string inner = std::string(indent) + "  ";
  const auto nvlink = nvlink_rating(least.compute_major, least.compute_minor);
  std::string text = fmt::format("{}interconnect:\n", indent);
  if (joined_by(host) == "nvlink") {
    text += yaml_line(inner, "kind", "nvlink");
    if (!host.nvlink_shape.empty()) text += yaml_line(inner, "shape", host.nvlink_shape);
    text +=
        yaml_line(inner, "bandwidth",
                  yaml_sourced(fmt::format("{} GB/s", least.nvlinks * nvlink.gb_per_s), "datasheet",
                               fmt::format("{} links ({}) x {} GB/s: {}", least.nvlinks,
                                           host.gpu_source, nvlink.gb_per_s, nvlink.source)));
    text += yaml_line(
        inner, "latency",
        yaml_sourced("150 ns", "assumed",
                     "a quarter of NCCL's 0.6 us LL ring step (src/graph/tuning.cc @5067397)"));
    if (host.nvlink_switch && least.compute_major >= 9) {
      text += yaml_line(
          inner, "in_network_reduction",
          yaml_sourced(
              "yes", "published",
              "NCCL 2.28.9 src/transport/nvls.cc, src/graph/tuning.cc: NVLS from SM90 on"));
    }
    return text;
  }
  const auto pcie = pcie_rating(least.pcie_generation, least.pcie_width);
  text += yaml_line(inner, "kind", "pcie");
  text +=
      yaml_line(inner, "bandwidth",
                pcie.gb_per_s > 0
                    ? yaml_sourced(fmt::format("{} GB/s", pcie.gb_per_s), "datasheet",
                                   fmt::format("PCIe Gen{} x{} ({}): {}", least.pcie_generation,
                                               least.pcie_width, host.gpu_source, pcie.source))
                    : yaml_sourced("32 GB/s", "assumed",
                                   host.nvlinks_known
                                       ? "PCIe Gen4 x16: the slot could not be read"
                                       : "PCIe Gen4 x16: neither NVLinks nor the slot are known"));
  text += yaml_line(
      inner, "latency",
      yaml_sourced("250 ns", "assumed",
                   "a quarter of NCCL's 1.0 us LL ring step over PCIe (tuning.cc @5067397)"));
  return text;
}

std::string gpu_domain(const LocalMachine& host, std::string_view indent) {
  std::string text = yaml_line(indent, "kind", "single_node");
  text += yaml_line(
      indent, "gpus",
      yaml_sourced(std::to_string(host.gpus.size()), "measured", host.gpu_source + ": devices"));
  text += gpu_section(host, indent);
  text += yaml_line(indent, "channels", gpu_channels(host, false));
  if (host.gpus.size() > 1) text += gpu_interconnect(host, indent);
  return text;
}

}  // namespace

std::string domain_yaml(const LocalMachine& host, std::string_view indent) {
  return host.gpus.empty() ? host_domain(host, indent) : gpu_domain(host, indent);
}

}  // namespace fabricast
