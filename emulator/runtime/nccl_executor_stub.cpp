// Built without CUDA or nccl.h: the same symbols, never available.
#include "emulator/base/error.hpp"
#include "emulator/runtime/executor.hpp"

namespace fabricast {
namespace {
constexpr const char* not_built =
    "the NCCL executor is not built (no nvcc or no nccl.h at configure time) configure with "
    "FABRICAST_ENABLE_CUDA=ON and FABRICAST_ENABLE_NCCL=ON where both are installed";
}

std::unique_ptr<Executor> make_nccl_executor(Communicator, const NcclOptions&) {
  throw RuntimeError(not_built);
}
Availability nccl_availability() { return {false, not_built, 0}; }
Availability nccl_availability(const Communicator&) { return nccl_availability(); }

}  // namespace fabricast
