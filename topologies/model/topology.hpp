// A modeled machine: ranks, directed links, and routing as a function.
//
// Ranks are numbered by RankSpace (digit 0 = GPU inside its NVLink domain; then node or rack; then
// leaf group, pod). route() computes the directed links a message crosses; nothing is stored per
// pair, and nothing is O(ranks^2). Trunks: the parallel uplinks of one switch to the tier above
// are one Link with their summed capacity (packets are sprayed over them), so oversubscription is
// a capacity, not a table.
// Thread safety: const after construction. Complexity: route() is O(hops), hops <=
// Route::max_links.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/base/contracts.hpp"
#include "emulator/base/ids.hpp"
#include "emulator/base/rank_space.hpp"
#include "emulator/base/units.hpp"

namespace fabricast {

enum class Origin : std::uint8_t { measured, published, datasheet, assumed };
std::string_view to_string(Origin origin);

// A number with its unit and where it comes from. `value` is in the SI-decimal unit of the field's
// declaration (GB/s as 1e9 B/s, us, GPUs ...).
struct Sourced {
  double value = 0;
  std::string unit;
  Origin origin = Origin::assumed;
  std::string source;  // citation, never empty in a valid machine
};

enum class LinkKind : std::uint8_t {
  nvlink,         // GPU to NVSwitch and back (scale-up)
  shared_memory,  // host lanes: cores of one machine
  pcie,           // GPU to GPU or NIC through PCIe, when no NVLink exists
  nic,            // GPU's NIC to its leaf switch and back (scale-out endpoint)
  leaf_uplink,    // leaf to spine trunk (and back)
  spine_uplink,   // spine to core trunk (and back)
};
std::string_view to_string(LinkKind kind);

struct LinkClass {
  std::string name;  // "nvlink", "nic", "leaf_up" ... unique in the machine
  LinkKind kind{};
  Sourced bandwidth;  // nominal GB/s per direction of ONE link or trunk of this class
  Sourced latency;    // us, one way, added for each link of this class on a route
  // 1: the switch it leads to multicasts and reduces what its members send, so that algorithms
  // through the switch are possible; 0: it does not.
  Sourced in_network_reduction{0, "", Origin::assumed, "not given in the machine file"};
  // One of several links of a member, each to another member: rounds of an exchange use them at
  // once, where a message to one member has only that one.
  bool direct = false;
  // Of the GPUs at it, where that is not the one of Topology::gpu(); else empty, and of trunks.
  std::string generation{};
};

struct Route {
  // Inside a domain (a torus of 16 x 20 x 28 has routes of 32), and with the way up and down a
  // fabric of three tiers and sites behind it (8 links).
  static constexpr int max_domain_links = 40;
  static constexpr int max_links = max_domain_links + 8;
  std::array<LinkId, max_links> links{};
  int count = 0;
  void add(LinkId link) {
    FABRICAST_EXPECT(count < max_links, "a route that fits");
    links[static_cast<std::size_t>(count++)] = link;
  }
  // Not of a temporary: a range-for would outlive it.
  std::span<const LinkId> span() const& { return {links.data(), static_cast<std::size_t>(count)}; }
  std::span<const LinkId> span() const&& = delete;
};

struct GpuModel {
  std::string name;        // "B300", "H100", "host_core"
  std::string generation;  // "hopper", "blackwell", "ampere", "host": scope of parameters
  Sourced hbm_gb, hbm_tb_per_s, bf16_tflops, fp8_tflops, power_w;
  std::string vendor = "nvidia";      // decides whose collective library runs on it
  Sourced fp4_tflops, pcie_gb_per_s;  // dense; of its slot, per direction. 0: not given
};

class Topology {
 public:
  // More kinds of links are not told apart.
  static constexpr std::size_t max_link_classes = 8;

  virtual ~Topology() = default;

  const std::string& name() const { return name_; }
  const std::string& title() const { return title_; }
  const std::string& fabric() const { return fabric_; }  // "infiniband", "roce", "none" ...
  const GpuModel& gpu() const { return gpu_; }
  const RankSpace& space() const { return space_; }
  std::int32_t ranks() const { return space_.size(); }
  // NCCL collective channels to use by default in this domain, with its origin.
  const Sourced& channels() const { return channels_; }

  // All classes; LinkClassId indexes this.
  const std::vector<LinkClass>& link_classes() const { return classes_; }
  virtual std::int64_t links() const = 0;  // directed links and trunks
  virtual LinkClassId link_class(LinkId link) const = 0;
  // "rack 3 gpu 17 nvlink up", for people.
  virtual std::string link_name(LinkId link) const = 0;
  // Directed links from a to b; empty when a == b.
  virtual Route route(RankId a, RankId b) const = 0;

  // Which node the rank is in, as a number: the ranks of one meet inside it, without the network. A
  // domain of the rank space, or several of them (DomainSpec::domains_per_node).
  virtual std::int32_t node_of(RankId rank) const {
    return static_cast<std::int32_t>(rank.value()) / space_.domain_size();
  }
  // Is some node several domains?
  virtual bool has_parts_of_nodes() const { return false; }
  // Ordered pairs of ranks whose route crosses the link, in closed form. Negative where routes
  // climb and descend a tree, so that counting by switches is exact.
  virtual std::int64_t pairs_on(LinkId) const { return -1; }
  // Which kind of domain the rank is in, of how many: links of unlike domains are of classes of
  // their own.
  virtual int kind_of(RankId) const { return 0; }
  virtual int kinds() const { return 1; }
  // In which orders rings pass the members of a domain, channel by channel, so that together they
  // load all links; null where any order does.
  using RingOrders = std::vector<std::vector<std::int32_t>>;
  const std::shared_ptr<const RingOrders>& ring_orders() const { return ring_orders_; }

  // The machine's YAML as read (echoed into the trace) and its file path.
  const std::string& yaml() const { return yaml_; }

 protected:
  std::string name_, title_, fabric_, yaml_;
  GpuModel gpu_;
  RankSpace space_;
  Sourced channels_;
  std::vector<LinkClass> classes_;
  std::shared_ptr<const RingOrders> ring_orders_;
};

}  // namespace fabricast
