// The parameter inventory (DESIGN 2a): one table in code, from which priors and docs are made.
//
// Pure functions over static tables; thread safe.
#pragma once

#include <string>
#include <vector>

#include "emulator/profile/parameter.hpp"

namespace fabricast {

// Every parameter of the model, all executors.
const std::vector<ParameterSpec>& parameter_inventory();

// The spec of an id; contract: it exists.
const ParameterSpec& parameter_spec(const std::string& id);

// GPU generations with priors: "ampere", "hopper", "blackwell"; and "host".
const std::vector<std::string>& parameter_generations();

// The prior of a parameter for a GPU generation ("hopper", "blackwell", "ampere", "host"): value,
// sigma, origin, citation. Throws UsageError for a generation the inventory has no prior for.
// Contract: the parameter is not of_machine.
Prior prior_of(const ParameterSpec& spec, const std::string& generation);

// A figure of a machine file is a prior too: the sigma it gets by where it comes from.
double machine_figure_sigma(ParameterOrigin origin, bool is_latency);

// docs/calibration.md, generated; a test compares it with the committed file.
std::string inventory_markdown();

}  // namespace fabricast
