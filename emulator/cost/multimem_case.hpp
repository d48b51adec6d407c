// All-reduce by a switch that reduces by loads and multicasts by stores, as a plan that engines
// evaluate (kernels/lane/multimem.hpp is the code, suite "collective_multimem" its samples).
//
// n GPUs with k CTAs each share a message of S bytes: a CTA has the switch reduce S / (n k) and
// stores the result for all, between two meetings of everybody. There are no messages and no slots,
// so the plan has one step without peers per rank and channel, whose time (machine_costs.hpp) is
//   2 x meeting + S / (n k) x max(1 / r, k (n + 1) / (B e))
// with r the rate of one CTA and B e what one direction of a GPU's link can have. Loads and stores
// of a CTA's threads are under way together, so the slower of both paths counts, not their sum.
// Every link carries S (1 + 1 / n) bytes in each direction: outwards all members' loads of the own
// memory, S, and the own results, S / n; inwards the reduced share, S / n, and everybody's results,
// S (the own memory is not left out: docs/semantics.md 3.8). Pure functions.
#pragma once

#include <cstdint>

#include "emulator/cost/forward_model.hpp"
#include "emulator/schedule/plan.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

inline constexpr double multimem_meetings = 2;

// Shares are whole lines of 128 bytes, as the kernel cuts them; slice_bytes is the largest CTA's.
ExecutionPlan multimem_plan(const Topology& topology, const PointSpec& point,
                            std::int32_t channels);

// Bytes on one direction of a GPU's link while every CTA does `share` bytes.
std::int64_t multimem_link_bytes(const ExecutionPlan& plan, std::int64_t share);

// Of the NVLink class, over the whole collective.
LinkLoad multimem_load(const Topology& topology, const ExecutionPlan& plan);

}  // namespace fabricast
