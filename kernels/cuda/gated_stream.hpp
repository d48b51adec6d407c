// A stream whose work starts when the host says so, and the time it took between CUDA events.
//
// A kernel of one thread holds the stream until everything is queued, so that launch overhead of
// the host does not appear between the events, and where several GPUs start together until all are
// ready. It opens by itself after a limit: a host that fails leaves no stream behind that waits for
// ever. Not thread safe; belongs to the device that was current when it was made.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>

namespace fabricast::cuda {

inline constexpr std::uint64_t gate_limit_ns = 1'000'000'000;
inline constexpr std::uint64_t peer_gate_limit_ns = 10'000'000'000;  // processes await each other

class GatedStream {
 public:
  // Throws RuntimeError, as all of these.
  GatedStream();
  ~GatedStream();
  GatedStream(const GatedStream&) = delete;
  GatedStream& operator=(const GatedStream&) = delete;

  // Seconds that what `queue` puts on the stream took. `before_start` is called when everything is
  // queued and nothing has started.
  double run(std::uint64_t limit_ns, const std::function<void(cudaStream_t)>& queue,
             const std::function<void()>& before_start);
  // Throws RuntimeError if the last gate opened by itself: GPUs that should have started together
  // did not.
  void expect_opened() const;

 private:
  void release();

  cudaStream_t stream_ = nullptr;
  cudaEvent_t start_ = nullptr;
  cudaEvent_t stop_ = nullptr;
  std::uint32_t* gate_ = nullptr;  // mapped host memory
};

// gate[0] opens it, gate[1] says that it has waited for too long.
void launch_gate(std::uint32_t* device_gate, std::uint64_t limit_ns, cudaStream_t stream);

}  // namespace fabricast::cuda
