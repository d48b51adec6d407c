// How a message passes from the sender's slot to the receiver: the protocols of the interpreter.
//
// simple: raw data, then a release store of a counter. ll: 16-byte lines of two 4-byte data words,
// each with a 4-byte flag. ll128: 128-byte lines of 120 data bytes and an 8-byte flag. The lines
// are NCCL's (src/device/prims_ll.h, prims_ll128.h). Pure functions, thread safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace fabricast {

enum class HandOff : std::uint8_t { simple, ll, ll128 };
inline constexpr HandOff hand_offs[] = {HandOff::simple, HandOff::ll, HandOff::ll128};

constexpr std::string_view to_string(HandOff hand_off) {
  switch (hand_off) {
    case HandOff::simple:
      return "simple";
    case HandOff::ll:
      return "ll";
    case HandOff::ll128:
      return "ll128";
  }
  return "?";
}

}  // namespace fabricast
