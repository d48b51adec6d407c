// Fills the tuner's table of a communicator: latency, bandwidth, threads, and what is disabled why.
//
// Source: NCCL 2.28.9 src/graph/tuning.cc (ncclTopoTuneModel), older models as TunerTable says.
#pragma once

#include "emulator/nccl/choice.hpp"
#include "emulator/nccl/tuner_tables.hpp"

namespace fabricast::nccl {

struct TunerMachine {
  bool nvswitch = false;
  bool power_cpu = false;
  bool host_network = true;  // the host drives the network, not a device
};

// Expects graphs and counts of `communicator`. UsageError for bad NCCL_ALGO and NCCL_PROTO lists.
void fill_tuner(Communicator& communicator, const TunerMachine& machine);

// NCCL's estimate in us; negative: not available. Single precision, as NCCL computes it.
float estimate_us(const Communicator& communicator, Function function, Algorithm algorithm,
                  Protocol protocol, std::int64_t bytes);

}  // namespace fabricast::nccl
