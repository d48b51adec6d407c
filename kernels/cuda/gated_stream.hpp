// A stream whose work starts when the host says so, and the time it took between CUDA events.
//
// A kernel of one thread, the gate, holds the stream until everything is queued, so that what the
// host takes to queue it does not appear between the events, and where several GPUs start together
// until all are ready. It opens by itself after gate_limit_ns: a host that fails leaves no stream
// behind that waits for ever; the measured time is invalid then. Not thread safe; belongs to the
// device that was current when it was made, which must be current when it is used.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>

namespace fabricast::cuda {

// Processes await each other behind it, and a host may be held up for a while.
inline constexpr std::uint64_t gate_limit_ns = 10'000'000'000;

class GatedStream {
 public:
  // Throws RuntimeError, as all of these.
  GatedStream();
  ~GatedStream();
  GatedStream(const GatedStream&) = delete;
  GatedStream& operator=(const GatedStream&) = delete;

  cudaStream_t handle() const { return stream_; }

  // Closes the gate and starts the clock behind it: what is queued from here on waits for open().
  void hold();
  // Stops the clock behind what is queued.
  void stop();
  // May be called repeatedly, and when no gate is held.
  void open() noexcept;
  // cudaErrorNotReady until everything before the last stop() has run, then how it went. Not ready
  // is no error: CUDA remembers it as the last one, and this forgets it.
  cudaError_t state() const;
  // Between hold()'s gate and stop(), once state() says that it has run.
  double seconds() const;
  // Throws RuntimeError if the last gate opened by itself: what the clock shows is no measurement.
  void expect_opened() const;

  // All of these: the seconds that what `queue` puts on the stream took (whether that is one,
  // expect_opened() says). `before_start` is called when everything is queued and nothing has
  // started. `what` is running, for messages.
  double run(const char* what, const std::function<void()>& queue,
             const std::function<void()>& before_start = {});

 private:
  void launch_gate();
  void release();

  cudaStream_t stream_ = nullptr;
  cudaEvent_t start_ = nullptr;
  cudaEvent_t stop_ = nullptr;
  std::uint32_t* gate_ = nullptr;  // mapped host memory
};

// gate[0] opens it, gate[1] says that it has waited for too long.
void launch_gate(std::uint32_t* device_gate, std::uint64_t limit_ns, cudaStream_t stream);

}  // namespace fabricast::cuda
