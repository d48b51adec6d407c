// Kernels of the micro-benchmarks: host-side interface of bench/suites/*.cu, or of their stub.
//
// Everything is for one device, the current one. Launches are cooperative unless said otherwise and
// gated: work is queued before any of it runs, so the host's queueing is not timed. Times are us
// between CUDA events. Errors are RuntimeError, wrong data CheckError. Not thread safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bench/suites/device_under_test.hpp"

namespace fabricast::micro {

// 0 devices and the reason, or the facts of device 0 that CUDA knows, with its PCI bus id.
struct DeviceProbe {
  int devices = 0;
  std::string reason;
  DeviceFacts facts;
  std::string bus_id, description;
};
DeviceProbe probe();

// Streams, events and the gate that all benchmarks share.
class Session;
std::shared_ptr<Session> open_session();

class LaunchBench {
 public:
  explicit LaunchBench(std::shared_ptr<Session> session);
  ~LaunchBench();
  double once_us(LaunchKind kind, std::int32_t ctas);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class HandOffBench {
 public:
  explicit HandOffBench(std::shared_ptr<Session> session);
  ~HandOffBench();
  double once_us(Protocol protocol, std::int64_t bytes, bool ordered);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class LineMoveBench {
 public:
  explicit LineMoveBench(std::shared_ptr<Session> session);
  ~LineMoveBench();
  double once_us(Protocol protocol, std::int32_t ctas, std::int64_t bytes, bool awaits);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class ReduceCopyBench {
 public:
  explicit ReduceCopyBench(std::shared_ptr<Session> session);
  ~ReduceCopyBench();
  double once_us(std::int32_t sources, std::int32_t ctas, std::int64_t bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class EngineCopyBench {
 public:
  explicit EngineCopyBench(std::shared_ptr<Session> session);
  ~EngineCopyBench();
  double once_us(CopyPath path, std::int64_t bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class GemmBench {
 public:
  explicit GemmBench(std::shared_ptr<Session> session);
  ~GemmBench();
  double once_us(GemmType type, std::int32_t n, std::int32_t copy_ctas);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fabricast::micro
