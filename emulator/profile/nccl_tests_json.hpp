// nccl-tests' JSON output (-J), versions 1 to 3 of its layout.
//
// Its writer leaves what JSON has no word for: `inf` unquoted, "nan" as text, and a file of a
// killed run ends anywhere. Such a file gives the results that are whole, and `cut`. Lines are
// those where a result's object begins. Layout: NVIDIA/nccl-tests src/util.cu. Pure function;
// linear in the text.
#pragma once

#include <string>
#include <string_view>

#include "emulator/profile/nccl_tests_run.hpp"

namespace fabricast {

// Does the text look like JSON (its first character is a brace)?
bool looks_like_json(std::string_view text);

// Throws UsageError "file:line: ..." where the text before its end is no JSON, or not of
// nccl-tests.
NcclTestsOutput read_nccl_tests_json(std::string_view text, const std::string& file);

}  // namespace fabricast
