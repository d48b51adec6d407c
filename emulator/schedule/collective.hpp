// The collectives, and nccl-tests' exact definitions of size, algbw and busbw.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fabricast {

enum class Collective : std::uint8_t {
  all_reduce,
  all_gather,
  reduce_scatter,
  broadcast,
  all_to_all,
  reduce,
  gather,
  scatter,
  send_recv,  // every rank sends to the next one and receives from the previous one, as nccl-tests
};
inline constexpr int collective_count = 9;

std::string_view to_string(Collective collective);
// "all_reduce", "allreduce", "all-reduce" ...; throws UsageError with a did-you-mean.
Collective collective_from_name(std::string_view name);
std::vector<std::string> collective_names();

// Do the user's buffers consist of one equal block per rank?
bool has_rank_blocks(Collective collective);
// Of a collective with rank blocks: does a rank's input (output) hold its own block only?
bool input_is_own_block(Collective collective);
bool output_is_own_block(Collective collective);
// Does it combine values (and so have a reduction operator)?
bool reduces(Collective collective);
// Does only the root have an input (an output)?
bool input_is_at_root(Collective collective);
bool output_is_at_root(Collective collective);
// Does it have a root?
bool has_root(Collective collective);

// GB/s = 1e9 B/s. `bytes` is the nccl-tests size: the total of max(send, receive) of one rank, so
// where buffers have rank blocks it is ranks x per-rank bytes.
// busbw factor (nccl-tests doc/PERFORMANCE.md and src/*.cu): all_reduce 2(n-1)/n; all_gather,
// reduce_scatter, all_to_all, gather, scatter (n-1)/n; broadcast, reduce, sendrecv 1.
double algbw_gb_per_s(std::int64_t bytes, double time_us);
double busbw_factor(Collective collective, std::int32_t ranks);

}  // namespace fabricast
