// What NCCL runs for one case of the time model: the exact choice (choice.hpp), in its terms.
//
// Sizes are nccl-tests sizes in bytes. Constant time, thread safe.
#pragma once

#include "emulator/nccl/choice.hpp"
#include "emulator/nccl/time_shape.hpp"

namespace fabricast {

// UsageError where overrides leave nothing.
TimeChoice time_choice(const nccl::Communicator& communicator, const TimeCase& time_case,
                       nccl::DataType type = nccl::DataType::float32);

}  // namespace fabricast
