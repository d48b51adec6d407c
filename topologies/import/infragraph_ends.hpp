// The ends of InfraGraph edges: which parts a slice of names stands for.
//
// "nic[0:2]" of an instance or a device; "nic[0:2].port[0]" where a nic is a device itself. Errors
// name the place of the text: unknown names, slices out of range, more than a million ends of an
// edge or ten of a file. Internal to topologies/import.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/base/strict_yaml.hpp"
#include "topologies/import/infragraph.hpp"

namespace fabricast {

constexpr std::size_t most_infra_edges = 1'000'000;

// Names of each list of a graph and their places in it.
struct InfraNames {
  using List = std::map<std::string, std::int32_t, std::less<>>;
  List devices, instances, links;
  std::vector<List> parts, links_of;  // of each device
};

// Fails at the cursor where the list has no such name.
std::int32_t place_of_infra_name(const YamlCursor& at, const InfraNames::List& names,
                                 const std::string& name, std::string_view what);

// Of a graph whose devices and instances are read; both outlive it.
class InfraEnds {
 public:
  InfraEnds(const InfraGraph& graph, const InfraNames& names) : graph_(graph), names_(names) {}

  // {component, device}: in a device's own edge.
  std::vector<InfraEnd> of_device(const YamlCursor& at, std::size_t device) const;
  // {instance, component}: in an edge between instances.
  std::vector<InfraEnd> of_graph(const YamlCursor& at) const;

 private:
  const InfraGraph& graph_;
  const InfraNames& names_;
  mutable std::size_t expanded_ = 0;  // ends, of all edges so far
};

}  // namespace fabricast
