// The expanded form of a schedule: one 16-byte Step, one layout for host and device.
//
// A lane (rank, channel, role) executes its Steps in order. docs/semantics.md says what a step does
// and when. Trivially copyable; this header includes nothing of ours, so kernels can use it.
#pragma once

#include <cstdint>
#include <type_traits>

namespace fabricast {

// The action bit-set. Legal combinations are MSCCL's instructions:
//   send (s), recv|copy (r), recv|copy|send (rcs), recv|reduce|copy (rrc), recv|reduce|send (rrs),
//   recv|reduce|copy|send (rrcs), copy (cpy, local), copy|send (copy own input while sending it).
// recv: take the next message of connection (peer_in -> me). reduce: combine it with the operand
// chunk. copy: store the value to the output chunk. send: put the value into connection
// (me -> peer_out). Without recv the value is the operand chunk itself.
enum Action : std::uint8_t {
  action_none = 0,
  action_recv = 1,
  action_reduce = 2,
  action_copy = 4,
  action_send = 8,
};

inline constexpr std::uint32_t no_peer = 0xFFFFFFFFu;

struct Step {
  std::uint32_t peer_in = no_peer;   // rank, or no_peer
  std::uint32_t peer_out = no_peer;  // rank, or no_peer
  std::uint32_t chunk_first = 0;     // first chunk (chunk numbering of the Schedule)
  std::uint16_t chunk_count = 1;     // chunks moved as one message
  std::uint8_t action = action_none;
  std::uint8_t from_output : 1 = 0;  // operand chunk is read from the output buffer, else input
  std::uint8_t role : 3 = 0;         // lane role of this step
  std::uint8_t reserved : 4 = 0;
};
static_assert(sizeof(Step) == 16 && std::is_trivially_copyable_v<Step>);

}  // namespace fabricast
