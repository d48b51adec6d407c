#include "emulator/validate/table_machine.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <regex>
#include <sstream>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/nccl/machine_look.hpp"
#include "emulator/nccl/machine_shape.hpp"
#include "emulator/nccl/network_settings.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/match/machine_match.hpp"
#include "topologies/match/text_words.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

std::int32_t whole_number(const std::string& text) {
  return static_cast<std::int32_t>(std::strtol(text.c_str(), nullptr, 10));
}

SystemColumns columns_of(const PublishedTable& table) {
  SystemColumns columns;
  columns.gpu = table.column("gpu");
  columns.intra_link = table.column("intra_link");
  columns.inter_link = table.column("inter_link");
  columns.nic_gbit_per_gpu = std::strtod(table.column("nic_per_gpu_gbps").c_str(), nullptr);
  columns.gpus = table.ranks;
  columns.nodes = table.nodes;
  columns.gpus_per_node = whole_number(table.column("gpus_per_node"));
  if (columns.gpus_per_node == 0) columns.gpus_per_node = table.ranks / table.nodes;
  return columns;
}

// What was set for the run, by the words of its row.
struct Settings {
  std::map<std::string, std::string> environment;
  bool peers_off = false, memory_off = false;
};

Settings settings_of(const PublishedTable& table,
                     const std::map<std::string, std::string>& of_network) {
  Settings settings;
  const std::string& flags = table.column("env_flags");
  std::istringstream words(flags);
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (word.starts_with("NCCL_") && equals != std::string::npos && equals + 1 < word.size()) {
      settings.environment[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  auto& set = settings.environment;
  settings.peers_off =
      set["NCCL_P2P_DISABLE"] == "1" || contains_text(table.column("notes"), "P2P disabled");
  settings.memory_off = set["NCCL_SHM_DISABLE"] == "1";
  if (settings.peers_off) set["NCCL_P2P_DISABLE"] = "1";
  if (contains_text(flags, "SHARP") || contains_text(table.column("inter_link"), "SHARP")) {
    set.emplace("NCCL_COLLNET_ENABLE", "1");
  }
  std::erase_if(set, [](const auto& one) { return one.second.empty(); });
  for (const auto& [name, value] : of_network) {
    if (!contains_text(flags, name + "=")) set.emplace(name, value);  // the row's goes first
  }
  return settings;
}

// Whether every GPU had a process of its own, where the row says how the run was started.
std::optional<bool> process_per_gpu(const PublishedTable& table) {
  if (const int processes = whole_number(table.column("processes_per_node")); processes > 0) {
    return processes * table.nodes >= table.ranks;
  }
  const std::string words = in_lower_case(table.column("env_flags") + " " + table.column("notes"));
  for (const char* many : {"process per gpu", "process per rank", "process per device"}) {
    if (contains_text(words, many)) return true;
  }
  if (contains_text(words, "one process") && !contains_text(words, "one process per")) return false;
  return std::nullopt;
}

// The table's version, or what was current when most machines of the generation were published.
nccl::Version version_of(const PublishedTable& table, TimeGeneration generation,
                         std::vector<std::string>& assumptions) {
  constexpr const char* current[] = {"2.10.3", "2.18.6", "2.27.7", "2.21.5", "2.27.7", "2.21.5"};
  std::smatch match;
  const std::string& text = table.column("nccl_version");
  if (std::regex_search(text, match, std::regex("2\\.[0-9]+(\\.[0-9]+)?"))) {
    return nccl::parse_version(match.str());
  }
  const char* assumed = current[static_cast<std::size_t>(generation)];
  const std::string given = text.empty() ? "no version" : "\"" + text + "\" is no version";
  assumptions.push_back(given + " of the library: " + assumed);
  return nccl::parse_version(assumed);
}

void set_link(const MachineMatch& match, const DomainSpec& domain, const Settings& settings,
              TimeShape& shape) {
  if (domain.bandwidth) shape.link_gbps = domain.bandwidth->value;
  if (domain.kind == LinkKind::pcie) {
    shape.link = settings.peers_off ? TimeLink::pcie_host : TimeLink::pcie;
    return;
  }
  if (shape.generation == TimeGeneration::cdna) {
    shape.link = TimeLink::infinity_fabric;
    return;
  }
  shape.link = domain.shape == "switch" ? TimeLink::nvswitch : TimeLink::nvlink_mesh;
  if (domain.shape != "all_to_all" || shape.ranks_per_node() < 2) return;
  // Of a mesh in part use, the pairs in use only.
  const double whole = load_machine(match.node)->space().domain_size();
  shape.link_gbps *= (shape.ranks_per_node() - 1) / (whole - 1);
}

TimeShape shape_of(const PublishedTable& table, const MachineMatch& match, const MachineSpec& spec,
                   const Settings& settings) {
  TimeShape shape;
  shape.generation = time_generation_of(match.machine->gpu());
  shape.network = time_network_of(match.fabric);
  shape.ranks = match.machine->ranks();
  shape.nodes = shape.ranks / match.machine->space().domain_size();
  shape.host_ranks = std::max(1, table.ranks / table.nodes);
  if (spec.fabric) {
    shape.one_nic_gbps = spec.fabric->nic_bandwidth.value;
    shape.nic_gbps = spec.fabric->nics * shape.one_nic_gbps;
  }
  set_link(match, spec.domain, settings, shape);
  // Neither peer access nor shared memory: bytes go through the NICs inside a node as well.
  if (settings.peers_off && settings.memory_off && shape.nodes > 1) {
    shape.nic_gbps /= shape.ranks_per_node();
    shape.one_nic_gbps = std::min(shape.one_nic_gbps, shape.nic_gbps);
    shape.nodes = shape.ranks;
  }
  const std::string& flags = table.column("env_flags");
  shape.graph_launch = contains_text(flags, "-G 1") || contains_text(flags, "graph launch");
  shape.symmetric = contains_text(flags, "-R 2");
  shape.software_matching = contains_text(flags, "RX_MATCH_MODE=software");
  const GpuModel& gpu = match.machine->gpu();
  shape.grace_host =
      gpu.vendor == "nvidia" && (spec.domain.members_per_tray > 0 || gpu.name.starts_with("GH"));
  return shape;
}

nccl::Communicator communicator_of(const MachineMatch& match, const nccl::Version& version,
                                   const Settings& settings) {
  const auto overrides = nccl::overrides_from(settings.environment);
  if (match.library == "nccl") return nccl::make_communicator(*match.machine, version, overrides);
  const nccl::MachineLook look = nccl::stand_in_look_of(*match.machine);
  return nccl::make_communicator(nccl::read_system(nccl::xml_of(look), look.name), look.nodes,
                                 version, overrides);
}

void complete(const PublishedTable& table, const MachineMatch& match, TableMachine& machine) {
  const auto& spec = dynamic_cast<const BuiltTopology&>(*match.machine).spec();
  const Settings settings = settings_of(
      table, nccl::network_settings(time_network_of(match.fabric),
                                    time_generation_of(match.machine->gpu()),
                                    match.machine->ranks() / match.machine->space().domain_size()));
  machine.assumptions = match.assumptions;
  machine.topology = match.machine;
  machine.shape = shape_of(table, match, spec, settings);
  if (const auto told = process_per_gpu(table)) {
    machine.start_is_told = true;
    machine.shape.process_per_gpu = *told;
  }
  if (machine.shape.ranks < 2) throw UsageError("one rank: nothing is sent");
  const auto version = version_of(table, machine.shape.generation, machine.assumptions);
  try {
    machine.type = nccl::data_type_from_name(table.column("dtype"));
  } catch (const UsageError&) {
    machine.assumptions.emplace_back("no data type that NCCL knows: float32");
  }
  machine.communicator =
      std::make_shared<nccl::Communicator>(communicator_of(match, version, settings));
}

}  // namespace

TableMachine machine_of(const PublishedTable& table) {
  TableMachine machine;
  const MachineMatch match = match_machine(columns_of(table));
  if (!match.machine) {
    machine.unknown = match.reason;
  } else if (match.library != "nccl" && match.library != "rccl") {
    machine.unknown = "its GPUs run " + match.library + ", not NCCL";
  } else {
    try {
      complete(table, match, machine);
    } catch (const UsageError& error) {
      machine.unknown = error.what();
    }
  }
  return machine;
}

}  // namespace fabricast
