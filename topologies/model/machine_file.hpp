// Machines people write: YAML in, Topology out. See docs/machines.md for the format.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "topologies/model/topology.hpp"

namespace fabricast {

struct MachineListing {
  std::string name, title, file;
  std::int32_t gpus = 0;
};

// Names of the fabrics that ship with fabricast, sorted.
std::vector<std::string> fabric_names();

// The machines that ship with fabricast (installed data directory, or the source tree), sorted.
std::vector<MachineListing> list_machines();

// Is a machine asked for by this text read from that file (FILE.yaml, FILE.yamlxN[@FABRIC], or
// anything with a /), rather than one that ships?
bool is_machine_path(const std::string& text);

// A known machine's name, a path to a .yaml file, or NODExN[@FABRIC]: N of the machine NODE (one
// domain; a name or a path) joined by FABRIC, by default the one the node's file names under
// scale_out. `set`: "key.path=value", as `--set` takes them; they show in yaml(). Unknown names
// throw UsageError with a did-you-mean; bad files throw UsageError "file:line:col: key.path:
// problem".
std::shared_ptr<const Topology> load_machine(const std::string& name_or_path,
                                             const std::vector<std::string>& set = {});

// Same, from text; `file` is used in messages only.
std::shared_ptr<const Topology> parse_machine(const std::string& yaml, const std::string& file);

// Warnings that `machine check` prints: assumed numbers by name, odd but legal values.
std::vector<std::string> machine_warnings(const Topology& topology);

// What is wrong with the name of a machine that was read from a file; empty: nothing, or it was
// not.
std::string name_warning(const std::string& name_or_path, const Topology& machine);

// What makes a machine impossible although its file reads well: a NIC that its PCIe slot cannot
// feed.
std::vector<std::string> machine_problems(const Topology& topology);

// The same machine with a partial rank count: the first `ranks` ranks (whole domains, or a part of
// one domain). Throws UsageError when it cannot be cut there.
std::shared_ptr<const Topology> with_ranks(const std::shared_ptr<const Topology>& topology,
                                           std::int32_t ranks);

}  // namespace fabricast
