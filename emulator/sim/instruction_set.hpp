// Which compiled variant of the kernels runs: the psABI levels of x86-64, chosen at run time.
//
// All variants compute the same integers; they differ in vector width only. On other processors
// only the baseline exists.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fabricast {

enum class InstructionSet : std::uint8_t { baseline, x86_64_v3, x86_64_v4 };

std::string_view to_string(InstructionSet set);
// What this processor and this build can run, baseline first.
std::vector<InstructionSet> available_instruction_sets();
// "" picks the best; throws UsageError for a name that is unknown or cannot run here.
InstructionSet choose_instruction_set(const std::string& name);

}  // namespace fabricast
