// Which machine a published table is of, from the columns of its index and nothing else.
//
// Nothing here knows a file or a system by name: two rows with equal columns get equal shapes.
#pragma once

#include <string>

#include "emulator/nccl/time_shape.hpp"
#include "emulator/validate/published_tables.hpp"

namespace fabricast {

struct TableMachine {
  TimeShape shape;
  std::string unknown;  // why there is no shape, or empty
};

TableMachine machine_of(const PublishedTable& table);

}  // namespace fabricast
