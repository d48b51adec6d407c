#include "topologies/model/data_directory.hpp"

#include <cstdlib>
#include <system_error>

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast {

std::filesystem::path machine_directory() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (const char* variable = std::getenv("FABRICAST_DATA_DIR"); variable && *variable) {
    const fs::path chosen = fs::path(variable) / "machines";
    if (!fs::is_directory(chosen, ignored)) {
      throw UsageError(
          fmt::format("FABRICAST_DATA_DIR is {}, but {} is no directory; unset it or "
                      "point it at a directory with machines/*.yaml",
                      variable, chosen.string()));
    }
    return chosen;
  }
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path installed =
      program.parent_path().parent_path() / "share" / "fabricast" / "machines";
  if (!program.empty() && fs::is_directory(installed, ignored)) return installed;
  const fs::path source_tree = FABRICAST_SOURCE_MACHINES;
  if (fs::is_directory(source_tree, ignored)) return source_tree;
  throw UsageError(
      fmt::format("no machine files found (looked in {}); set FABRICAST_DATA_DIR to a "
                  "directory with machines/*.yaml",
                  installed.string()));
}

std::filesystem::path fabric_directory() { return machine_directory().parent_path() / "fabrics"; }

}  // namespace fabricast
