// NCCL_* variables that change the choice: what a user sets to ask "what if".
//
// Value type. An unknown name or a value that NCCL would not take is a UsageError, so that a
// mistyped override cannot silently do nothing. Defaults are those of NCCL 2.28.9.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/nccl/names.hpp"

namespace fabricast::nccl {

struct Overrides {
  // As set, in NCCL's spelling: "NCCL_ALGO" -> "ring". Empty: NCCL's own choice.
  std::map<std::string, std::string> set;
  // As the network's plugin or guide sets it (network_settings.hpp); not in `set`.
  std::map<std::string, std::string> from_network;

  std::string algo, proto;  // the lists, unread: "allreduce:tree,ring;allgather:ring", "^LL"
  std::optional<int> min_channels, max_channels;  // NCCL_MIN_NCHANNELS or NCCL_MIN_CTAS ...
  int nvls_enable = 2;                            // 0: never, 1 and 2: where the machine has it
  bool collnet_enable = false;
  int collnet_node_threshold = 2;  // nodes
  int cross_nic = 2;               // 0: never, 1: always, 2: where it is needed
  int pat_enable = 2;
  bool pxn_disable = false, ll128_c2c = true;
  std::optional<bool> pxn_c2c;       // NCCL's default: yes from 2.28 on
  bool scatter_nets = true;          // NCCL_MNNVL_SCATTER_NETS_ENABLE
  std::optional<int> nvls_channels;  // NCCL_NVLS_NCHANNELS
  std::optional<int> threads, ll128_threads;
  std::optional<double> net_overhead_us;  // NCCL_NET_OVERHEAD is in ns
  // NCCL_P2P_LEVEL and NCCL_NET_GDR_LEVEL as path types (PathType); NCCL_P2P_DISABLE is LOC.
  std::optional<int> p2p_level, net_gdr_level;

  // Ours, not NCCL's: links that the search for one graph may follow (5 ns each). The golden files
  // need up to 10^8.
  std::int64_t search_limit = 1'500'000'000;

  bool what_if() const { return !set.empty(); }
};

// One variable more: assign(overrides, "NCCL_ALGO", "ring").
void assign(Overrides& overrides, std::string_view name, std::string_view value);
// From a run's environment: variables that do not change the choice (NCCL_DEBUG, NCCL_IB_HCA ...)
// are left out; bad values are UsageErrors.
Overrides overrides_from(const std::map<std::string, std::string>& environment);
// The names that assign() knows.
std::vector<std::string> override_names();

}  // namespace fabricast::nccl
