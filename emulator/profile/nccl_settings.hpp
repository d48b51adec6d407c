// What a job's output says of NCCL itself: its version, its settings, its choices.
//
// Pure functions; linear in the line.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "emulator/profile/nccl_tests_run.hpp"

namespace fabricast {

// "2.21.5" of 22105 (2.9 and later) or 2804 (before); empty for what is no version code.
std::string nccl_version_of(std::int64_t code);
// "2.21.5" of "NCCL version 2.21.5+cuda12.4", or empty.
std::string nccl_version_in(std::string_view library_line);

// What a line of a shell or a job script sets. `exported` holds for all that follows, `once` for
// the command in the line.
struct ShellSettings {
  std::map<std::string, std::string> exported, once;
  std::string unset;
  std::string program;  // "all_reduce_perf" where the line starts it
  bool empty() const {
    return exported.empty() && once.empty() && unset.empty() && program.empty();
  }
};
ShellSettings shell_settings(std::string_view line);

// "NCCL INFO NCCL_ALGO set by environment to Ring" (the same for "environment variable").
std::optional<std::pair<std::string, std::string>> setting_in(std::string_view library_line);

// "AllReduce: 8 Bytes -> Algo RING proto LL channel{Lo..Hi}={0..15}", algorithms and protocols by
// name or by NCCL's number.
struct ChoiceLine {
  std::string function;  // "AllReduce"
  std::int64_t bytes = 0;
  NcclChoice choice;
};
std::optional<ChoiceLine> choice_in(std::string_view library_line);

// NCCL's names and ours: "Ring" -> "ring", "NVLSTree" -> "nvls_tree", "LL128" -> "ll128". Empty
// where the value is a list or an exclusion.
std::string algorithm_of(std::string_view nccl_name);
std::string protocol_of(std::string_view nccl_name);

}  // namespace fabricast
