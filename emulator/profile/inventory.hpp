// The parameter inventory (DESIGN 2a): one table in code, from which priors and docs are made.
#pragma once

#include <string>
#include <vector>

#include "emulator/profile/parameter.hpp"

namespace fabricast {

// Every parameter of the model, all executors.
const std::vector<ParameterSpec>& parameter_inventory();

// The prior of a parameter for a GPU generation ("hopper", "blackwell", "ampere", "host"): value,
// sigma, origin, citation. Throws UsageError for a generation the inventory has no prior for.
Prior prior_of(const ParameterSpec& spec, const std::string& generation);

// docs/calibration.md, generated; a test compares it with the committed file.
std::string inventory_markdown();

}  // namespace fabricast
