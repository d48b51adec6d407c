// MSCCL++ execution plans (JSON) as a schedule: the subset that FIFOs can say.
//
// Format: microsoft/mscclpp src/executor/execution_plan.cc and python/mscclpp/language. A put that
// a later signal of its thread block announces is a message; the wait at the other end receives it
// where the put points. Signals that announce no put only say "ready" and are left out: FIFO slots
// and credits do that here. docs/schedules.md lists what is read; everything else is refused by
// name: "file:line: problem". Complexity: O(file + steps * ranks). Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "emulator/schedule/import/file_program.hpp"

namespace fabricast {

// UsageError as above.
ImportedSchedule read_mscclpp_json(std::string_view text, const std::string& file);

}  // namespace fabricast
