// Which machine a published table is of, and what NCCL decides there at initialisation, from the
// columns of its index and nothing else.
//
// Nothing here knows a file or a system by name: two rows with equal columns get equal machines.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "emulator/nccl/choice.hpp"
#include "emulator/nccl/time_shape.hpp"
#include "emulator/validate/published_tables.hpp"

namespace fabricast {

struct TableMachine {
  TimeShape shape;
  std::shared_ptr<const Topology> topology;
  nccl::DataType type = nccl::DataType::float32;
  // Graphs, channels and tuner of it; null when unknown. RCCL's are those of a stand-in.
  std::shared_ptr<const nccl::Communicator> communicator;
  std::vector<std::string> assumptions;  // what the columns leave open
  bool start_is_told = false;            // shape.process_per_gpu is what the row says
  std::string unknown;                   // why there is no machine, or empty
};

TableMachine machine_of(const PublishedTable& table);

}  // namespace fabricast
