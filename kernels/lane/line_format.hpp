// The lines of LL and LL128 as arithmetic: how many, where a thread's piece lies, which flag.
//
// A part of a message (layout.hpp) is a stream of `end` bytes of which the first `lead` are
// padding, so that 8-byte (LL) or 16-byte (LL128) pieces of the stream are aligned in the user's
// buffers. It starts on a line of its own (LL128: on a pair of lines) and has at least one, so that
// an empty message (semantics 2.6) has a flag to wait for. A piece is what one thread loads and
// stores at once: 16 bytes on the wire.
//
//   LL     line i, 16 bytes: data word 2i, flag, data word 2i+1, flag (words of 4 bytes).
//   LL128  lines 2i and 2i+1, 128 bytes each, hold the stream's bytes 240 i to 240 i + 239, fifteen
//          16-byte vectors: vectors 0-6, the first half of 14, flag; vectors 7-13, its other half,
//          flag. So fourteen of sixteen threads move 16-byte vectors of the user's buffers.
//
// The flag of message n (counted from 0 on each connection) is n + 1. Slots start as zeros, so no
// flag is reset between messages. LL's flag has 32 bits: a line that no message has reached for
// 2^32 messages would look new, so all lines of each slot are written once in 2^30 messages
// (refreshes()). Host and device; pure functions.
#pragma once

#include <cstdint>

#include "kernels/hand_off.hpp"
#include "kernels/host_device.hpp"

namespace fabricast::lane {

inline constexpr std::int64_t piece_wire_bytes = 16;

// A piece of the stream and its place in the slot's lines.
struct PieceAt {
  std::int64_t data = 0;   // first byte of the stream
  std::int32_t bytes = 0;  // 0: this line does not exist
  std::int64_t wire = 0;   // from the part's first line
};

struct LlFormat {
  static constexpr HandOff hand_off = HandOff::ll;
  static constexpr std::int32_t piece_bytes = 8;

  FABRICAST_HOST_DEVICE static constexpr std::int64_t lines(std::int64_t end) {
    return end <= 8 ? 1 : (end + 7) / 8;
  }
  FABRICAST_HOST_DEVICE static constexpr std::int64_t wire_bytes(std::int64_t end) {
    return 16 * lines(end);
  }
  FABRICAST_HOST_DEVICE static constexpr std::int64_t pieces(std::int64_t end) {
    return lines(end);
  }
  FABRICAST_HOST_DEVICE static constexpr PieceAt piece(std::int64_t i, std::int64_t end) {
    return {8 * i, i < lines(end) ? 8 : 0, 16 * i};
  }
  FABRICAST_HOST_DEVICE static constexpr std::uint32_t flag(std::uint64_t message) {
    return static_cast<std::uint32_t>(message + 1);
  }
  FABRICAST_HOST_DEVICE static constexpr bool refreshes(std::uint64_t message,
                                                        std::uint32_t depth) {
    return message >= refresh_period && message % refresh_period < depth;
  }
  static constexpr std::uint64_t refresh_period = std::uint64_t{1} << 30;
};

struct Ll128Format {
  static constexpr HandOff hand_off = HandOff::ll128;
  static constexpr std::int32_t piece_bytes = 16;
  static constexpr std::int64_t pair_bytes = 240;  // of the stream, in two lines
  static constexpr std::int64_t line = 128;

  FABRICAST_HOST_DEVICE static constexpr std::int64_t pairs(std::int64_t end) {
    return end <= pair_bytes ? 1 : (end + pair_bytes - 1) / pair_bytes;
  }
  // The last pair's second line exists if the first one's seven vectors do not hold the rest.
  FABRICAST_HOST_DEVICE static constexpr std::int64_t wire_bytes(std::int64_t end) {
    return line * (2 * pairs(end) - (end - (pairs(end) - 1) * pair_bytes <= 112 ? 1 : 0));
  }
  FABRICAST_HOST_DEVICE static constexpr std::int64_t pieces(std::int64_t end) {
    return 16 * pairs(end);
  }
  FABRICAST_HOST_DEVICE static constexpr bool holds_flag(std::int64_t i) { return i % 8 == 7; }
  FABRICAST_HOST_DEVICE static constexpr PieceAt piece(std::int64_t i, std::int64_t end) {
    const std::int64_t pair = i / 16;
    const auto within = static_cast<std::int32_t>(i % 16);
    PieceAt at{pair * pair_bytes, 16, pair * 2 * line + within * piece_wire_bytes};
    if (at.wire / line * line >= wire_bytes(end)) at.bytes = 0;
    if (holds_flag(i)) {
      at.data += within == 7 ? 224 : 232;
      at.bytes /= 2;
    } else {
      at.data += 16 * (within < 7 ? within : within - 1);
    }
    return at;
  }
  FABRICAST_HOST_DEVICE static constexpr std::uint64_t flag(std::uint64_t message) {
    return message + 1;
  }
  FABRICAST_HOST_DEVICE static constexpr bool refreshes(std::uint64_t /*message*/,
                                                        std::uint32_t /*depth*/) {
    return false;  // 64 bits do not come round
  }
};

// Padding before a part whose first byte has this remainder in the user's buffers.
template <class Format>
FABRICAST_HOST_DEVICE constexpr std::int64_t lead_of(std::int64_t first_byte) {
  return first_byte & (Format::piece_bytes - 1);
}

// Slot bytes of one part of `bytes` bytes, whatever its alignment (at most `piece_bytes` - 2 bytes
// of lead: elements have two bytes or more).
constexpr std::int64_t most_part_bytes(HandOff hand_off, std::int64_t bytes) {
  switch (hand_off) {
    case HandOff::simple:
      return bytes + 15;
    case HandOff::ll:
      return LlFormat::wire_bytes(bytes + LlFormat::piece_bytes);
    case HandOff::ll128:
      return 2 * Ll128Format::line * Ll128Format::pairs(bytes + Ll128Format::piece_bytes);
  }
  return 0;
}

}  // namespace fabricast::lane
