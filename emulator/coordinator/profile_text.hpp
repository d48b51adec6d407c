// A profile as text that round-trips exactly: how rank 0 hands it to the other processes.
#pragma once

#include <string>

#include "emulator/profile/parameter.hpp"

namespace fabricast {

std::string to_text(const CalibrationProfile& profile);
CalibrationProfile profile_from_text(const std::string& text);

}  // namespace fabricast
