// nccl-tests' text output, of any version, as people keep it: whole job logs.
//
// Understood: labels and time stamps of launchers, colours, CRLF, NCCL's own log between and inside
// lines and from several ranks, several runs in one file, runs of several processes in one file
// (told apart by their labels), settings of NCCL_* in the shell and in NCCL's log, the algorithms
// that NCCL says it chose. Everything else is skipped and counted. A file that ends in the middle
// of a line loses that line, and says so: the rows before are those of the whole file.
// Layouts: NVIDIA/nccl-tests src/common.cu and src/util.cu, 1.x to 2.18. Pure functions; linear in
// the text.
#pragma once

#include <string>
#include <string_view>

#include "emulator/profile/nccl_tests_run.hpp"

namespace fabricast {

// `file` is only passed on, as NcclTestsOutput::file. Never throws for what the text says.
NcclTestsOutput read_nccl_tests_log(std::string_view text, const std::string& file);

}  // namespace fabricast
