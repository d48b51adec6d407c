// How one channel of a plan cuts the user's buffers and what scratch it needs: facts of the plan,
// the same for every rank. Pure functions.
#pragma once

#include <cstdint>

#include "emulator/schedule/plan.hpp"
#include "kernels/lane/layout.hpp"

namespace fabricast {

// Rounded up to whole cache lines (lane::line_bytes).
std::int64_t whole_lines(std::int64_t bytes);

// Without its block table. Equal to what partition.hpp says (tested).
lane::ChannelLayout layout_of(const ExecutionPlan& plan, std::int32_t channel);

// Are all chunks of a loop equally long?
bool divides_evenly(const lane::ChannelLayout& layout);

// Room for any chunk, and for up to 15 bytes of remainder modulo 16.
std::int64_t largest_chunk_bytes(lane::ChannelLayout layout, std::int32_t element_bytes);

// Do lanes of several roles use the scratch? Nothing then keeps one from being a loop ahead of the
// other (semantics 2.3), so that loops need a scratch each.
bool shares_scratch(const Schedule& schedule);

}  // namespace fabricast
