// What of a request the switch of an NVLink domain can do by itself, and where its data then lie.
// Pure functions.
#pragma once

#include <cstdint>

#include "emulator/runtime/executor.hpp"
#include "kernels/lane/multimem.hpp"

namespace fabricast {

// Throws UsageError naming what is in the way: another collective or algorithm than all_reduce by
// nvls, several domains, too many channels, a reduction that no switch has.
void check_multimem_request(const RunRequest& request);

// The same in every process but for `member`: buffers behind the counters, aligned to lines.
lane::MultimemWork multimem_work(const RunRequest& request, std::int32_t member);

// Of every member's memory, counters included.
std::int64_t multimem_bytes(const lane::MultimemWork& work);

}  // namespace fabricast
