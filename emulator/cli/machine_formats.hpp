// fabricast machine import | export: machines from and to other programs' formats.
#pragma once

#include "emulator/cli/command.hpp"

namespace fabricast {

// Adds the two to `machine`.
void add_machine_formats(CLI::App& machine, CommandBody& run);

}  // namespace fabricast
