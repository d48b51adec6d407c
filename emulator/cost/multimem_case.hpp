// All-reduce by a switch that reduces by loads and multicasts by stores, as a plan that engines
// evaluate (kernels/lane/multimem.hpp is the code, suite "collective_multimem" its samples).
//
// n GPUs with k CTAs each share a message of S bytes: a CTA has the switch reduce S / (n k) and
// stores the result for all, between two meetings of everybody. As a schedule a channel is a CTA of
// each GPU and has three steps to or from the group in the switch (semantics 1.4, 3.8):
//   contribute   "my operands are there": the first meeting
//   reduce       load the own share, reduced, and store it for all
//   gather       "everybody has stored": the second meeting
// machine_costs.hpp charges a meeting's time for the first and the last, to the lane; the one
// between takes its lane S / (n k) / r and its port S / (n k) * k (n + 1) / (B e), with r the rate
// of one CTA and B e what one direction of a GPU's link can have. Loads and stores of a CTA's
// threads are under way together, so the slower of both counts (semantics 3.3), not their sum:
//   launch + 2 x meeting + S / (n k) x max(1 / r, k (n + 1) / (B e))
// The way through the switch is part of what a meeting was measured to take: no latency besides.
// Every link carries S (1 + 1 / n) bytes in each direction: outwards all members' loads of the own
// memory, S, and the own results, S / n; inwards the reduced share, S / n, and everybody's results,
// S (the own memory is not left out: docs/semantics.md 3.8). Pure functions.
#pragma once

#include <cstdint>

#include "emulator/cost/edge_class.hpp"
#include "emulator/cost/forward_model.hpp"
#include "emulator/schedule/plan.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// Shares are whole lines of 128 bytes, as the kernel cuts them; slice_bytes is the largest CTA's.
ExecutionPlan multimem_plan(const Topology& topology, const PointSpec& point,
                            std::int32_t channels);

// Does a step move the share, or is it a meeting?
inline bool moves_share(const StepWork& work) { return work.receives && work.sends; }

// Bytes on each direction of a GPU's link while one CTA of every GPU does the largest share: what
// its time is charged for.
std::int64_t multimem_link_bytes(const ExecutionPlan& plan);

// Over the whole collective, of the message as it is: what the largest share, of all CTAs, is more
// (4 bytes are the share of one of them) does not cross.
std::int64_t multimem_whole_bytes(const ExecutionPlan& plan);

// Of the NVLink class, over the whole collective.
LinkLoad multimem_load(const Topology& topology, const ExecutionPlan& plan);

}  // namespace fabricast
