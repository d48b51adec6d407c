// A choice for people: what NCCL takes by size, what every candidate would cost, why the others
// lost.
//
// Pure functions; text with line ends.
#pragma once

#include <span>
#include <string>

#include "emulator/nccl/choice.hpp"

namespace fabricast::nccl {

// Lines that begin with "#": version, machine, graphs, channels, what-if.
std::string describe(const Communicator& communicator, const std::string& machine);

// One table for a collective (`request.bytes` is not read), and who cannot be taken and why.
std::string explain(const Communicator& communicator, const Request& request,
                    std::span<const std::int64_t> sizes);

// The same for buffers in symmetric windows (symmetric.hpp); what has no symmetric kernel is
// explained as without windows.
std::string explain_symmetric(const Communicator& communicator, const Request& request,
                              std::span<const std::int64_t> sizes);

}  // namespace fabricast::nccl
