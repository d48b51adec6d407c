// Nominal numbers of known GPUs by their NVML name, and what a compute capability implies.
//
// Only GPUs whose numbers have a source are listed; others get no rating rather than a guess.
#pragma once

#include <string>
#include <string_view>

namespace fabricast {

struct GpuRating {
  std::string_view marker;                       // part of the NVML name
  std::string_view name;                         // in machine files
  double hbm_tb_per_s, bf16_tflops, fp8_tflops;  // dense; 0: none
  int full_nvlinks;
  std::string_view source;
};

// Null when the GPU is not listed, or a slice of one (MIG).
const GpuRating* find_rating(std::string_view nvml_name);

// "hopper" for 9.0 ...; "other" when this version does not know it.
std::string_view generation_of(int compute_major, int compute_minor);

// The NVML name of NVIDIA's GPU of this PCI device ("0x2330"), as pci.ids and the public dumps of
// NCCL have them; empty when not listed.
std::string_view gpu_of_pci_device(std::string_view device);

// GB/s per direction of one NVLink of that compute capability, 0 when not known, and its source.
struct LinkRating {
  double gb_per_s = 0;
  std::string_view source;
};
LinkRating nvlink_rating(int compute_major, int compute_minor);

// GB/s per direction of a PCIe slot; 0 when not known.
LinkRating pcie_rating(int pcie_generation, int width);

}  // namespace fabricast
