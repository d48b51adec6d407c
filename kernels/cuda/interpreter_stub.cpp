// Built without nvcc: the same symbols, no devices.
#include "emulator/base/error.hpp"
#include "kernels/cuda/interpreter.hpp"

namespace fabricast::cuda {
namespace {
constexpr const char* not_built =
    "the CUDA interpreter is not built (no nvcc at configure time) configure with "
    "FABRICAST_ENABLE_CUDA=ON where a CUDA toolkit is installed";
}

struct Interpreter::State {};

DeviceProbe probe_devices() { return {0, not_built}; }
Interpreter::Interpreter(int) { throw RuntimeError(not_built); }
Interpreter::~Interpreter() = default;
std::string Interpreter::description() const { return not_built; }
std::int32_t Interpreter::max_lanes() const { return 0; }
void Interpreter::load(const lane::ProgramImage&) { throw RuntimeError(not_built); }
void Interpreter::set_stall_limit(double) { throw RuntimeError(not_built); }
void Interpreter::write_input(std::int32_t, std::span<const std::byte>) {
  throw RuntimeError(not_built);
}
void Interpreter::read_output(std::int32_t, std::span<std::byte>) { throw RuntimeError(not_built); }
double Interpreter::run() { throw RuntimeError(not_built); }
bool Interpreter::stalled() const { return false; }
lane::StallRecord Interpreter::stall() const { return {}; }
std::int64_t Interpreter::messages_left() { throw RuntimeError(not_built); }

}  // namespace fabricast::cuda
