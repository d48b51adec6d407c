#include "topologies/discover/nvml_monitor.hpp"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "topologies/discover/driver_library.hpp"

namespace fabricast {
namespace {

using nvml::nvml_success;

// nvml.h: nvmlClockType_t and nvmlTemperatureSensors_t.
constexpr int clock_sm = 1, clock_memory = 2, sensor_gpu = 0;

struct Reason {
  std::uint64_t bit;
  std::string_view name;
  bool disturbing;
};
// nvml.h: nvmlClocksThrottleReason*.
constexpr std::array reasons_told{
    Reason{0x04, "sw_power_cap", false},  Reason{0x08, "hw_slowdown", true},
    Reason{0x20, "sw_thermal", true},     Reason{0x40, "hw_thermal", true},
    Reason{0x80, "hw_power_brake", true},
};

}  // namespace

std::string throttle_text(std::uint64_t reasons) {
  std::string text;
  for (const Reason& reason : reasons_told) {
    if ((reasons & reason.bit) == 0) continue;
    text += (text.empty() ? "" : "+") + std::string(reason.name);
  }
  return text;
}

bool is_disturbing_throttle(std::uint64_t reasons) {
  for (const Reason& reason : reasons_told) {
    if (reason.disturbing && (reasons & reason.bit) != 0) return true;
  }
  return false;
}

struct NvmlMonitor::Session {
  explicit Session(const std::string& name) : library(name) {}
  ~Session() {
    if (started) library.call("nvmlShutdown");
  }

  nvml::Library library;
  bool started = false;
  nvml::Device device = nullptr;
};

NvmlMonitor::NvmlMonitor(const std::string& bus_id, const std::string& library)
    : session_(std::make_unique<Session>(library)) {
  if (session_->library.handle == nullptr) {
    note_ = fmt::format("{} cannot be loaded: clocks are not known", library);
    return;
  }
  session_->started = session_->library.call("nvmlInit_v2") == nvml_success;
  const int code = session_->library.call("nvmlDeviceGetHandleByPciBusId_v2", bus_id.c_str(),
                                          &session_->device);
  if (!session_->started || code != nvml_success) {
    session_->device = nullptr;
    note_ = fmt::format("NVML does not find GPU {}: clocks are not known", bus_id);
  }
}

NvmlMonitor::~NvmlMonitor() = default;

GpuState NvmlMonitor::read() const {
  GpuState state;
  const nvml::Device device = session_->device;
  if (device == nullptr) return state;
  const nvml::Library& library = session_->library;
  unsigned value = 0;
  const auto number = [&](int code) {
    return code == nvml_success ? static_cast<int>(value) : 0;
  };
  state.sm_mhz = number(library.call("nvmlDeviceGetClockInfo", device, clock_sm, &value));
  state.memory_mhz = number(library.call("nvmlDeviceGetClockInfo", device, clock_memory, &value));
  state.temperature_c =
      number(library.call("nvmlDeviceGetTemperature", device, sensor_gpu, &value));
  state.power_w = number(library.call("nvmlDeviceGetPowerUsage", device, &value)) / 1000.0;
  unsigned long long reasons = 0;
  if (library.call("nvmlDeviceGetCurrentClocksThrottleReasons", device, &reasons) ==
      nvml_success) {
    state.reasons = reasons;
  }
  return state;
}

}  // namespace fabricast
