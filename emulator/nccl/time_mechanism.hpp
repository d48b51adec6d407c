// The mechanisms of a collective's time: what each figure is, on what it depends, where its prior
// comes from. The priors are published constants and data sheets, fitted to no table.
//
// A figure is positive and lives in log space. Its value for a system is
//   prior(shape) x exp(universal + scope + system), three effects with their own σ: what all
// machines have in commmon, what those of one scope have (a GPU generation, a link class, a kind of
// network), and what is this installation's own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "emulator/nccl/time_shape.hpp"

namespace fabricast {

enum class Mechanism : std::uint8_t {
  launch,
  kernel_start,
  graph_launch_ratio,
  launch_sharing,
  link_hop_ll,
  link_hop_ratio_ll128,
  link_hop_ratio_simple,
  net_hop_ll,
  net_hop_ratio_ll128,
  net_hop_ratio_simple,
  tree_net_hop,
  net_message,
  net_rendezvous,
  net_eager_bytes,
  net_ll_check,
  link_efficiency,
  channel_gbps,
  ll_efficiency,
  ll128_efficiency,
  tree_efficiency,
  nvls_latency,
  nvls_efficiency,
  nvls_fill,
  nvls_loop,
  nic_efficiency,
  collnet_efficiency,
  net_scale_loss,
  tree_scale_loss,
  ramp_bytes,
  net_ramp_bytes,
  p2p_link_efficiency,
  p2p_link_message,
  p2p_net_efficiency,
  p2p_net_channel,
  p2p_scale_loss,
  symmetric_latency,
};
inline constexpr std::size_t mechanism_count = 36;

using MechanismValues = std::array<double, mechanism_count>;

inline std::size_t index_of(Mechanism mechanism) { return static_cast<std::size_t>(mechanism); }

using MechanismSet = std::uint64_t;  // a bit each
inline MechanismSet mechanism_bit(Mechanism mechanism) {
  return MechanismSet{1} << index_of(mechanism);
}

enum class MechanismScope : std::uint8_t { generation, link, network };

struct MechanismSpec {
  std::string_view id, unit;
  MechanismScope scope;
  double universal_sigma, scope_sigma, system_sigma;
  std::string_view meaning;
  std::string_view source;  // of the prior
};

const MechanismSpec& mechanism_spec(Mechanism mechanism);

// The prior value of a mechanism on a machine of this shape.
MechanismValues mechanism_priors(const TimeShape& shape);

// Which scope of a mechanism a shape belongs to: "hopper", "hopper nvswitch", "roce".
std::string scope_key(Mechanism mechanism, const TimeShape& shape);

}  // namespace fabricast
