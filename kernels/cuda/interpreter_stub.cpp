// Built without nvcc: the same symbols, no devices.
#include "emulator/base/error.hpp"
#include "kernels/cuda/interpreter.hpp"
#include "kernels/cuda/peer_memory.hpp"

namespace fabricast::cuda {
namespace {
constexpr const char* not_built =
    "the CUDA interpreter is not built (no nvcc at configure time) configure with "
    "FABRICAST_ENABLE_CUDA=ON where a CUDA toolkit is installed";
}

struct Interpreter::State {};

DeviceProbe probe_devices() { return {0, not_built}; }
std::vector<std::string> device_addresses() { return {}; }
Interpreter::Interpreter(int) { throw RuntimeError(not_built); }
Interpreter::~Interpreter() = default;
std::string Interpreter::description() const { return not_built; }
std::int32_t Interpreter::max_lanes() const { return 0; }
void Interpreter::load(const lane::ProgramImage&, const std::vector<lane::PeerConnection>&) {
  throw RuntimeError(not_built);
}
void Interpreter::set_stall_limit(double) { throw RuntimeError(not_built); }
void Interpreter::write_input(std::int32_t, std::span<const std::byte>) {
  throw RuntimeError(not_built);
}
void Interpreter::read_output(std::int32_t, std::span<std::byte>) { throw RuntimeError(not_built); }
double Interpreter::run(const std::function<void()>&) { throw RuntimeError(not_built); }
bool Interpreter::stalled() const { return false; }
lane::StallRecord Interpreter::stall() const { return {}; }
std::int64_t Interpreter::messages_left() { throw RuntimeError(not_built); }

bool joined_for_lines(int, const std::string&) { return false; }
OwnPeerMemory::OwnPeerMemory(int, std::size_t, ShareBy) { throw RuntimeError(not_built); }
OwnPeerMemory::OwnPeerMemory(OwnPeerMemory&&) noexcept = default;
OwnPeerMemory& OwnPeerMemory::operator=(OwnPeerMemory&&) noexcept = default;
OwnPeerMemory::~OwnPeerMemory() = default;
std::string OwnPeerMemory::exported() const { throw RuntimeError(not_built); }
PeerMemory::PeerMemory(int, const std::string&) { throw RuntimeError(not_built); }
PeerMemory::PeerMemory(PeerMemory&&) noexcept = default;
PeerMemory& PeerMemory::operator=(PeerMemory&&) noexcept = default;
PeerMemory::~PeerMemory() = default;

}  // namespace fabricast::cuda
