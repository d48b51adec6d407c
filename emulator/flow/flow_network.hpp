// The links of a machine as the flow engine shares them, and which of them a flow crosses.
//
// Everything but trunks is a link of the Topology. What becomes of a trunk, the parallel uplinks of
// a switch, is the routing policy's choice:
//   spray   one link of the summed capacity: packets are spread over all uplinks evenly
//   ecmp    every uplink is a link; a flow takes one by a seeded hash of (source, destination,
//   channel) dmodk   every uplink is a link; chosen by the destination: number d of a NIC takes d
//   mod U at the
//           leaf and (d / U) mod (core uplinks per spine) above (Zahavi, J. Parallel Distrib.
//           Comput. 72, 2012): all flows to one destination meet on one path, permutations of
//           destinations spread
//   rail    as spray, but a message first changes to the NIC of its destination's rail, inside its
//   own
//           domain, so that it never crosses rails in the fabric (NCCL: PXN, v2.28.9-1
//           src/graph/paths.cc)
// A trunk of U uplinks has U = capacity / line rate of a NIC, rounded, at least one. A spine's
// share of the core uplinks is fixed by wiring: uplink v of a pod belongs to spine v / (V / U).
// Down from a spine or a core there is one way. All of it is a function; nothing is stored per
// pair. Immutable; thread safe. path() is O(hops).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/flow/flow_sim.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

enum class Routing : std::uint8_t { spray, ecmp, dmodk, rail };
std::string_view to_string(Routing routing);
Routing routing_from_name(std::string_view name);  // throws UsageError with a did-you-mean

struct FlowChoice {
  Routing routing = Routing::spray;
  std::uint64_t seed = 0;  // of ecmp
};

class FlowNetwork {
 public:
  // `usable`: by link class, what data can have of one link or trunk; empty: the nominal bandwidth.
  FlowNetwork(std::shared_ptr<const Topology> topology, Routing routing, std::uint64_t seed,
              std::vector<Bandwidth> usable = {});

  std::vector<FlowRate> capacities() const;
  std::uint32_t links() const { return links_; }
  LinkClassId link_class(std::uint32_t link) const;
  // The topology's link that this one is, or is an uplink of.
  LinkId origin(std::uint32_t link) const;
  // Into how many links of this network one of the class is taken apart; 1: none.
  std::uint32_t parts(LinkClassId link_class) const;
  std::string link_name(std::uint32_t link) const;

  // `attempt` numbers the alternatives a policy has, from the one it takes.
  FlowPath path(RankId from, RankId to, std::int32_t channel, std::int32_t attempt = 0) const;
  // The first alternative without a dead link; none where there is none.
  std::optional<FlowPath> living_path(RankId from, RankId to, std::int32_t channel,
                                      const MaxMin& solver) const;
  const Topology& topology() const { return *topology_; }

 private:
  struct Trunk {                // a link class
    std::int64_t first = 0;     // its lowest LinkId in the topology
    std::int64_t count = 0;     // links of the class
    std::uint32_t uplinks = 0;  // of each; 0: not expanded
    std::uint32_t base = 0;     // the first uplink's number here
  };
  void add_route(FlowPath& path, const Route& route, std::uint64_t leaf_choice,
                 std::uint64_t core_choice) const;
  void find_trunks();

  std::shared_ptr<const Topology> topology_;
  Routing routing_;
  std::uint64_t seed_;
  std::vector<Bandwidth> usable_;
  std::vector<Trunk> trunks_;  // by link class
  std::uint32_t links_ = 0;
  std::uint32_t members_ = 1, nics_per_rail_ = 1, rails_ = 1, nics_ = 1;
  std::int32_t attempts_ = 1;
};

}  // namespace fabricast
