// Built without nvcc: no device, and the reason.
#include "bench/suites/cuda_kernels.hpp"

#include "emulator/base/error.hpp"

namespace fabricast::micro {
namespace {

constexpr const char* not_built =
    "this build has no CUDA (configured without nvcc) configure with -DFABRICAST_ENABLE_CUDA=ON";

}  // namespace

class Session {};

struct LaunchBench::State {};
struct HandOffBench::State {};
struct LineMoveBench::State {};
struct ReduceCopyBench::State {};
struct EngineCopyBench::State {};
struct GemmBench::State {};

DeviceProbe probe() {
  DeviceProbe none;
  none.reason = not_built;
  return none;
}
std::shared_ptr<Session> open_session() { throw RuntimeError(not_built); }

LaunchBench::LaunchBench(std::shared_ptr<Session>) {}
LaunchBench::~LaunchBench() = default;
double LaunchBench::once_us(LaunchKind, std::int32_t) { throw RuntimeError(not_built); }
HandOffBench::HandOffBench(std::shared_ptr<Session>) {}
HandOffBench::~HandOffBench() = default;
double HandOffBench::once_us(Protocol, std::int64_t, bool) { throw RuntimeError(not_built); }
LineMoveBench::LineMoveBench(std::shared_ptr<Session>) {}
LineMoveBench::~LineMoveBench() = default;
double LineMoveBench::once_us(Protocol, std::int32_t, std::int64_t, bool) {
  throw RuntimeError(not_built);
}
ReduceCopyBench::ReduceCopyBench(std::shared_ptr<Session>) {}
ReduceCopyBench::~ReduceCopyBench() = default;
double ReduceCopyBench::once_us(std::int32_t, std::int32_t, std::int64_t) {
  throw RuntimeError(not_built);
}
EngineCopyBench::EngineCopyBench(std::shared_ptr<Session>) {}
EngineCopyBench::~EngineCopyBench() = default;
double EngineCopyBench::once_us(CopyPath, std::int64_t) { throw RuntimeError(not_built); }
GemmBench::GemmBench(std::shared_ptr<Session>) {}
GemmBench::~GemmBench() = default;
double GemmBench::once_us(GemmType, std::int32_t, std::int32_t) { throw RuntimeError(not_built); }

}  // namespace fabricast::micro
