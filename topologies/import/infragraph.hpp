// InfraGraph (Keysight/infragraph 1 and 2, YAML): devices made of parts, instances of devices, and
// edges between them.
//
// Read strictly through strict_yaml.hpp: unknown keys, names that no list or two items of one hold,
// and indexes out of range are errors "file:line:col: key.path: problem". Ends are slices
// "port[0:4]", "port[2]", "port"; an edge joins them one2one (the first of one list with the first
// of the other, as many as the shorter has) or many2many (in version 1: many2many true or false). A
// part that is a device is passed with a dot, "nic[0].port[1]". A file of one device alone is one
// of it. Annotations, and what a component says of its kind, are skipped. More than a million edges
// after expansion, or as many parts, are refused. Pure; reading and machine_of() take n log n of n
// expanded edges, names and nodes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fabricast {

struct InfraLink {
  std::string name, description;
  std::optional<double> gb_per_s, latency_us;
};

struct InfraPart {
  std::string name, description;
  std::string choice;  // xpu, nic, switch, port, cpu, memory, device, custom
  std::int32_t count = 1;
};

// One part of one owner, by their places in the lists. In a device's edge the owner is the device
// itself (-1) or a part of it that is a device; elsewhere it is an instance. Of a part within
// parts, `part` is the outermost below the owner and `part_index` counts all that are within it.
struct InfraEnd {
  std::int32_t owner = -1, part = 0;
  std::int32_t owner_index = 0, part_index = 0;
  bool operator==(const InfraEnd&) const = default;
};

struct InfraEdge {
  InfraEnd a, b;
  std::int32_t link = 0;
};

struct InfraDevice {
  std::string name, description;
  std::vector<InfraPart> parts;
  std::vector<InfraLink> links;
  std::vector<InfraEdge> edges;
};

struct InfraInstance {
  std::string name;
  std::size_t device = 0;
  std::int32_t count = 1;
};

struct InfraGraph {
  std::string name;
  std::vector<InfraDevice> devices;
  std::vector<InfraInstance> instances;
  std::vector<InfraLink> links;
  std::vector<InfraEdge> edges;  // owners are instances
};

InfraGraph read_infragraph(std::string_view yaml, const std::string& file);

// The machine file that says the same: nodes with accelerators, joined by one switch, a tree of
// switches, or a tree for each rail. Numbers that the graph leaves out are assumed; a graph without
// the bandwidth of its scale-up links needs `node`, the name of a machine of one domain with as
// many accelerators. UsageError where the graph is no such structure, with the first place where it
// is not.
std::string machine_of(const InfraGraph& graph, const std::string& file, const std::string& node);

}  // namespace fabricast
