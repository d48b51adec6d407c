// Rows of `emulate -a auto` at the priors, for `validate --discipline engine`.
#pragma once

#include "emulator/validate/disciplines.hpp"

namespace fabricast {

// NCCL's choice on the table's communicator, its schedule swept. Keeps one predictor per machine;
// not thread safe. Nothing for a choice without a schedule, or on a machine that the engine
// refuses.
EngineRows engine_rows();

}  // namespace fabricast
