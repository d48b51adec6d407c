// The GPU that micro-benchmarks run on: one call is one timed repetition.
//
// Two kinds exist: the first CUDA device (cuda_device.hpp) and a synthetic one whose truth is known
// (synthetic_device.hpp). Suites know only this, so that everything but the kernels is tested
// without a GPU. Times are us between CUDA events around work that was queued before it began,
// unless said otherwise. A first call with new arguments allocates and, where data are moved,
// checks every byte against the host before anything is timed (CheckError). Not thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "emulator/cost/protocol.hpp"
#include "emulator/profile/sample.hpp"

namespace fabricast {

struct DeviceFacts {
  std::string name;  // "NVIDIA H200"
  std::int32_t multiprocessors = 0;
  std::int32_t resident_ctas = 0;  // of the interpreter's size, all together
  std::int64_t memory_bytes = 0, l2_bytes = 0;
  double pcie_gb_per_s = 0;  // nominal rate of its slot, one way; 0: not known
  std::string pcie_source;
  std::string no_gemm;  // why GEMMs cannot run (no cuBLAS); empty: they can
};

enum class LaunchKind : std::uint8_t {
  cooperative,  // as the interpreter is launched; empty kernel
  plain,
  graph_node,  // one of many empty kernels of one graph launch
  api_call,    // host clock: the call that queues a kernel
};

enum class CopyPath : std::uint8_t { on_device, to_device, from_device, both_ways };

enum class GemmType : std::uint8_t { f32, bf16, fp8 };

class DeviceUnderTest {
 public:
  virtual ~DeviceUnderTest() = default;

  virtual const DeviceFacts& facts() const = 0;
  virtual DeviceState state() = 0;  // clocks and throttling now
  virtual std::string description() const = 0;

  virtual double launch_us(LaunchKind kind, std::int32_t ctas) = 0;
  // One way, of a ping-pong between two CTAs: `bytes` of data and the flag that says they are
  // there. `ordered`: lines, and every message also orders what its sender did before, with fences
  // and barriers as in the interpreter's schedules of several roles.
  virtual double hand_off_us(Protocol protocol, std::int64_t bytes, bool ordered) = 0;
  // `ctas` CTAs take `bytes` of data out of lines that are there and put them into other lines
  // (`awaits`: having looked through all lines first): one of the micro_passes(bytes) of a
  // cooperative launch. The protocol is ll or ll128.
  virtual double line_move_us(Protocol protocol, std::int32_t ctas, std::int64_t bytes,
                              bool awaits) = 0;
  // destination = sum of `sources`, each of `bytes`, by `ctas` CTAs: one of the micro_passes(bytes)
  // of a cooperative launch.
  virtual double reduce_copy_us(std::int32_t sources, std::int32_t ctas, std::int64_t bytes) = 0;
  // By copy engines; host memory is pinned. both_ways: `bytes` each way at once.
  virtual double engine_copy_us(CopyPath path, std::int64_t bytes) = 0;
  // n x n x n. copy_ctas > 0: beside a copy kernel of so many CTAs that runs before and after it.
  virtual double gemm_us(GemmType type, std::int32_t n, std::int32_t copy_ctas) = 0;
};

// Why there is none, or the first CUDA device. Throws RuntimeError if a device is there but cannot
// be used.
struct CudaDeviceChoice {
  std::unique_ptr<DeviceUnderTest> device;
  std::string why_not;
};
CudaDeviceChoice first_cuda_device();

}  // namespace fabricast
