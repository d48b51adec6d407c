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
};
inline constexpr int collective_count = 5;

std::string_view to_string(Collective collective);
// "all_reduce", "allreduce", "all-reduce" ...; throws UsageError with a did-you-mean.
Collective collective_from_name(std::string_view name);
std::vector<std::string> collective_names();

// GB/s = 1e9 B/s. `bytes` is the nccl-tests size: the total of max(send, receive) of one rank, so
// for all-gather, reduce-scatter and all-to-all it is ranks x per-rank bytes.
// busbw factor (nccl-tests doc/PERFORMANCE.md): all_reduce 2(n-1)/n; all_gather, reduce_scatter,
// all_to_all (n-1)/n; broadcast 1.
double algbw_gb_per_s(std::int64_t bytes, double time_us);
double busbw_factor(Collective collective, std::int32_t ranks);

}  // namespace fabricast
