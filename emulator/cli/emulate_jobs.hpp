// emulate --jobs FILE: several collectives on one machine at once, by the flow engine.
#pragma once

#include <string>
#include <vector>

namespace fabricast {

struct JobArguments {
  std::string machine, jobs, executor, profile, output, engine;  // executor: empty, the usual one
  std::vector<std::string> settings;  // --set, keys of the machine
  bool force = false, stats = false;
};

// Collective call; rank 0 alone computes. Returns the exit code.
int emulate_jobs(const JobArguments& arguments);

}  // namespace fabricast
