// Moving one part of a message whose slot has lines (line_format.hpp): LL and LL128.
//
// Every thread of a group moves several pieces at once: loads of all of them are issued before the
// first result is used. The pieces of LL128 belong to teams (a warp; one thread on the host) that
// load and store whole lines together. A piece wholly inside the part and aligned in every user
// buffer is one vector access there; edges and buffers that do not agree go element by element.
// Destinations may equal an operand element for element (in place).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/arithmetic.hpp"
#include "kernels/host_device.hpp"
#include "kernels/lane/group.hpp"
#include "kernels/lane/line_access.hpp"

namespace fabricast::lane {

// Where a part goes. User pointers are of the part's first element; null: not part of this step.
template <class Flag>
struct LineMove {
  std::int64_t lead = 0;  // the stream's bytes [lead, end) are data
  std::int64_t end = 0;
  const std::byte* lines_in = nullptr;  // else the value is `operand`
  Flag flag_in = 0;
  const std::byte* operand = nullptr;  // with lines_in: reduced into the value, if not null
  std::byte* stored = nullptr;
  std::byte* lines_out = nullptr;
  Flag flag_out = 0;
  bool ordered = false;
};

namespace detail {

// A piece and the user's buffers: one vector access where `whole`, else its bytes in [lead, end),
// two at a time (no element is shorter).
FABRICAST_HOST_DEVICE inline Piece load_user(const std::byte* part, const PieceAt& at,
                                             std::int64_t lead, std::int64_t end, bool whole) {
  const std::byte* from = part + (at.data - lead);
  Piece piece;
#if defined(__CUDA_ARCH__)
  if (whole && at.bytes == 16) {
    const uint4 v = *reinterpret_cast<const uint4*>(from);
    return {{v.x, v.y, v.z, v.w}};
  }
  if (whole) {
    const uint2 v = *reinterpret_cast<const uint2*>(from);
    return {{v.x, v.y}};
  }
#else
  if (whole) {
    std::memcpy(piece.word, from, static_cast<std::size_t>(at.bytes));
    return piece;
  }
#endif
  for (int j = 0; j < 8; ++j) {
    const std::int64_t offset = at.data + 2 * j;
    if (2 * j < at.bytes && offset >= lead && offset < end) {
      const std::uint32_t half = *reinterpret_cast<const std::uint16_t*>(from + 2 * j);
      piece.word[j / 2] |= half << (j % 2 * 16);
    }
  }
  return piece;
}

FABRICAST_HOST_DEVICE inline void store_user(std::byte* part, const PieceAt& at, std::int64_t lead,
                                             std::int64_t end, bool whole, const Piece& piece) {
  std::byte* to = part + (at.data - lead);
  const auto& w = piece.word;
#if defined(__CUDA_ARCH__)
  if (whole && at.bytes == 16) {
    *reinterpret_cast<uint4*>(to) = make_uint4(w[0], w[1], w[2], w[3]);
    return;
  }
  if (whole) {
    *reinterpret_cast<uint2*>(to) = make_uint2(w[0], w[1]);
    return;
  }
#else
  if (whole) {
    std::memcpy(to, w, static_cast<std::size_t>(at.bytes));
    return;
  }
#endif
  for (int j = 0; j < 8; ++j) {
    const std::int64_t offset = at.data + 2 * j;
    if (2 * j < at.bytes && offset >= lead && offset < end) {
      *reinterpret_cast<std::uint16_t*>(to + 2 * j) =
          static_cast<std::uint16_t>(w[j / 2] >> (j % 2 * 16));
    }
  }
}

// Is the piece one vector access in every user buffer?
template <class Format, class Flag>
FABRICAST_HOST_DEVICE inline bool agrees(const LineMove<Flag>& m) {
  const auto off = [&](const void* p) {
    return p == nullptr
               ? std::uintptr_t{0}
               : (reinterpret_cast<std::uintptr_t>(p) - static_cast<std::uintptr_t>(m.lead)) &
                     (Format::piece_bytes - 1);
  };
  return (off(m.operand) | off(m.stored)) == 0;
}

}  // namespace detail

// The elements of a word.
template <class T, ReduceOp op>
FABRICAST_HOST_DEVICE inline std::uint32_t combine_words(std::uint32_t a, std::uint32_t b) {
  if constexpr (std::is_same_v<T, float>) {
    return float_bits(combine<op>(float_from_bits(a), float_from_bits(b)));
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return static_cast<std::uint32_t>(
        combine<op>(static_cast<std::int32_t>(a), static_cast<std::int32_t>(b)));
  } else {
    const auto low = [](std::uint32_t w) { return T{static_cast<std::uint16_t>(w)}; };
    const std::uint32_t first = combine<op>(low(a), low(b)).bits;
    return first | std::uint32_t{combine<op>(low(a >> 16), low(b >> 16)).bits} << 16;
  }
}

// value := value op other, padding too. One choice of type and operator for all threads of a run.
template <int count>
struct CombinePieces {
  Piece (&value)[count];
  const Piece (&other)[count];

  template <class T, ReduceOp op>
  FABRICAST_HOST_DEVICE void operator()() const {
    for (int k = 0; k < count; ++k) {
      for (int w = 0; w < 4; ++w) {
        value[k].word[w] = combine_words<T, op>(value[k].word[w], other[k].word[w]);
      }
    }
  }
};

// What happens to a value and an operand.
struct PieceReduction {
  DataType type = DataType::float32;
  ReduceOp op = ReduceOp::sum;

  template <int count>
  FABRICAST_HOST_DEVICE void operator()(Piece (&value)[count], const Piece (&other)[count]) const {
    visit_type_and_op(type, op, CombinePieces<count>{value, other});
  }
};

// Moves `count` pieces of one thread. False: gave up waiting for lines.
template <int count, class Format, class Flag, class Port, class Group, class Wait>
FABRICAST_HOST_DEVICE inline bool move_pieces(Format format, const LineMove<Flag>& m,
                                              const PieceAt (&at)[count], bool agree,
                                              const Port& port, const Group& group,
                                              const PieceReduction& apply, Wait& wait) {
  Piece value[count];
  bool whole[count];
  for (int k = 0; k < count; ++k) {
    whole[k] = agree && at[k].data >= m.lead && at[k].data + at[k].bytes <= m.end;
  }
  const auto operand = [&](int k) {
    if (at[k].bytes == 0) return Piece{};
    return detail::load_user(m.operand, at[k], m.lead, m.end, whole[k]);
  };
  if (m.lines_in == nullptr) {
    for (int k = 0; k < count; ++k) value[k] = operand(k);
  } else {
    Piece other[count];
    if (m.operand != nullptr) {  // before the wait: they are there already
      for (int k = 0; k < count; ++k) other[k] = operand(k);
    }
    for (;;) {
      port.pace();
      if (load_pieces(format, m.lines_in, m.flag_in, m.ordered, at, value, group)) break;
      if (group.team_any(wait.gives_up())) return false;
    }
    if (m.operand != nullptr) {
      apply(value, other);
    }
  }
  if (m.lines_out != nullptr) {
    port.pace();
    store_pieces(format, m.lines_out, m.flag_out, m.ordered, at, value);
  }
  if (m.stored == nullptr) return true;
  for (int k = 0; k < count; ++k) {
    if (at[k].bytes > 0) {
      detail::store_user(m.stored, at[k], m.lead, m.end, whole[k], value[k]);
    }
  }
  return true;
}

// The whole part, by all threads of the group. LL's teams are single threads.
template <class Port, class Group, class Wait>
FABRICAST_HOST_DEVICE inline bool move_lines(LlFormat format, const LineMove<std::uint32_t>& m,
                                             const Port& port, const Group& group,
                                             const PieceReduction& apply, Wait& wait) {
  constexpr int count = 2;
  const bool agree = detail::agrees<LlFormat>(m);
  const std::int64_t pieces = LlFormat::pieces(m.end);
  const std::int64_t size = group.size();
  for (std::int64_t first = group.index(); first < pieces; first += count * size) {
    PieceAt at[count];
    for (int k = 0; k < count; ++k) at[k] = LlFormat::piece(first + k * size, m.end);
    if (!move_pieces(format, m, at, agree, port, Alone{}, apply, wait)) return false;
  }
  return true;
}

template <class Port, class Group, class Wait>
FABRICAST_HOST_DEVICE inline bool move_lines(Ll128Format format, const LineMove<std::uint64_t>& m,
                                             const Port& port, const Group& group,
                                             const PieceReduction& apply, Wait& wait) {
  constexpr int team = Group::team_size;
  constexpr int count = team == 1 ? 16 : 2;  // of one thread: a pair of lines on the host
  const bool agree = detail::agrees<Ll128Format>(m);
  const std::int64_t pieces = Ll128Format::pieces(m.end);
  const std::int64_t teams = group.size() / team;
  const std::int32_t member = group.index() % team;
  for (std::int64_t first = group.index() / team * std::int64_t{team * count}; first < pieces;
       first += teams * team * count) {
    PieceAt at[count];
    for (int k = 0; k < count; ++k) at[k] = Ll128Format::piece(first + k * team + member, m.end);
    if (!move_pieces(format, m, at, agree, port, group, apply, wait)) return false;
  }
  return true;
}

}  // namespace fabricast::lane
