// MSCCL algorithm XML (algo > gpu > tb > step) as a schedule.
//
// Format: microsoft/msccl-tools msccl/language/ir.py writes it, ROCm/rccl and Azure's executor run
// it (docs/schedules.md says how each attribute is read). Read strictly: a missing, repeated or
// non-numeric attribute, an unknown element and everything a Schedule has no word for are errors
// "file:line: problem". Complexity: O(file + steps * ranks). Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "emulator/schedule/import/file_program.hpp"

namespace fabricast {

// UsageError as above.
ImportedSchedule read_msccl_xml(std::string_view xml, const std::string& file);

}  // namespace fabricast
