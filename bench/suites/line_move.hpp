// One pass of suite lines: a thread group takes its data out of lines and puts them into others,
// with the interpreter's own loops (kernels/lane/line_transfer.hpp), for host and device.
//
// Lines of pass n carry the flag of message n, those it writes the flag of n + 1: the same group
// reads in the next pass what it has just written, so nothing is waited for. Waits are bounded all
// the same.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bench/suites/line_ping_pong.hpp"
#include "kernels/host_device.hpp"
#include "kernels/lane/line_transfer.hpp"

namespace fabricast::micro {

// Stands for the interpreter's port and its bounded wait.
struct NoPace {
  FABRICAST_HOST_DEVICE static void pace() {}
};
struct LinePatience {
  Patience patience;
  FABRICAST_HOST_DEVICE bool gives_up() { return patience.exhausted(); }
};

template <class Format, class Group, class Flag>
FABRICAST_HOST_DEVICE inline bool move_all(const lane::LineMove<Flag>& what, const Group& group) {
  LinePatience wait;
  return lane::move_lines(Format{}, what, NoPace{}, group, lane::PieceReduction{}, wait);
}

// `bytes` of plain memory become the lines of message `number`.
template <class Format, class Group>
FABRICAST_HOST_DEVICE inline void write_lines(const std::byte* from, std::byte* lines,
                                              std::int64_t bytes, std::uint64_t number,
                                              const Group& group) {
  lane::LineMove<decltype(Format::flag(0))> what;
  what.end = bytes;
  what.operand = from;
  what.lines_out = lines;
  what.flag_out = Format::flag(number);
  move_all<Format>(what, group);
}

// And back. False: lines of that message did not come.
template <class Format, class Group>
FABRICAST_HOST_DEVICE inline bool read_lines(const std::byte* lines, std::byte* to,
                                             std::int64_t bytes, std::uint64_t number,
                                             const Group& group) {
  lane::LineMove<decltype(Format::flag(0))> what;
  what.end = bytes;
  what.lines_in = lines;
  what.flag_in = Format::flag(number);
  what.stored = to;
  return move_all<Format>(what, group);
}

// The pass. `awaits`: all lines are looked through, then moved, with a barrier between.
template <class Format, class Group>
FABRICAST_HOST_DEVICE inline bool move_message_lines(const std::byte* in, std::byte* out,
                                                     std::int64_t bytes, std::uint64_t number,
                                                     bool awaits, const Group& group) {
  lane::LineMove<decltype(Format::flag(0))> what;
  what.end = bytes;
  what.lines_in = in;
  what.flag_in = Format::flag(number);
  bool there = true;
  if (awaits) {
    there = move_all<Format>(what, group);
    group.sync();
  }
  what.lines_out = out;
  what.flag_out = Format::flag(number + 1);
  return there && move_all<Format>(what, group);
}

}  // namespace fabricast::micro
