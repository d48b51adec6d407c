#include "bench/harness/environment.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <string_view>

#include "emulator/base/communicator.hpp"
#include "emulator/base/version.hpp"
#include "emulator/runtime/usable_cores.hpp"

namespace fabricast {
namespace {

constexpr std::string_view load_prefix = "load_";

}  // namespace

Surroundings observe_surroundings(CudaDriverUse use) {
  Surroundings now;
  now.host = host_environment(use);
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) now.involuntary_switches = usage.ru_nivcsw;
  return now;
}

std::map<std::string, std::string> describe_environment(const Executor& executor,
                                                        const Surroundings& before,
                                                        const Surroundings& after) {
  std::map<std::string, std::string> result;
  for (const auto& [key, value] : before.host) {
    result[key.starts_with(load_prefix) ? key + "_before" : key] = value;
  }
  for (const auto& [key, value] : after.host) {
    if (key.starts_with(load_prefix)) result[key + "_after"] = value;
  }
  result["usable_cores_reason"] = usable_cores().reason;
  result["software"] = std::string("fabricast ") + version();
  result["mpi_library"] = Communicator::library_version();
  result["executor"] = executor.name();
  result["executor_description"] = executor.description();
  result["involuntary_context_switches"] =
      std::to_string(after.involuntary_switches - before.involuntary_switches);
  // Variables that change what the library does; anything else in the environment is private.
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with("NCCL_")) continue;
    const auto equals = text.find('=');
    result["env_" + std::string(text.substr(0, equals))] =
        equals == std::string_view::npos ? "" : std::string(text.substr(equals + 1));
  }
  return result;
}

}  // namespace fabricast
