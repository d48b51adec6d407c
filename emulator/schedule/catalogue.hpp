// The algorithms that exist: one row per (name, collective), with everything a plan must know.
//
// A new algorithm is a builder (algorithms/algorithms.hpp) and its rows here; the tests, the
// executors, the engines and the command line find it by this table. Constant; thread safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

// What a builder gets: one channel's share of a plan.
struct ScheduleShape {
  RankSpace space;
  std::int32_t chunks = 1;  // Cut::chunks; pieces of a block, Cut::pieces
  bool mirrored = false;    // Seat::tree and level_tree: the second tree of a pair of channels
};

// How a message too large for one slot is cut.
enum class Cut : std::uint8_t {
  loops,   // the whole schedule runs again on the next part; a chunk moves in a few slices
  chunks,  // the schedule pipelines over as many chunks as it takes
  pieces,  // as `loops`, and one stage pipelines over several pieces of a slice
  slices,  // every connection is used once, as many slices as it takes: not where several wait for
           // one receiver, which would keep all but one of them waiting on full FIFOs
};

// Which rank sits where on a channel (Placement).
enum class Seat : std::uint8_t {
  identity,     // every rank and NIC is used alike
  ring,         // each channel starts at another GPU and swaps odd domains: its own rail
  tree,         // channels in pairs (two trees) whose chain heads move over the GPUs
  level_tree,   // channels in pairs (two trees) that use all members of a domain alike
  head,         // one GPU of a domain does more: another one on each channel
  root,         // the root at position 0 (semantics 1.5)
  rooted_ring,  // both: each channel's ring, cut open at the root
};

// What the rank space, and the machine, must offer.
enum class Needs : std::uint8_t {
  nothing,
  two_levels,
  one_domain,            // in which everyone reaches the memory of all
  a_switch,              // that multicasts and reduces, inside a domain
  switches,              // the same in each of several domains
  a_reducing_network,    // between domains of at most eight
  switches_and_network,  // both: switches in domains, and a network that reduces between them
};
// Not every network does it.
bool reduces_between_domains(Needs needs);
bool reduces_inside_domains(Needs needs);

// Are there steps to or from all members of a group at once (semantics 1.4)?
bool sends_to_groups(Needs needs);

struct AlgorithmEntry {
  const char* name;
  Collective collective;
  Schedule (*build)(const ScheduleShape&);
  Cut cut = Cut::loops;
  Seat seat = Seat::identity;
  Needs needs = Needs::nothing;
};

std::span<const AlgorithmEntry> algorithm_catalogue();

// Null if the algorithm cannot do the collective or does not exist.
const AlgorithmEntry* find_algorithm(const std::string& name, Collective collective);

// Those of a collective that are meant where nobody names any: not those that a library runs only
// if told to (with SHARP's plugin, on buffers in symmetric windows).
std::vector<std::string> usual_algorithms(Collective collective);

// Empty if the entry applies to this space, else the reason.
std::string why_not(const AlgorithmEntry& entry, const RankSpace& space);

}  // namespace fabricast
