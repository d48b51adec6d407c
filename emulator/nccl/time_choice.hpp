// NCCL's choice for the time model: its tuner's formula over a channel count from the shape alone.
//
// Source of formula and constants: NCCL v2.28.9-1 src/graph/tuning.cc, search.cc, connect.cc and
// src/enqueue.cc. No topology is searched: every GPU is assumed to be as close to its NICs as the
// others, which is what a symmetric machine's search finds. Constant time, thread safe.
#pragma once

#include <vector>

#include "emulator/nccl/time_shape.hpp"

namespace fabricast {

// NCCL's graph of a shape: channels of the search and GB/s of each, inside and between nodes.
struct ChannelEstimate {
  double search_channels = 1;
  double intra_gbps = 1, inter_gbps = 1;
  double tree_gbps = 1;  // inside nodes, of the tree's own graph
  double channels = 2;   // after doubling
  double nvls_channels = 0;
};

ChannelEstimate channel_estimate(const TimeShape& shape);

struct TimeCandidate {
  TimeAlgorithm algorithm;
  TimeProtocol protocol;
  double microseconds;  // the tuner's estimate, good for comparing only
};

// Every candidate the tuner has for an all_reduce, all_gather, reduce_scatter, broadcast or reduce.
std::vector<TimeCandidate> tuner_candidates(const TimeCase& time_case);

TimeChoice time_choice(const TimeCase& time_case);

}  // namespace fabricast
