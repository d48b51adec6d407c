// Where and under which conditions samples were taken: goes into SampleSet::environment.
//
// The host as topologies/discover sees it, load averages before and after, context switches during
// the sweep, executor, MPI library, NCCL variables, software version. No dates: two measurements of
// a quiet machine should differ in what was different. Not thread safe (reads the environment).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "emulator/runtime/executor.hpp"
#include "topologies/discover/local_machine.hpp"

namespace fabricast {

// What changes while measuring.
struct Surroundings {
  std::map<std::string, std::string> host;  // host_environment()
  std::int64_t involuntary_switches = 0;    // of this process so far
};
Surroundings observe_surroundings(CudaDriverUse use = CudaDriverUse::started);

std::map<std::string, std::string> describe_environment(const Executor& executor,
                                                        const Surroundings& before,
                                                        const Surroundings& after);

}  // namespace fabricast
