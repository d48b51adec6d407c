// The step interpreter on one GPU: every lane a CTA of one cooperative launch, FIFOs in device
// memory, messages by Simple, LL or LL128 as the image says. Several of them, one per GPU, run one
// program together if their connections have been linked (kernels/lane/peer_port.hpp).
//
// CTAs share the device's L2 and HBM: times say what the copy and reduce loops, the hand-off and
// the memory of one device cost, and nothing about links. Whether FIFO data stay in L2 depends on
// fifos x depth x slot_bytes against its size; description() gives the size.
// Built without nvcc the same symbols say "not built". Not thread safe; one object per device use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/lane/image.hpp"
#include "kernels/lane/peer_port.hpp"
#include "kernels/lane/stall.hpp"

namespace fabricast::cuda {

struct DeviceProbe {
  std::int32_t devices = 0;  // 0 after any CUDA error
  std::string reason;        // why none, or the first device's name
};
DeviceProbe probe_devices();
// PCI addresses of the visible devices in CUDA's order, "" for one that has none; empty without a
// driver.
std::vector<std::string> device_addresses();

class Interpreter {
 public:
  // Throws RuntimeError without that device, or if it cannot launch cooperatively.
  explicit Interpreter(int device);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  std::string description() const;  // name, SMs, L2, compute capability, CUDA versions
  std::int32_t max_lanes() const;   // CTAs that can be resident together

  // Uploads a program: all ranks, or with `connections` (by FIFO of the image) the ranks of this
  // GPU, which have lanes and buffers in the image. Throws UsageError if its lanes cannot all be
  // resident.
  void load(const lane::ProgramImage& image,
            const std::vector<lane::PeerConnection>& connections = {});
  void set_stall_limit(double seconds);
  // Fills the rank's buffers with a pattern that no result has, then the input.
  void write_input(std::int32_t rank, std::span<const std::byte> input);
  void read_output(std::int32_t rank, std::span<std::byte> output);

  // One collective; seconds between CUDA events around the kernel, both queued before either runs.
  // If a lane stalls, `stalled()` is set and the FIFOs are reset, but not those to other
  // GPUs: load again. `before_start` is called when everything is queued and nothing has started:
  // where several GPUs wait for each other. RuntimeError if that, or a host that was held up, took
  // more than 10 s: the clock did not wait for it.
  double run(const std::function<void()>& before_start = {});
  bool stalled() const;
  lane::StallRecord stall() const;
  // Messages sent less messages received by lanes of this GPU, over all FIFOs: 0 after a correct
  // program, summed over its GPUs.
  std::int64_t messages_left();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fabricast::cuda
