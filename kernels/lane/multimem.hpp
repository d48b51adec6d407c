// All-reduce by a switch that reduces and multicasts (NVLink SHARP): logic for host and device.
//
// Every member (GPU) has equal memory bound to one multicast object. A load through the object's
// address gives the reduction over all members' memory at that offset, a store goes to all. Each
// member reduces its share of the message and stores the result for everyone, so the data cross a
// member's link once in each direction: no slots, no copies, in place or not.
//
// The memory holds a counter for each CTA, then data. Shares are contiguous, cut at lines of 128
// bytes, of members first and then of a member's CTAs. CTA c of every member meets its namesakes
// before it loads (their inputs are there: their kernel has started) and after it has stored (all
// parts with number c are in everybody's output). A meeting adds 1 to the counter c of all members
// by one multicast reduction with release, and waits on the own one with acquire, both at system
// scope; the counter is never reset during a request. Waits are bounded (stall.hpp).
//
// What the switch can reduce (PTX ISA, multimem.ld_reduce): f32 sum; f16 and bf16 sum, min and max;
// s32 sum, min and max, which have no vector form. The order over the members is not specified: of
// f32, f16 and bf16 a sum is defined only where every partial sum is exact (f16 and bf16 are added
// in f32 and rounded once). kernels/reference makes such inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/arithmetic.hpp"
#include "kernels/host_device.hpp"
#include "kernels/lane/fifo.hpp"
#include "kernels/lane/stall.hpp"

namespace fabricast::lane {

inline constexpr std::int32_t most_multimem_ctas = 64;
// Data start here in every member's memory, behind the counters.
inline constexpr auto multimem_data_offset =
    static_cast<std::int64_t>(most_multimem_ctas * line_bytes);

constexpr bool switch_reduces(DataType type, ReduceOp op) {
  return type != DataType::float32 || op == ReduceOp::sum;
}

// What one access moves: 16 bytes, or an integer.
template <class T>
struct SwitchUnit {
  static constexpr int words = std::is_same_v<T, std::int32_t> ? 1 : 4;
  static constexpr std::int64_t bytes = 4 * words;
  std::uint32_t word[words];
};

struct MultimemWork {
  std::int32_t member = 0;
  std::int32_t members = 1;
  std::int32_t ctas = 1;           // of each member
  std::int64_t input_offset = 0;   // in the memory; aligned to lines
  std::int64_t output_offset = 0;  // may be the input's
  std::int64_t bytes = 0;          // a multiple of 16: the rest of the last unit is reduced too
  std::uint64_t meetings = 0;      // that each CTA has had since its counter was zero
};
inline constexpr std::uint64_t meetings_per_run = 2;

struct ByteRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
};

// Of the message, what CTA `cta` of the member reduces.
FABRICAST_HOST_DEVICE inline ByteRange share_of(const MultimemWork& work, std::int32_t cta) {
  constexpr auto line = static_cast<std::int64_t>(line_bytes);
  const std::int64_t lines = (work.bytes + line - 1) / line;
  const std::int64_t parts = static_cast<std::int64_t>(work.members) * work.ctas;
  const std::int64_t part = static_cast<std::int64_t>(work.member) * work.ctas + cta;
  const std::int64_t first = lines * part / parts * line;
  const std::int64_t end = lines * (part + 1) / parts * line;
  return {first < work.bytes ? first : work.bytes, end < work.bytes ? end : work.bytes};
}

// All threads of the group come back with the same answer: false if the run has been stopped. What
// any thread of any member's CTA of that number did before happens before what these do afterwards.
template <class Port, class Group, class Pause>
FABRICAST_HOST_DEVICE inline bool meet_members(const MultimemWork& work, std::int32_t cta,
                                               std::int32_t number, const Port& port,
                                               const RunControl& control, const Group& group,
                                               Pause& pause) {
  group.sync();
  return group.share([&]() -> std::int32_t {
    const auto all = static_cast<std::uint64_t>(work.members) *
                     (work.meetings + static_cast<std::uint64_t>(number) + 1);
    port.arrive(cta);
    StallWatch watch;
    pause.reset();
    while (port.arrivals(cta) < all) {
      const auto verdict = watch.look(control, pause());
      if (verdict == StallWatch::Verdict::wait) continue;
      if (verdict == StallWatch::Verdict::stalled && claim(*control.stop, 1)) {
        *control.stall = StallRecord{cta, 0, 0, number, Wait::lane};
      }
      return 0;
    }
    control.count_step(cta);
    return 1;
  }) != 0;
}

inline constexpr int switch_loads_in_flight = 4;  // of each thread

// The group's share: several loads are under way before the first result is stored.
template <class T, ReduceOp op, class Port, class Group>
FABRICAST_HOST_DEVICE inline void reduce_share(const MultimemWork& work, const ByteRange& share,
                                               const Port& port, const Group& group) {
  constexpr int in_flight = switch_loads_in_flight;
  constexpr std::int64_t unit = SwitchUnit<T>::bytes;
  const std::int64_t stride = unit * group.size();
  std::int64_t at = share.first + unit * group.index();
  for (; at + (in_flight - 1) * stride < share.end; at += in_flight * stride) {
    SwitchUnit<T> value[in_flight];
    for (int u = 0; u < in_flight; ++u) {
      value[u] = port.template load_reduce<T, op>(work.input_offset + at + u * stride);
    }
    for (int u = 0; u < in_flight; ++u) {
      port.template store<T>(work.output_offset + at + u * stride, value[u]);
    }
  }
  for (; at < share.end; at += stride) {
    port.template store<T>(work.output_offset + at,
                           port.template load_reduce<T, op>(work.input_offset + at));
  }
}

// One CTA of one member. A Port has load_reduce<T, op>(offset), store<T>(offset, unit),
// arrive(cta) and arrivals(cta); leaders alone call the last two.
template <class T, ReduceOp op, class Port, class Group, class Pause>
FABRICAST_HOST_DEVICE inline void multimem_all_reduce(const MultimemWork& work, std::int32_t cta,
                                                      const Port& port, const RunControl& control,
                                                      const Group& group, Pause& pause) {
  if (!meet_members(work, cta, 0, port, control, group, pause)) return;
  reduce_share<T, op>(work, share_of(work, cta), port, group);
  meet_members(work, cta, 1, port, control, group, pause);
}

}  // namespace fabricast::lane
