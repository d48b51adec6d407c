// Predictions as text that round-trips exactly: what processes send to rank 0.
//
// JSON: int64 as integers, doubles in shortest round-trip form. Pure functions.
#pragma once

#include <string>

#include "emulator/calibrate/calibrate.hpp"

namespace fabricast {

std::string to_text(const Prediction& prediction);
Prediction prediction_from_text(const std::string& text);

}  // namespace fabricast
