#include "bench/suites/synthetic_device.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include <fmt/format.h>

#include "bench/suites/suite.hpp"
#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/cost/micro_model.hpp"

namespace fabricast {
namespace {

// Shapes of the generations' first devices (data sheets of A100, H100, B200); the rest of the
// numbers here is of nothing: it identifies no parameter.
struct Shape {
  std::int32_t multiprocessors;
  std::int64_t l2_bytes;
  double pcie_gb_per_s;
};
constexpr std::int64_t mib = 1 << 20;
constexpr Shape ampere{108, 40 * mib, 32}, hopper{132, 50 * mib, 64}, blackwell{148, 126 * mib, 64};
constexpr double plain_launch = 0.6, graph_node = 0.2, api_call = 0.5;  // of a cooperative launch
constexpr double engine_start_us = 4;
constexpr double bf16_flop_per_us = 5e8;

Shape shape_of(const std::string& generation) {
  if (generation == "ampere") return ampere;
  return generation == "blackwell" ? blackwell : hopper;
}

class SyntheticDevice final : public DeviceUnderTest {
 public:
  SyntheticDevice(const Topology& machine, ParameterValues truth,
                  const SyntheticDeviceOptions& options)
      : truth_(std::move(truth)), options_(options) {
    const Shape shape = shape_of(machine.gpu().generation);
    facts_.name = "synthetic " + machine.gpu().name;
    facts_.multiprocessors = shape.multiprocessors;
    facts_.resident_ctas = 2 * shape.multiprocessors;
    facts_.memory_bytes = static_cast<std::int64_t>(machine.gpu().hbm_gb.value * 1e9);
    facts_.l2_bytes = shape.l2_bytes;
    facts_.pcie_gb_per_s = shape.pcie_gb_per_s;
    facts_.pcie_source = "made up";
  }

  const DeviceFacts& facts() const override { return facts_; }
  std::string description() const override {
    return fmt::format("{}: nothing is measured, every time is computed", facts_.name);
  }
  DeviceState state() override {
    DeviceState state;
    state.sm_mhz = 1000;
    if (options_.hot_after > 0 && calls_ > options_.hot_after) {
      state.throttle = "sw_thermal";
      state.discard = DiscardReason::throttled;
    }
    return state;
  }

  double launch_us(LaunchKind kind, std::int32_t ctas) override {
    const double part = kind == LaunchKind::plain        ? plain_launch
                        : kind == LaunchKind::graph_node ? graph_node
                        : kind == LaunchKind::api_call   ? api_call
                                                         : 1;
    return noisy(fmt::format("launch {} {}", static_cast<int>(kind), ctas),
                 part * value("cuda.launch"));
  }

  double hand_off_us(Protocol protocol, std::int64_t bytes, bool ordered) override {
    const std::string name(fabricast::to_string(protocol));
    const auto more =
        static_cast<double>(wire_bytes(protocol, std::max<std::int64_t>(0, bytes - 120)));
    return noisy(fmt::format("hand-off {} {} {}", name, bytes, ordered),
                 value("cuda.handoff." + name) + (ordered ? value("cuda.order." + name) : 0) +
                     more / (value("cuda.cta_copy_bw") * 1e3));
  }

  double line_move_us(Protocol protocol, std::int32_t ctas, std::int64_t bytes,
                      bool awaits) override {
    auto conditions = micro_conditions("lines", awaits ? "await_move" : "move", ctas, bytes);
    conditions.protocol = fabricast::to_string(protocol);
    return noisy(fmt::format("lines {} {} {} {}", conditions.protocol, ctas, bytes, awaits),
                 micro_time_us(truth_, conditions));
  }

  double reduce_copy_us(std::int32_t sources, std::int32_t ctas, std::int64_t bytes) override {
    const auto time = [&](const char* variant) {
      return micro_time_us(truth_, micro_conditions("reduce_copy", variant, ctas, bytes));
    };
    const double two = sources == 1 ? 0 : time("reduce_2");
    const double us = sources == 1 ? time("copy") : sources == 2 ? two : 2 * two - time("copy");
    return noisy(fmt::format("copy {} {} {}", sources, ctas, bytes), us);
  }

  double engine_copy_us(CopyPath path, std::int64_t bytes) override {
    const auto size = static_cast<double>(bytes);
    const double us = path == CopyPath::on_device
                          ? engine_start_us + 2 * size / (value("cuda.hbm_bw") * 1e3)
                          : size / (value("cuda.pcie_efficiency") * facts_.pcie_gb_per_s * 1e3) +
                                (bytes < mib ? engine_start_us : 0);
    return noisy(fmt::format("engine {} {}", static_cast<int>(path), bytes), us);
  }

  double gemm_us(GemmType type, std::int32_t n, std::int32_t copy_ctas) override {
    const double speed = type == GemmType::fp8 ? 2 : type == GemmType::f32 ? 0.1 : 1;
    const double left =
        static_cast<double>(facts_.multiprocessors - copy_ctas) / facts_.multiprocessors;
    return noisy(fmt::format("gemm {} {} {}", static_cast<int>(type), n, copy_ctas),
                 2.0 * n * n * n / (bf16_flop_per_us * speed * left));
  }

 private:
  double value(const std::string& id) const { return parameter_value(truth_, id); }

  double noisy(const std::string& what, double us) {
    ++calls_;
    std::uint64_t key = 0;
    for (const char c : what) key = mix64(key ^ static_cast<unsigned char>(c));
    const std::uint64_t n = repetition_[key]++;
    const double factor = std::exp(options_.noise_ln * random_normal(options_.seed, key, n));
    const bool outlier = random_uniform(options_.seed, mix64(key), n) < options_.outlier_rate;
    return us * factor * (outlier ? options_.outlier_factor : 1);
  }

  ParameterValues truth_;
  SyntheticDeviceOptions options_;
  DeviceFacts facts_;
  std::map<std::uint64_t, std::uint64_t> repetition_;
  std::int64_t calls_ = 0;
};

}  // namespace

std::unique_ptr<DeviceUnderTest> synthetic_device(const Topology& machine,
                                                  const ParameterValues& truth,
                                                  const SyntheticDeviceOptions& options) {
  if (machine.gpu().generation == "host") {
    throw UsageError(fmt::format("machine \"{}\" has no GPUs (it is one of cores): name another",
                                 machine.name()));
  }
  return std::make_unique<SyntheticDevice>(machine, truth, options);
}

}  // namespace fabricast
