// A stage of a recorded run: emulating one machine, points already in the record left alone.
//
// Collective call. `record` is rank 0's, null elsewhere. After a signal to stop, what is finished is
// written to the record's segments and every process throws AgreedError with the exit code
// "interrupted".
#pragma once

#include <functional>

#include "emulator/coordinator/emulate.hpp"
#include "emulator/coordinator/run_record.hpp"

namespace fabricast {

// The predictions returned are those made now.
Emulation emulate_stage(const Communicator& communicator, const Topology& topology,
                        const CalibrationProfile& profile, const Scenario& scenario,
                        std::int32_t stage, RunRecord* record,
                        const std::function<void()>& progress = {});

// If a signal asked to stop: writes what the record has not stored yet and throws Interrupted.
void stop_if_asked(RunRecord& record);

}  // namespace fabricast
