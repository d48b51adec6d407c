// fabricast import FILE...: nccl-tests output becomes samples of a machine, in a trace.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace fabricast {

struct ImportLogArguments {
  std::vector<std::string> files;
  std::string machine, collective, output;
  std::int32_t ranks = 0;
  bool keep_wrong = false, force = false;
};

void add_import_log_options(CLI::App& command, ImportLogArguments& arguments);

// Prints what was understood, what was refused and why; writes the samples. Throws UsageError where
// nothing is evidence.
int import_log(const ImportLogArguments& arguments);

}  // namespace fabricast
