#include "emulator/flow/flow_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/cost/edge_class.hpp"
#include "topologies/builders/built_topology.hpp"

namespace fabricast {
namespace {

constexpr std::string_view routing_names[] = {"spray", "ecmp", "dmodk", "rail"};

}  // namespace

std::string_view to_string(Routing routing) {
  return routing_names[static_cast<std::size_t>(routing)];
}

Routing routing_from_name(std::string_view name) {
  std::vector<std::string> known(std::begin(routing_names), std::end(routing_names));
  const auto found = std::find(known.begin(), known.end(), name);
  if (found == known.end()) throw UsageError(unknown_name_message("routing", name, known));
  return static_cast<Routing>(found - known.begin());
}

FlowNetwork::FlowNetwork(std::shared_ptr<const Topology> topology, Routing routing,
                         std::uint64_t seed, std::vector<Bandwidth> usable)
    : topology_(std::move(topology)), routing_(routing), seed_(seed), usable_(std::move(usable)) {
  const auto& classes = topology_->link_classes();
  for (std::size_t c = usable_.size(); c < classes.size(); ++c) {
    usable_.emplace_back(static_cast<std::int64_t>(classes[c].bandwidth.value * 1e9));
  }
  members_ = static_cast<std::uint32_t>(topology_->space().domain_size());
  const auto* built = dynamic_cast<const BuiltTopology*>(topology_.get());
  if (built != nullptr && built->spec().fabric) {
    nics_ = static_cast<std::uint32_t>(built->spec().fabric->nics);
    rails_ = static_cast<std::uint32_t>(built->spec().fabric->rails);
    nics_per_rail_ = nics_ / rails_;
  }
  find_trunks();
}

// Links of a class have consecutive numbers (RailFatTree).
void FlowNetwork::find_trunks() {
  const auto& classes = topology_->link_classes();
  trunks_.resize(classes.size());
  const std::int64_t plain = topology_->links();
  for (std::int64_t link = 0; link < plain; ++link) {
    Trunk& trunk = trunks_[topology_->link_class(LinkId::from(link)).value()];
    if (trunk.count++ == 0) trunk.first = link;
  }
  links_ = static_cast<std::uint32_t>(plain);
  if (routing_ != Routing::ecmp && routing_ != Routing::dmodk) return;
  // The ports of switches are those of the first kind of node.
  double line = 0;
  for (const LinkClass& c : classes) {
    if (c.kind == LinkKind::nic && line == 0) line = c.bandwidth.value;
  }
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (!is_trunk(classes[c].kind)) continue;
    Trunk& trunk = trunks_[c];
    trunk.uplinks =
        static_cast<std::uint32_t>(std::max(1.0, std::round(classes[c].bandwidth.value / line)));
    trunk.base = links_;
    links_ += trunk.uplinks * static_cast<std::uint32_t>(trunk.count);
    attempts_ = std::max(attempts_, static_cast<std::int32_t>(trunk.uplinks));
  }
}

LinkClassId FlowNetwork::link_class(std::uint32_t link) const {
  FABRICAST_EXPECT(link < links_, "a link of this network");
  if (link < static_cast<std::uint32_t>(topology_->links())) {
    return topology_->link_class(LinkId(link));
  }
  for (std::uint32_t c = static_cast<std::uint32_t>(trunks_.size()); c-- > 0;) {
    if (trunks_[c].uplinks > 0 && link >= trunks_[c].base) return LinkClassId(c);
  }
  FABRICAST_ASSERT(false, "an uplink belongs to a trunk");
  return {};
}

LinkId FlowNetwork::origin(std::uint32_t link) const {
  const Trunk& trunk = trunks_[link_class(link).value()];
  if (link < static_cast<std::uint32_t>(topology_->links())) return LinkId(link);
  return LinkId::from(trunk.first + (link - trunk.base) / trunk.uplinks);
}

std::uint32_t FlowNetwork::parts(LinkClassId link_class) const {
  return std::max(1u, trunks_[link_class.value()].uplinks);
}

std::string FlowNetwork::link_name(std::uint32_t link) const {
  const std::string name = topology_->link_name(origin(link));
  if (link < static_cast<std::uint32_t>(topology_->links())) return name;
  const Trunk& trunk = trunks_[link_class(link).value()];
  return fmt::format("{} link {}", name, (link - trunk.base) % trunk.uplinks);
}

std::vector<FlowRate> FlowNetwork::capacities() const {
  std::vector<FlowRate> result(links_, 0);
  const auto rate = [&](std::size_t c, std::uint32_t parts) {
    return flow_rate(Bandwidth(usable_[c].value() / parts));
  };
  for (std::int64_t link = 0; link < topology_->links(); ++link) {
    const auto c = topology_->link_class(LinkId::from(link)).value();
    result[static_cast<std::size_t>(link)] = rate(c, 1);
  }
  for (std::size_t c = 0; c < trunks_.size(); ++c) {
    const Trunk& trunk = trunks_[c];
    const std::size_t count = trunk.uplinks * static_cast<std::size_t>(trunk.count);
    std::fill_n(result.begin() + trunk.base, count,
                trunk.uplinks == 0 ? 0 : rate(c, trunk.uplinks));
  }
  return result;
}

void FlowNetwork::add_route(FlowPath& path, const Route& route, std::uint64_t leaf_choice,
                            std::uint64_t core_choice) const {
  const std::size_t length = path.size + route.span().size();
  if (length > MaxMin::max_crossings) {
    throw UsageError(fmt::format(
        "a route of {} links is too long for flows (at most {}, the machine {} has direct "
        "links between the members of a node); use --engine sweep",
        length, MaxMin::max_crossings, topology_->name()));
  }
  const bool expanded = routing_ == Routing::ecmp || routing_ == Routing::dmodk;
  if (!expanded) {
    for (const LinkId link : route.span()) path.add(link.value());
    return;
  }
  std::uint32_t spines = 1;  // leaf uplinks, one per spine
  for (const Trunk& trunk : trunks_) {
    if (trunk.uplinks == 0) continue;
    spines = trunk.uplinks;
    break;
  }
  for (const LinkId link : route.span()) {
    const LinkClassId c = topology_->link_class(link);
    const Trunk& trunk = trunks_[c.value()];
    if (trunk.uplinks == 0) {
      path.add(link.value());
      continue;
    }
    const auto which = static_cast<std::uint32_t>(link.value() - trunk.first);
    std::uint64_t choice = leaf_choice % spines;
    if (topology_->link_classes()[c.value()].kind == LinkKind::spine_uplink) {
      const std::uint32_t per_spine = std::max(1u, trunk.uplinks / spines);
      choice = (choice * per_spine + core_choice % per_spine) % trunk.uplinks;
    }
    path.add(trunk.base + which * trunk.uplinks + static_cast<std::uint32_t>(choice));
  }
}

FlowPath FlowNetwork::path(RankId from, RankId to, std::int32_t channel,
                           std::int32_t attempt) const {
  FlowPath path;
  if (from == to) return path;
  const std::uint32_t home = from.value() / members_;
  const std::uint32_t away = to.value() / members_;
  if (routing_ == Routing::rail && topology_->node_of(from) != topology_->node_of(to) &&
      nics_ > 0) {
    const std::uint32_t own_nic = from.value() % members_ * nics_ / members_;
    const std::uint32_t other_nic = to.value() % members_ * nics_ / members_;
    const RankId relay(home * members_ + to.value() % members_);
    if (own_nic % rails_ != other_nic % rails_) {
      add_route(path, topology_->route(from, relay), 0, 0);
      add_route(path, topology_->route(relay, to), 0, 0);
      return path;
    }
  }
  std::uint64_t leaf_choice = 0, core_choice = 0;
  if (routing_ == Routing::ecmp) {
    const std::uint64_t pair = (std::uint64_t{from.value()} << 32) | to.value();
    const auto extra = static_cast<std::uint64_t>(channel) * 65536;
    leaf_choice = random_bits(seed_, pair, extra) + static_cast<std::uint64_t>(attempt);
    core_choice = random_bits(seed_, pair, extra + 1) + static_cast<std::uint64_t>(attempt);
  } else if (routing_ == Routing::dmodk) {
    const std::uint32_t nic = to.value() % members_ * nics_ / members_;
    const std::uint64_t number = std::uint64_t{away} * nics_per_rail_ + nic / rails_;
    leaf_choice = number + static_cast<std::uint64_t>(attempt);
    for (const Trunk& trunk : trunks_) {
      if (trunk.uplinks == 0) continue;
      core_choice = number / trunk.uplinks + static_cast<std::uint64_t>(attempt);
      break;
    }
  }
  add_route(path, topology_->route(from, to), leaf_choice, core_choice);
  return path;
}

std::optional<FlowPath> FlowNetwork::living_path(RankId from, RankId to, std::int32_t channel,
                                                 const MaxMin& solver) const {
  for (std::int32_t attempt = 0; attempt < attempts_; ++attempt) {
    const FlowPath candidate = path(from, to, channel, attempt);
    const auto alive = [&](const Crossing& at) { return solver.capacity(at.link) > 0; };
    const auto links = candidate.span();
    if (std::all_of(links.begin(), links.end(), alive)) return candidate;
  }
  return std::nullopt;
}

}  // namespace fabricast
