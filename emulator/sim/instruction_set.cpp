#include "emulator/sim/instruction_set.hpp"

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

#if defined(__x86_64__)
bool has_v3() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("fma");
}
bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#else
bool has_v3() { return false; }
bool has_v4() { return false; }
#endif

}  // namespace

std::string_view to_string(InstructionSet set) {
  switch (set) {
    case InstructionSet::baseline:
      return "baseline";
    case InstructionSet::x86_64_v3:
      return "x86-64-v3";
    case InstructionSet::x86_64_v4:
      return "x86-64-v4";
  }
  return "?";
}

std::vector<InstructionSet> available_instruction_sets() {
  std::vector<InstructionSet> sets{InstructionSet::baseline};
  if (has_v3()) sets.push_back(InstructionSet::x86_64_v3);
  if (has_v4()) sets.push_back(InstructionSet::x86_64_v4);
  return sets;
}

InstructionSet choose_instruction_set(const std::string& name) {
  const auto sets = available_instruction_sets();
  if (name.empty()) return sets.back();
  std::string known;
  for (const InstructionSet set : sets) {
    if (name == to_string(set)) return set;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", to_string(set));
  }
  throw UsageError(
      fmt::format("instruction set '{}' is unknown or cannot run on this processor; "
                  "use one of: {}",
                  name, known));
}

}  // namespace fabricast
