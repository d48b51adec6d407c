#include "topologies/discover/gpu_catalog.hpp"

#include <algorithm>
#include <array>

namespace fabricast {
namespace {

constexpr std::string_view aiconfigurator = "aiconfigurator systems/*.yaml @095f58a (NVIDIA)";

// Longer markers first: "GB200" contains "B200".
constexpr std::array ratings{
    GpuRating{"GB300", "B300", 8.0, 2500, 5000, 18, aiconfigurator},
    GpuRating{"GB200", "B200", 8.0, 2500, 5000, 18, aiconfigurator},
    GpuRating{"B300", "B300", 7.75, 2250, 4500, 18, aiconfigurator},
    GpuRating{"B200", "B200", 7.7, 2250, 4500, 18, aiconfigurator},
    GpuRating{"H200 NVL", "H200-NVL", 0, 0, 0, 0, ""},  // other clocks than the SXM part: no source
    GpuRating{"H200", "H200", 4.8, 989, 1979, 18, aiconfigurator},
    GpuRating{"H100 80GB HBM3", "H100", 3.35, 989, 1979, 18, aiconfigurator},
    GpuRating{"A100-SXM4-80GB", "A100", 2.039, 312, 0, 12, aiconfigurator},
};

struct PciDevice {
  std::string_view id, name;
};
constexpr std::array devices{
    PciDevice{"0x1db1", "Tesla V100-SXM2-16GB"},
    PciDevice{"0x1db4", "Tesla V100-PCIE-16GB"},
    PciDevice{"0x1db5", "Tesla V100-SXM2-32GB"},
    PciDevice{"0x1db6", "Tesla V100-PCIE-32GB"},
    PciDevice{"0x1db8", "Tesla V100-SXM3-32GB"},
    PciDevice{"0x20b0", "NVIDIA A100-SXM4-40GB"},
    PciDevice{"0x20b2", "NVIDIA A100-SXM4-80GB"},
    PciDevice{"0x20b5", "NVIDIA A100 80GB PCIe"},
    PciDevice{"0x20f1", "NVIDIA A100-PCIE-40GB"},
    PciDevice{"0x20f3", "NVIDIA A800-SXM4-80GB"},
    PciDevice{"0x2204", "NVIDIA GeForce RTX 3090"},
    PciDevice{"0x2230", "NVIDIA RTX A6000"},
    PciDevice{"0x2237", "NVIDIA A10G"},
    PciDevice{"0x2684", "NVIDIA GeForce RTX 4090"},
    PciDevice{"0x2324", "NVIDIA H800"},
    PciDevice{"0x2330", "NVIDIA H100 80GB HBM3"},
    PciDevice{"0x2331", "NVIDIA H100 PCIe"},
    PciDevice{"0x2335", "NVIDIA H200"},
    PciDevice{"0x2901", "NVIDIA B200"},
    PciDevice{"0x2941", "NVIDIA GB200"},
    PciDevice{"0x3182", "NVIDIA B300 SXM6 AC"},
    PciDevice{"0x31c2", "NVIDIA GB300"},
};

}  // namespace

const GpuRating* find_rating(std::string_view nvml_name) {
  if (nvml_name.find(" MIG ") != std::string_view::npos) return nullptr;  // a slice is no whole one
  for (const auto& rating : ratings) {
    if (nvml_name.find(rating.marker) != std::string_view::npos) {
      return rating.full_nvlinks > 0 ? &rating : nullptr;
    }
  }
  return nullptr;
}

std::string_view generation_of(int compute_major, int compute_minor) {
  switch (compute_major) {
    case 7:
      return compute_minor >= 5 ? "turing" : "volta";
    case 8:
      return compute_minor == 9 ? "ada" : "ampere";
    case 9:
      return "hopper";
    case 10:
      return compute_minor == 7 ? "rubin" : "blackwell";
    case 12:
      return "blackwell";
    default:
      return "other";
  }
}

std::string_view gpu_of_pci_device(std::string_view device) {
  const auto found =
      std::find_if(devices.begin(), devices.end(), [&](const auto& d) { return d.id == device; });
  return found == devices.end() ? std::string_view() : found->name;
}

LinkRating nvlink_rating(int compute_major, int compute_minor) {
  constexpr std::string_view source = "ml-engineering network/README.md @744d01e (vendor pages)";
  switch (compute_major * 10 + compute_minor) {
    case 60:
      return {20, "NVIDIA Tesla P100 whitepaper WP-08019-001: 40 GB/s both ways"};
    case 70:
      return {25, "Dell EMC Ready Solutions for AI with NVIDIA v1.0 page 17: 6 links of 25 GB/s"};
    case 75:
      return {25, "NVIDIA Turing whitepaper WP-09183-001: 25 GB/s each way of a link of TU102"};
    case 86:
      return {14.0625, "NVIDIA Ampere GA102 whitepaper: four links of 14.0625 GB/s each way"};
    case 80:
    case 90:
      return {25, source};
    case 100:
    case 103:
      return {50, source};
    case 107:
      return {50, "NVIDIA Vera Rubin NVL72 page: 1.8 TB/s each way over 36 links (announced)"};
    default:
      return {};
  }
}

LinkRating pcie_rating(int pcie_generation, int width) {
  constexpr std::string_view source =
      "PCIe Gen4 x16 32 GB/s, Gen5 x16 64 GB/s (ml-engineering network/README.md @744d01e), by "
      "width";
  if (pcie_generation < 3 || pcie_generation > 6 || width < 1) return {};
  return {static_cast<double>(1 << (pcie_generation - 3)) * width, source};
}

}  // namespace fabricast
