#include "topologies/model/machine_file.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/text_file.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/import/machine_yaml.hpp"
#include "topologies/model/data_directory.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

// Names of the shipped machines, sorted: the stems of the files.
std::vector<std::string> machine_names() {
  std::vector<std::string> names;
  const fs::path directory = machine_directory();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  if (error) {
    throw IoError(fmt::format("cannot list {} ({}); check its permissions", directory.string(),
                              error.message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string file_of(const std::string& name) {
  const auto names = machine_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw UsageError(unknown_name_message("machine", name, names) + " (or a path to a .yaml file)");
  }
  return (machine_directory() / (name + ".yaml")).string();
}

MachineText find_machine(const std::string& name) {
  const std::string file = file_of(name);
  return {read_text_file(file), file};
}

bool is_path(const std::string& text) {
  return text.find('/') != std::string::npos || text.ends_with(".yaml") || text.ends_with(".yml");
}

// The machine of one domain with `members` members of it.
MachineSpec cut_domain(MachineSpec spec, std::int32_t members) {
  const auto whole = spec.domain.size;
  spec.domains = {1, "", Origin::assumed, "a single domain"};
  spec.fabric.reset();
  spec.channels = spec.domain.channels;
  if (members < static_cast<std::int32_t>(whole.value)) {
    spec.domain.size = {static_cast<double>(members), whole.unit, whole.origin,
                        fmt::format("the first {} of {}: {}", members, whole.value, whole.source)};
  }
  if (members == 1) {
    spec.domain.bandwidth.reset();
    spec.domain.latency.reset();
  }
  return spec;
}

}  // namespace

std::vector<MachineListing> list_machines() {
  std::vector<MachineListing> listings;
  for (const auto& name : machine_names()) {
    const auto machine = load_machine(name);
    listings.push_back({name, machine->title(), file_of(name), machine->ranks()});
  }
  return listings;
}

std::shared_ptr<const Topology> load_machine(const std::string& name_or_path) {
  const std::string file = is_path(name_or_path) ? name_or_path : file_of(name_or_path);
  return parse_machine(read_text_file(file), file);
}

std::shared_ptr<const Topology> parse_machine(const std::string& yaml, const std::string& file) {
  return build_topology(read_machine(yaml, file, find_machine));
}

std::shared_ptr<const Topology> with_ranks(const std::shared_ptr<const Topology>& topology,
                                           std::int32_t ranks) {
  if (ranks == topology->ranks()) return topology;
  const auto* built = dynamic_cast<const BuiltTopology*>(topology.get());
  if (built == nullptr) {
    throw UsageError(
        fmt::format("the machine {} cannot be cut to {} ranks (it was not built from "
                    "a machine file); use all {}",
                    topology->name(), ranks, topology->ranks()));
  }
  const std::int32_t domain = topology->space().domain_size();
  if (ranks < 1 || ranks > topology->ranks()) {
    throw UsageError(fmt::format("{} ranks are not available (the machine {} has {}); give 1 to {}",
                                 ranks, topology->name(), topology->ranks(), topology->ranks()));
  }
  if (ranks > domain && ranks % domain != 0) {
    throw UsageError(fmt::format(
        "{} ranks are not whole {}s of {} (the first {} or part of one {} can be used); give {} or "
        "{}",
        ranks, built->spec().domain.noun, domain, built->spec().domain.noun,
        built->spec().domain.noun, ranks / domain * domain,
        std::min((ranks / domain + 1) * domain, topology->ranks())));
  }
  MachineSpec spec = built->spec();
  spec.title += fmt::format(" (first {} of {} ranks)", ranks, topology->ranks());
  if (ranks <= domain) return build_topology(cut_domain(std::move(spec), ranks));
  const auto whole = spec.domains;
  spec.domains = {static_cast<double>(ranks / domain), whole.unit, whole.origin,
                  fmt::format("the first {} of {}: {}", ranks / domain, whole.value, whole.source)};
  return build_topology(std::move(spec));
}

}  // namespace fabricast
