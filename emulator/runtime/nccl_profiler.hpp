// What NCCL did with an operation, from NCCL itself: a profiler plugin inside this program.
//
// NCCL (2.27 and later) looks for the symbol ncclProfiler_v4 in the program when the environment
// says NCCL_PROFILER_PLUGIN=STATIC_PLUGIN, and tells it algorithm, protocol and channels of every
// collective while the event mask asks for them. The mask is empty but during an observed run, so
// timed ones have no events. The interface is NCCL's src/include/plugin/profiler/profiler_v4.h
// (facts: names, order and types of the fields), which is in no public header of the toolkit.
// Threading: NCCL calls from its own threads; everything here is locked.
#pragma once

#include <cstdint>
#include <string>

namespace fabricast {

// Before NCCL is loaded: names the plugin unless the user has named one.
void offer_nccl_profiler();
// Empty, or why NCCL will not call us (the user's own plugin, NCCL too old to ask).
std::string nccl_profiler_problem();

// What NCCL said between the two calls. Several operations that differ give "mixed".
struct NcclEvents {
  std::string algorithm, protocol;  // of collectives, in lower case; empty for send and receive
  std::int32_t channels = 0;        // of collectives; of send and receive the most of one of them
  std::int32_t collectives = 0, transfers = 0;
};
void start_nccl_events();
NcclEvents stop_nccl_events();

}  // namespace fabricast
