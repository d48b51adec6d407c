// Where and under which conditions samples were taken: goes into SampleSet::environment.
//
// Host name, kernel, CPU, usable cores, load averages before and after, context switches during the
// sweep, executor, MPI library, NCCL variables, software version. No dates: two measurements of a
// quiet machine should differ in what was different. Not thread safe (reads the environment).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "emulator/runtime/executor.hpp"

namespace fabricast {

// What changes while measuring.
struct Surroundings {
  std::string load_average;                // 1, 5 and 15 minutes, as the kernel prints them
  std::int64_t involuntary_switches = 0;   // of this process so far
};
Surroundings observe_surroundings();

std::map<std::string, std::string> describe_environment(const Executor& executor,
                                                        const Surroundings& before,
                                                        const Surroundings& after);
// The part that does not depend on an executor.
std::map<std::string, std::string> describe_host();

}  // namespace fabricast
