// Reading and writing the lines of LL and LL128 (line_format.hpp), on the device and on the host.
//
// Device: a piece is one 16-byte volatile access, so a line of LL is one store of one thread and a
// line of LL128 one store instruction of eight neighbouring threads of a warp. What that needs of
// the hardware, and nothing in PTX's memory model promises: that an aligned 16-byte access is not
// torn (LL), and that the 128 bytes of one store instruction of a warp become visible together, to
// one load instruction of a warp (LL128). Both hold inside a device and over NVLink, LL128's not
// over PCIe (docs/gpu.md).
//
// Host: LL's two halves of a line are 8-byte atomics, each with its own flag, so tearing between
// them is allowed and found. LL128's data are plain memory published by a release store of the
// flag: that is how the axiom looks to ThreadSanitizer.
//
// Order: a flag says that its own line is there, and no more. Where lanes of one rank share data, a
// message must also order everything its sender did before, the same step included (semantics 2.3).
// With `ordered`, LL's words are release and acquire on the host, and steps go in passes with
// order_lanes() between them (move_message.hpp): await all lines, store, send.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/host_device.hpp"
#include "kernels/lane/atomics.hpp"
#include "kernels/lane/line_format.hpp"

namespace fabricast::lane {

// What one thread moves at once; LL uses the first two words.
struct Piece {
  std::uint32_t word[4] = {};
};

// Device: all that this thread and, behind a barrier, its group did before is ordered against what
// they do afterwards, seen from other CTAs (and from other devices, if messages go there). On the
// host the words of the lines themselves order.
template <bool across_devices>
FABRICAST_HOST_DEVICE inline void order_lanes() {
#if defined(__CUDA_ARCH__)
  if constexpr (across_devices) {
    __threadfence_system();
  } else {
    __threadfence();
  }
#endif
}

namespace detail {
#if defined(__CUDA_ARCH__)
__device__ inline void load_volatile(const std::byte* at, std::uint32_t (&w)[4]) {
  asm volatile("ld.volatile.global.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(w[0]), "=r"(w[1]), "=r"(w[2]), "=r"(w[3])
               : "l"(__cvta_generic_to_global(at))
               : "memory");
}
__device__ inline void store_volatile(std::byte* at, std::uint32_t a, std::uint32_t b,
                                      std::uint32_t c, std::uint32_t d) {
  asm volatile("st.volatile.global.v4.u32 [%0], {%1,%2,%3,%4};" ::"l"(__cvta_generic_to_global(at)),
               "r"(a), "r"(b), "r"(c), "r"(d)
               : "memory");
}
#else
inline Counter word64(const std::byte* at) {
  return Counter(*reinterpret_cast<std::uint64_t*>(const_cast<std::byte*>(at)));
}
#endif
FABRICAST_HOST_DEVICE inline std::uint64_t wide(std::uint32_t low, std::uint32_t high) {
  return low | std::uint64_t{high} << 32;
}
}  // namespace detail

// One LL line. False: this message's line is not (wholly) there yet.
FABRICAST_HOST_DEVICE inline bool load_line(LlFormat, const std::byte* at, std::uint32_t flag,
                                            [[maybe_unused]] bool ordered, Piece& piece) {
#if defined(__CUDA_ARCH__)
  std::uint32_t w[4];
  detail::load_volatile(at, w);
  piece.word[0] = w[0];
  piece.word[1] = w[2];
  return w[1] == flag && w[3] == flag;
#else
  const auto order = ordered ? acquire : relaxed;
  const std::uint64_t first = detail::word64(at).load(order);
  const std::uint64_t second = detail::word64(at + 8).load(order);
  piece.word[0] = static_cast<std::uint32_t>(first);
  piece.word[1] = static_cast<std::uint32_t>(second);
  return first >> 32 == flag && second >> 32 == flag;
#endif
}

FABRICAST_HOST_DEVICE inline void store_line(LlFormat, std::byte* at, std::uint32_t flag,
                                             [[maybe_unused]] bool ordered, const Piece& piece) {
#if defined(__CUDA_ARCH__)
  detail::store_volatile(at, piece.word[0], flag, piece.word[1], flag);
#else
  const auto order = ordered ? release : relaxed;
  detail::word64(at).store(detail::wide(piece.word[0], flag), order);
  detail::word64(at + 8).store(detail::wide(piece.word[1], flag), order);
#endif
}

// The pieces one thread has of a message, those that exist; `lines` is the part's first line.
// load: true when all of them were there (LL128: all of the thread's team; every thread of the team
// calls it and gets the same answer).
template <int count, class Group>
FABRICAST_HOST_DEVICE inline bool load_pieces(LlFormat format, const std::byte* lines,
                                              std::uint32_t flag, bool ordered,
                                              const PieceAt (&at)[count], Piece (&piece)[count],
                                              const Group& /*group*/) {
  bool there = true;
  for (int k = 0; k < count; ++k) {
    if (at[k].bytes > 0) {
      there = load_line(format, lines + at[k].wire, flag, ordered, piece[k]) && there;
    }
  }
  return there;
}

template <int count>
FABRICAST_HOST_DEVICE inline void store_pieces(LlFormat format, std::byte* lines,
                                               std::uint32_t flag, bool ordered,
                                               const PieceAt (&at)[count],
                                               const Piece (&piece)[count]) {
  for (int k = 0; k < count; ++k) {
    if (at[k].bytes > 0) store_line(format, lines + at[k].wire, flag, ordered, piece[k]);
  }
}

// LL128: a piece of 8 bytes is the one with the flag, the last of its line. All threads of a team
// call these together.
template <int count, class Group>
FABRICAST_HOST_DEVICE inline bool load_pieces(Ll128Format, const std::byte* lines,
                                              std::uint64_t flag, bool /*ordered*/,
                                              const PieceAt (&at)[count], Piece (&piece)[count],
                                              [[maybe_unused]] const Group& group) {
#if defined(__CUDA_ARCH__)
  bool there = true;
  for (int k = 0; k < count; ++k) {
    if (at[k].bytes == 0) continue;
    detail::load_volatile(lines + at[k].wire, piece[k].word);
    if (at[k].bytes == 8) {
      there = there && detail::wide(piece[k].word[2], piece[k].word[3]) == flag;
    }
  }
  return group.team_all(there);
#else
  for (int k = 0; k < count; ++k) {
    if (at[k].bytes == 8 && detail::word64(lines + at[k].wire + 8).load(acquire) != flag) {
      return false;
    }
  }
  for (int k = 0; k < count; ++k) {
    std::memcpy(piece[k].word, lines + at[k].wire, static_cast<std::size_t>(at[k].bytes));
  }
  return true;
#endif
}

template <int count>
FABRICAST_HOST_DEVICE inline void store_pieces(Ll128Format, std::byte* lines, std::uint64_t flag,
                                               bool /*ordered*/, const PieceAt (&at)[count],
                                               const Piece (&piece)[count]) {
#if defined(__CUDA_ARCH__)
  __syncwarp();  // threads whose loads took different ways store a line together again
#endif
  for (int k = 0; k < count; ++k) {
    const bool with_flag = at[k].bytes == 8;
    std::byte* to = lines + at[k].wire;
#if defined(__CUDA_ARCH__)
    const auto low = static_cast<std::uint32_t>(flag);
    const auto high = static_cast<std::uint32_t>(flag >> 32);
    const auto& w = piece[k].word;
    if (at[k].bytes > 0) {
      detail::store_volatile(to, w[0], w[1], with_flag ? low : w[2], with_flag ? high : w[3]);
    }
#else
    std::memcpy(to, piece[k].word, static_cast<std::size_t>(at[k].bytes));
    if (with_flag) detail::word64(to + 8).store(flag, release);
#endif
  }
}

// Has the message with this flag begun to arrive in the slot? Looks at its first line; only the
// leader of a group calls it, and all of the group are behind a barrier afterwards.
FABRICAST_HOST_DEVICE inline bool has_begun(LlFormat format, const std::byte* slot,
                                            std::uint32_t flag, bool ordered) {
  Piece first;
  return load_line(format, slot, flag, ordered, first);
}
FABRICAST_HOST_DEVICE inline bool has_begun(Ll128Format, const std::byte* slot, std::uint64_t flag,
                                            bool /*ordered*/) {
  const std::byte* at = slot + Ll128Format::line - 8;
#if defined(__CUDA_ARCH__)
  return *reinterpret_cast<const volatile std::uint64_t*>(at) == flag;
#else
  return detail::word64(at).load(acquire) == flag;
#endif
}

}  // namespace fabricast::lane
