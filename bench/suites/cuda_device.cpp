// The first CUDA device as a DeviceUnderTest: benchmarks made on first use, clocks through NVML.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "bench/suites/cuda_kernels.hpp"
#include "topologies/discover/gpu_catalog.hpp"
#include "topologies/discover/nvml.hpp"
#include "topologies/discover/nvml_monitor.hpp"

namespace fabricast {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

class CudaDevice final : public DeviceUnderTest {
 public:
  explicit CudaDevice(const micro::DeviceProbe& probe)
      : facts_(probe.facts),
        description_(probe.description),
        session_(micro::open_session()),
        monitor_(lower(probe.bus_id)) {
    const NvmlGpus known = probe_nvml();
    for (const LocalGpu& gpu : known.gpus) {
      if (lower(gpu.bus_id) != lower(probe.bus_id)) continue;
      facts_.pcie_gb_per_s = pcie_rating(gpu.pcie_generation, gpu.pcie_width).gb_per_s;
      facts_.pcie_source = fmt::format("PCIe {} x{} by NVML", gpu.pcie_generation, gpu.pcie_width);
    }
    if (facts_.pcie_source.empty()) {
      facts_.pcie_source = "not known: " + (known.loaded ? known.note : "NVML cannot be loaded");
    }
    if (!monitor_.note().empty()) description_ += "; " + monitor_.note();
  }

  const DeviceFacts& facts() const override { return facts_; }
  std::string description() const override { return description_; }

  DeviceState state() override {
    const GpuState now = monitor_.read();
    DeviceState state{now.sm_mhz,
                      now.memory_mhz,
                      now.temperature_c,
                      now.power_w,
                      throttle_text(now.reasons),
                      DiscardReason::none};
    if (is_disturbing_throttle(now.reasons)) state.discard = DiscardReason::throttled;
    return state;
  }

  double launch_us(LaunchKind kind, std::int32_t ctas) override {
    return made(launch_).once_us(kind, ctas);
  }
  double hand_off_us(Protocol protocol, std::int64_t bytes, bool ordered) override {
    return made(hand_off_).once_us(protocol, bytes, ordered);
  }
  double line_move_us(Protocol protocol, std::int32_t ctas, std::int64_t bytes,
                      bool awaits) override {
    return made(line_move_).once_us(protocol, ctas, bytes, awaits);
  }
  double reduce_copy_us(std::int32_t sources, std::int32_t ctas, std::int64_t bytes) override {
    return made(reduce_copy_).once_us(sources, ctas, bytes);
  }
  double engine_copy_us(CopyPath path, std::int64_t bytes) override {
    return made(engine_copy_).once_us(path, bytes);
  }
  double gemm_us(GemmType type, std::int32_t n, std::int32_t copy_ctas) override {
    return made(gemm_).once_us(type, n, copy_ctas);
  }

 private:
  template <class Bench>
  Bench& made(std::unique_ptr<Bench>& bench) {
    if (!bench) bench = std::make_unique<Bench>(session_);
    return *bench;
  }

  DeviceFacts facts_;
  std::string description_;
  std::shared_ptr<micro::Session> session_;
  NvmlMonitor monitor_;
  std::unique_ptr<micro::LaunchBench> launch_;
  std::unique_ptr<micro::HandOffBench> hand_off_;
  std::unique_ptr<micro::LineMoveBench> line_move_;
  std::unique_ptr<micro::ReduceCopyBench> reduce_copy_;
  std::unique_ptr<micro::EngineCopyBench> engine_copy_;
  std::unique_ptr<micro::GemmBench> gemm_;
};

}  // namespace

CudaDeviceChoice first_cuda_device() {
  const micro::DeviceProbe probe = micro::probe();
  if (probe.devices == 0) return {nullptr, probe.reason};
  return {std::make_unique<CudaDevice>(probe), ""};
}

}  // namespace fabricast
