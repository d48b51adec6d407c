#include "bench/suites/suite.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"

namespace fabricast {

const std::vector<const Suite*>& suite_catalogue() {
  static const std::vector<const Suite*> suites{
      &hand_off_suite(), &reduce_copy_suite(), &memory_suite(), &launch_suite(),     &lines_suite(),
      &pcie_suite(),     &overlap_suite(),     &gemm_suite(),   &copy_engine_suite()};
  return suites;
}

std::vector<const Suite*> suites_from_names(const std::vector<std::string>& names) {
  if (names.size() == 1 && names.front() == "all") return suite_catalogue();
  std::vector<const Suite*> result;
  for (const std::string& name : names) {
    const auto& all = suite_catalogue();
    const auto found = std::find_if(all.begin(), all.end(), [&name](const Suite* suite) {
      return suite->facts().name == name;
    });
    if (found == all.end()) {
      std::vector<std::string> known{"all"};
      for (const Suite* suite : all) known.push_back(suite->facts().name);
      throw UsageError(unknown_name_message("suite", name, known));
    }
    if (std::find(result.begin(), result.end(), *found) == result.end()) result.push_back(*found);
  }
  return result;
}

Conditions micro_conditions(const std::string& suite, const std::string& variant, std::int32_t ctas,
                            std::int64_t bytes, const std::string& parameter) {
  Conditions conditions;
  conditions.executor = ExecutorKind::cuda;
  conditions.suite = suite;
  conditions.algorithm = variant;
  conditions.protocol = "none";
  conditions.ranks = 1;
  conditions.channels = ctas;
  conditions.bytes = bytes;
  conditions.parameter = parameter;
  return conditions;
}

std::string label_of(const Conditions& c) {
  return fmt::format("{} {} {} {} CTAs {} B", c.suite, c.algorithm, c.protocol, c.channels,
                     c.bytes);
}

}  // namespace fabricast
