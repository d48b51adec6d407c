// Phases of the algorithms in which all members of a domain meet at once. Of the whole in parts,
// one per member, scatter hands every member its part, reduce takes the sum of the own part,
// publish gives it to all, gather takes the others'. The peer map says by what way: through a
// switch that reduces and multicasts, or directly (semantics 1.4).
#pragma once

#include "emulator/schedule/algorithms/stage_builder.hpp"

namespace fabricast {

inline Phase scatter_parts(std::uint8_t role, const PeerMap& to, const ChunkMap& part) {
  Phase phase{action_send, Buffer::input, role, {}, to, part, {}};
  phase.per_member = true;
  return phase;
}

inline Phase reduce_part(std::uint8_t role, const PeerMap& from, const ChunkMap& part,
                         Buffer target) {
  return {recv_reduce_store, Buffer::input, role, from, {}, part, Active::all(), target};
}

inline Phase publish_part(std::uint8_t role, const PeerMap& to, const ChunkMap& part) {
  return {action_send, Buffer::output, role, {}, to, part, {}};
}

// The same from the input, which the own output gets as well.
inline Phase publish_input(std::uint8_t role, const PeerMap& to, const ChunkMap& part) {
  Phase phase = publish_part(role, to, part);
  phase.action |= action_copy;
  phase.source = Buffer::input;
  return phase;
}

inline Phase gather_parts(std::uint8_t role, const PeerMap& from, const ChunkMap& part) {
  Phase phase{recv_store, Buffer::input, role, from, {}, part, {}};
  phase.per_member = true;
  return phase;
}

}  // namespace fabricast
