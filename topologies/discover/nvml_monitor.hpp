// Clocks, temperature, power and the reasons for lowered clocks of one GPU, read again and again.
//
// For judging samples: what was measured while the hardware slowed itself down says nothing of the
// GPU. Without NVML or that GPU everything reads 0 and `note` says why. A read takes some tens of
// microseconds to a millisecond: between samples, never inside. Not thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace fabricast {

struct GpuState {
  int sm_mhz = 0, memory_mhz = 0, temperature_c = 0;
  double power_w = 0;
  std::uint64_t reasons = 0;  // nvmlClocksEventReason* of nvml.h
};

// "sw_power_cap+hw_slowdown"; empty for none, or for idleness, a chosen clock and boost groups.
std::string throttle_text(std::uint64_t reasons);
// Heat, a power brake or a failing supply: the GPU was not itself. A power cap is (GEMMs meet it at
// the rated power), so it is told and not discarded.
bool is_disturbing_throttle(std::uint64_t reasons);

class NvmlMonitor {
 public:
  // `bus_id` as CUDA says it: "0000:1b:00.0".
  explicit NvmlMonitor(const std::string& bus_id,
                       const std::string& library = "libnvidia-ml.so.1");
  ~NvmlMonitor();
  NvmlMonitor(const NvmlMonitor&) = delete;
  NvmlMonitor& operator=(const NvmlMonitor&) = delete;

  GpuState read() const;
  const std::string& note() const { return note_; }  // empty: it reads

 private:
  struct Session;
  std::unique_ptr<Session> session_;
  std::string note_;
};

}  // namespace fabricast
