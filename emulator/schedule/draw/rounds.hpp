// A schedule run round by round, for people: who sends what to whom when, and what is where.
//
// A round is the time of one message: what a lane sends in round t can be received from round t+1
// on; a lane sends one message and receives one message per round (a step to or from a group
// counts as one); local work takes no time. No costs, no FIFO depth: the shape of an algorithm, not
// its speed. One loop, one slice, one channel. O(steps * rounds / lanes). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/schedule/placement.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

// Content of a chunk of a buffer: whose data, and how many ranks' contributions are summed in it.
struct CellValue {
  std::int32_t identity = -1;  // chunk of the message; of all_to_all the rank it comes from
  std::uint64_t ranks = 0;     // bit r: rank r's contribution
  bool empty() const { return identity < 0; }
  std::int32_t contributions() const;
};

struct RoundMessage {
  std::int32_t from = 0, to = 0;        // ranks
  std::int32_t sent = 0, received = 0;  // rounds
  std::int32_t stage = 0;               // of the sending step
  bool through_switch = false;
  bool added_there = false;  // the switch adds up what is for the same rank, else it copies
  std::vector<CellValue> values;
};

// One rank's buffers after a round.
struct RankCells {
  std::vector<CellValue> output, scratch;
};

struct Rounds {
  std::int32_t ranks = 0, rounds = 0;             // rounds: of the last receive, plus one
  std::int32_t full = 1;                          // contributions of a complete chunk
  std::vector<RoundMessage> messages;             // by round sent, then sender
  std::vector<std::vector<RankCells>> after;      // [round][rank]
  std::vector<RankCells> start;                   // before round 0; `output` holds the input buffer
  std::vector<std::vector<std::int32_t>> stages;  // [round]: stages that send or receive in it
};

inline constexpr std::int32_t most_drawn_ranks = 32;
inline constexpr std::int32_t most_drawn_rounds = 200;
inline constexpr std::int32_t most_drawn_chunks = 128;

// UsageError above those limits, CheckError if the schedule gets stuck.
Rounds rounds_of(const Schedule& schedule, const Placement& placement);

// "round 2: 0>1 chunk 3 (2 of 4), ..." one line per round.
std::string rounds_text(const Schedule& schedule, const Rounds& rounds);

}  // namespace fabricast
