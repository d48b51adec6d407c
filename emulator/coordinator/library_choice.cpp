#include "emulator/coordinator/library_choice.hpp"

#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emulator/base/error.hpp"
#include "emulator/nccl/machine_shape.hpp"
#include "emulator/nccl/network_settings.hpp"
#include "emulator/nccl/time_choice.hpp"
#include "emulator/nccl/time_model.hpp"
#include "emulator/nccl/tuner_tables.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "topologies/match/machine_match.hpp"

namespace fabricast {
namespace {

std::string catalogue_name(nccl::Algorithm algorithm, bool several_nodes) {
  switch (algorithm) {
    case nccl::Algorithm::tree:
      return "tree";
    case nccl::Algorithm::ring:
      return "ring";
    case nccl::Algorithm::collnet_direct:
      return "collnet_direct";
    case nccl::Algorithm::collnet_chain:
      return "collnet_chain";
    case nccl::Algorithm::nvls:
      return several_nodes ? "nvls_sharp" : "nvls";
    case nccl::Algorithm::nvls_tree:
      return "nvls_tree";
    case nccl::Algorithm::pat:
      break;
  }
  return "pat";
}

Protocol protocol_of(nccl::Protocol protocol) {
  if (protocol == nccl::Protocol::ll) return Protocol::ll;
  return protocol == nccl::Protocol::ll128 ? Protocol::ll128 : Protocol::simple;
}

nccl::Overrides overrides_on(const Topology& machine, const std::vector<std::string>& set) {
  nccl::Overrides overrides = library_overrides(set);
  nccl::add_network_settings(overrides, machine, time_shape_of(machine).nodes);
  return overrides;
}

}  // namespace

bool is_library_variable(const std::string& item) { return item.starts_with("NCCL_"); }

nccl::Overrides library_overrides(const std::vector<std::string>& set) {
  nccl::Overrides overrides;
  for (const auto& item : set) {
    if (!is_library_variable(item)) continue;
    const auto equals = item.find('=');
    if (equals == std::string::npos) {
      throw UsageError(fmt::format("--set {}: give NAME=VALUE, as NCCL_ALGO=ring", item));
    }
    nccl::assign(overrides, item.substr(0, equals), item.substr(equals + 1));
  }
  return overrides;
}

nccl::Version library_version(const std::string& text) {
  constexpr nccl::Version oldest{2, 18, 0};  // what is older has its constants only for want of any
  const nccl::Version version = nccl::parse_version(text);
  const auto tables = nccl::tuner_tables();  // newest first
  const nccl::Version& newest = tables.front().since;
  const bool newer =
      std::pair{version.major, version.minor} > std::pair{newest.major, newest.minor};
  if (!newer && version >= oldest) return version;
  std::vector<std::string> known;
  for (const auto& table : tables) {  // "NVIDIA/nccl v2.30.7-1 src/graph/tuning.cc"
    const auto begin = table.source.find(" v") + 2;
    known.emplace_back(table.source.substr(begin, table.source.find('-', begin) - begin));
  }
  throw UsageError(fmt::format(
      "NCCL {} is not known; give 2.18 to {}.{} (constants were read of {}; between two versions "
      "the older one's hold)",
      text, newest.major, newest.minor, fmt::join(known, ", ")));
}

std::string library_of(const Topology& machine) { return library_of_vendor(machine.gpu().vendor); }

NcclChooser::NcclChooser(const Topology& machine, const nccl::Version& version,
                         const std::vector<std::string>& set)
    : communicator_(nccl::make_communicator(machine, version, overrides_on(machine, set))),
      shape_(time_shape_of(machine)),
      values_(mechanism_priors(shape_)) {}

LibraryPoint library_point(const nccl::Communicator& communicator, Collective collective,
                           std::int64_t bytes) {
  const nccl::Choice choice = nccl::choose(communicator, {collective, bytes});
  LibraryPoint point;
  point.threads = choice.threads;
  if (choice.point_to_point) {
    point.name = "SendRecv";
    point.algorithm = collective == Collective::all_to_all ? "grouped" : "direct";
    return point;
  }
  point.name = nccl::to_string(choice.algorithm);
  point.algorithm = catalogue_name(choice.algorithm, communicator.nodes > 1);
  point.protocol = protocol_of(choice.protocol);
  point.channels = choice.channels;
  point.tuner_us = choice.estimate_us;
  return point;
}

LibraryRule library_rule() {
  const auto known =
      std::make_shared<std::map<const Topology*, std::optional<nccl::Communicator>>>();
  return [known](const Topology& cut, const PointSpec& asked) -> std::optional<PointSpec> {
    if (asked.executor != ExecutorKind::nccl || library_of(cut) != "nccl") return std::nullopt;
    auto found = known->find(&cut);
    if (found == known->end()) {
      std::optional<nccl::Communicator> communicator;
      try {
        communicator = nccl::make_communicator(cut, nccl::default_version, overrides_on(cut, {}));
      } catch (const UsageError&) {  // not built from a file, or of several node sizes
      }
      found = known->emplace(&cut, std::move(communicator)).first;
    }
    if (!found->second) return std::nullopt;
    const LibraryPoint choice = library_point(*found->second, asked.collective, asked.bytes);
    if (!choice.protocol || find_algorithm(choice.algorithm, asked.collective) == nullptr) {
      return std::nullopt;
    }
    PointSpec point = asked;
    point.algorithm = choice.algorithm;
    point.protocol = *choice.protocol;
    point.channels = choice.channels;
    return point;
  };
}

LibraryPoint NcclChooser::choose(Collective collective, std::int64_t bytes) const {
  LibraryPoint point = library_point(communicator_, collective, bytes);
  const TimeCase time_case{shape_, collective, static_cast<double>(bytes)};
  point.closed_us = time_us(time_case, time_choice(communicator_, time_case), values_);
  return point;
}

std::string NcclChooser::title() const {
  std::string text = "NCCL " + to_string(communicator_.version);
  for (const auto* set : {&communicator_.overrides.set, &communicator_.overrides.from_network}) {
    for (const auto& [name, value] : *set) text += " " + name + "=" + value;
  }
  return text;
}

std::string NcclChooser::to_yaml() const {
  std::string set;
  for (const auto& [name, value] : communicator_.overrides.set) {
    set += fmt::format("{}{}: \"{}\"", set.empty() ? "" : ", ", name, value);
  }
  return fmt::format("library: {{name: nccl, version: {}, set: {{{}}}}}\n",
                     to_string(communicator_.version), set);
}

}  // namespace fabricast
