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
//   recv|reduce|copy|send (rrcs), copy (cpy, local), copy|send (copy own input while sending it),
//   reduce|copy (re, local: target := target + source), none (nop: only waits, see `after`).
// recv: take the next message of connection (peer_in -> me). reduce: combine it with the operand
// chunk. copy: store the value to the target chunk. send: put the value into connection
// (me -> peer_out). Without recv the value is the operand chunk itself.
enum Action : std::uint8_t {
  action_none = 0,
  action_recv = 1,
  action_reduce = 2,
  action_copy = 4,
  action_send = 8,
};

// Is the combination one of them?
constexpr bool is_instruction(unsigned action) {
  switch (action) {
    case action_none:
    case action_copy:
    case action_send:
    case action_copy | action_send:
    case action_reduce | action_copy:
    case action_recv | action_copy:
    case action_recv | action_copy | action_send:
    case action_recv | action_reduce | action_copy:
    case action_recv | action_reduce | action_send:
    case action_recv | action_reduce | action_copy | action_send: return true;
    default: return false;
  }
}

// The buffers of a rank. Scratch belongs to the executor; its chunks hold one chunk of data each.
enum class Buffer : std::uint8_t { input, output, scratch };

inline constexpr std::uint32_t no_peer = 0xFFFFFFu;
inline constexpr std::uint32_t max_step_rank = no_peer - 1;

struct Step {
  std::uint64_t peer_in : 24 = no_peer;   // rank, or no_peer
  std::uint64_t peer_out : 24 = no_peer;  // rank, or no_peer
  std::uint64_t chunk_count : 16 = 1;     // chunks moved as one message
  std::uint64_t source_chunk : 24 = 0;    // operand: first chunk (chunk numbering of the Schedule)
  std::uint64_t target_chunk : 24 = 0;    // copy: first chunk
  std::uint64_t action : 4 = action_none;
  std::uint64_t source : 2 = 0;       // Buffer of the operand
  std::uint64_t target : 2 = 1;       // Buffer a copy goes to
  std::uint64_t stride_log2 : 5 = 0;  // chunks of a message are 2^stride_log2 apart, modulo chunks
  std::uint64_t reserved : 3 = 0;

  constexpr Buffer source_buffer() const { return static_cast<Buffer>(source); }
  constexpr Buffer target_buffer() const { return static_cast<Buffer>(target); }
};
static_assert(sizeof(Step) == 16 && std::is_trivially_copyable_v<Step>);

}  // namespace fabricast
