#include "bench/harness/environment.hpp"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string_view>

#include "emulator/base/communicator.hpp"
#include "emulator/base/version.hpp"
#include "emulator/runtime/usable_cores.hpp"

namespace fabricast {
namespace {

constexpr const char* unknown = "unknown";

// "model name : AMD EPYC ..." -> "AMD EPYC ..."; Linux only, which is where fabricast runs.
std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return unknown;
}

}  // namespace

Surroundings observe_surroundings() {
  Surroundings now;
  double loads[3] = {};
  if (getloadavg(loads, 3) == 3) {
    std::ifstream file("/proc/loadavg");
    std::string one, five, fifteen;
    file >> one >> five >> fifteen;
    now.load_average = file ? one + " " + five + " " + fifteen : unknown;
  } else {
    now.load_average = unknown;
  }
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) now.involuntary_switches = usage.ru_nivcsw;
  return now;
}

std::map<std::string, std::string> describe_host() {
  std::map<std::string, std::string> result;
  utsname system{};
  const bool known = uname(&system) == 0;
  result["host"] = known ? system.nodename : unknown;
  result["kernel"] = known ? std::string(system.sysname) + " " + system.release : unknown;
  result["architecture"] = known ? system.machine : unknown;
  result["cpu"] = cpu_model();
  const UsableCores cores = usable_cores();
  result["cores_usable"] = std::to_string(cores.count);
  result["cores_usable_reason"] = cores.reason;
  result["cores_online"] = std::to_string(sysconf(_SC_NPROCESSORS_ONLN));
  result["software"] = std::string("fabricast ") + version();
  result["mpi_library"] = Communicator::library_version();
  return result;
}

std::map<std::string, std::string> describe_environment(const Executor& executor,
                                                        const Surroundings& before,
                                                        const Surroundings& after) {
  auto result = describe_host();
  result["executor"] = executor.name();
  result["executor_description"] = executor.description();
  result["load_average_before"] = before.load_average;
  result["load_average_after"] = after.load_average;
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
