#include "topologies/model/machine_file.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/strict_yaml.hpp"
#include "emulator/base/text_file.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/builders/torus.hpp"
#include "topologies/import/machine_yaml.hpp"
#include "topologies/model/data_directory.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

std::optional<MachineText> compose_machine(const std::string& expression);

// Names of the YAML files of a directory, sorted: the stems.
std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
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

std::vector<std::string> machine_names() { return names_in(machine_directory()); }

bool is_known(const std::string& name) {
  std::error_code ignored;
  return name.find('/') == std::string::npos &&
         fs::is_regular_file(machine_directory() / (name + ".yaml"), ignored);
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return is_machine_path(path) && fs::is_regular_file(path, ignored);
}

std::string file_of(const std::string& name) {
  if (!is_known(name)) {
    const std::string near = closest_name(name, machine_names());
    throw UsageError(fmt::format(
        "unknown machine \"{}\"{} give a name of `fabricast machine list`, a path to a .yaml file, "
        "or NODExN[@FABRIC]",
        name, near.empty() ? ";" : fmt::format(" (did you mean \"{}\"?);", near)));
  }
  return (machine_directory() / (name + ".yaml")).string();
}

// A YAML text in double quotes.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + '"';
}

MachineText find_machine(const std::string& name) {
  if (const auto composed = compose_machine(name)) return *composed;
  const std::string file = is_machine_path(name) ? name : file_of(name);
  return {read_text_file(file), file};
}

MachineText find_fabric(const std::string& name) {
  const auto names = fabric_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw UsageError(unknown_name_message("fabric", name, names));
  }
  const std::string file = (fabric_directory() / (name + ".yaml")).string();
  return {read_text_file(file), file};
}

const MachineTexts& shipped_texts() {
  static const MachineTexts texts{find_machine, find_fabric};
  return texts;
}

// Are the first `members` of a torus whole lines, then whole planes ...?
bool is_box(const std::vector<TorusAxis>& axes, std::int32_t members) {
  for (const TorusAxis& axis : axes) {
    if (members < axis.size) return true;
    if (members % axis.size != 0) return false;
    members /= axis.size;
  }
  return true;
}

void require_box(const std::vector<TorusAxis>& axes, std::int32_t members) {
  if (is_box(axes, members)) return;
  std::int32_t fewer = members, more = members;  // one member and all of them are boxes
  while (!is_box(axes, fewer)) --fewer;
  while (!is_box(axes, more)) ++more;
  std::vector<std::int32_t> sizes;
  for (const TorusAxis& axis : axes) sizes.push_back(axis.size);
  throw UsageError(fmt::format("the first {} members are no box of the torus of {}; give {} or {}",
                               members, fmt::join(sizes, " x "), fewer, more));
}

// What the first `members` of a domain have of its direct links. An axis of a torus that is not
// taken whole does not wrap, unless the part is made of whole cubes.
void cut_links(DomainSpec& domain, std::int32_t members) {
  if (domain.shape == "full_mesh") {
    const double links = domain.size.value - 1;
    Sourced& all = *domain.bandwidth;
    all = {all.value * (members - 1) / links, all.unit, all.origin,
           fmt::format("to {} of {} others: {}", members - 1, links, all.source)};
  }
  require_box(domain.axes, members);
  std::int32_t left = members;
  std::vector<TorusAxis*> cut;
  for (TorusAxis& axis : domain.axes) {
    if (left >= axis.size) {
      left /= axis.size;
      continue;
    }
    axis.size = left;
    left = 1;
    cut.push_back(&axis);
  }
  const bool of_cubes = std::all_of(
      domain.axes.begin(), domain.axes.end(),
      [](const TorusAxis& axis) { return axis.cube > 0 && axis.size % axis.cube == 0; });
  for (TorusAxis* axis : cut) axis->wraps = axis->wraps && of_cubes;
}

// The first `domains` domains.
void cut_others(MachineSpec& spec, std::int64_t domains) {
  const bool by_node =
      std::any_of(spec.others.begin(), spec.others.end(),
                  [](const DomainPart& part) { return part.channels.has_value(); });
  std::int64_t before = std::min(spec.first_domains(), domains);
  std::vector<DomainPart> kept;
  for (DomainPart& part : spec.others) {
    const std::int64_t here =
        std::min(static_cast<std::int64_t>(part.domains.value), domains - before);
    if (here <= 0) break;
    before += here;
    part.domains.value = static_cast<double>(here);
    kept.push_back(std::move(part));
  }
  spec.others = std::move(kept);
  if (by_node && spec.scale_out) spec.channels = spec.least_channels();
}

// The machine of one domain with `members` members of it.
MachineSpec cut_domain(MachineSpec spec, std::int32_t members) {
  const auto whole = spec.domain.size;
  spec.domains = {1, "", Origin::assumed, "a single domain"};
  spec.others.clear();
  spec.fabric.reset();
  spec.channels = spec.domain.channels;
  if (members < static_cast<std::int32_t>(whole.value)) {
    cut_links(spec.domain, members);
    spec.domain.size = {static_cast<double>(members), whole.unit, whole.origin,
                        fmt::format("the first {} of {}: {}", members, whole.value, whole.source)};
    if (auto& power = spec.cost.domain_power_kw) {
      power = {power->value * members / whole.value, power->unit, power->origin,
               fmt::format("{} of {}: {}", members, whole.value, power->source)};
    }
  }
  if (members == 1) {
    spec.domain.bandwidth.reset();
    spec.domain.latency.reset();
  }
  return spec;
}

// The machine that NODExN[@FABRIC] stands for, as a machine file; nothing when the text is no such
// expression or a file has that name.
std::optional<MachineText> compose_machine(const std::string& expression) {
  if (is_file(expression) || is_known(expression)) return std::nullopt;
  const std::size_t at = std::min(expression.find('@'), expression.size());
  const std::string left = expression.substr(0, at);
  const std::size_t x = left.rfind('x');
  if (x == std::string::npos || x + 1 == left.size() ||
      left.find_first_not_of("0123456789", x + 1) != std::string::npos) {
    return std::nullopt;
  }
  const std::string node = left.substr(0, x), count = left.substr(x + 1);
  const bool from_file = is_file(node);
  // A path with an x and digits at its end, of a file that is not there.
  if (!from_file && is_machine_path(expression)) return std::nullopt;
  const std::string file = from_file ? node : file_of(node);
  const MachineText text{read_text_file(file), file};
  const MachineSpec spec = read_machine(text.yaml, text.file, shipped_texts());
  std::string fabric = at == expression.size() ? "" : expression.substr(at + 1);
  if (fabric.empty() && !spec.scale_out) {
    throw UsageError(
        fmt::format("the machine {} does not say what joins several of it; write "
                    "{}@FABRIC, with FABRIC one of: {}",
                    node, left, fmt::join(fabric_names(), " ")));
  }
  if (fabric.empty()) fabric = spec.scale_out->fabric;
  const std::string name = from_file ? spec.name + expression.substr(x) : expression;
  return MachineText{
      fmt::format("name: {}\ntitle: {}\nkind: nested\nnode: {}\n"
                  "count: [{}, assumed, {}]\nfabric: {}\n",
                  name, quoted(fmt::format("{} x {}; {}", count, spec.title, fabric)),
                  from_file ? quoted(node) : node, count, quoted("asked for: " + expression),
                  fabric),
      expression};
}

}  // namespace

bool is_machine_path(const std::string& text) {
  for (const auto* part : {"/", ".yamlx", ".ymlx"}) {
    if (text.find(part) != std::string::npos) return true;
  }
  return text.ends_with(".yaml") || text.ends_with(".yml");
}

std::vector<std::string> fabric_names() { return names_in(fabric_directory()); }

std::vector<MachineListing> list_machines() {
  std::vector<MachineListing> listings;
  for (const auto& name : machine_names()) {
    const auto machine = load_machine(name);
    listings.push_back({name, machine->title(), file_of(name), machine->ranks()});
  }
  return listings;
}

namespace {

// The machine before anything is set; nothing where it takes what is set to make it a machine
// (gb200-nvl72x3473 wants --set fabric.radix=144). Reading it with that then says what is wrong.
std::optional<MachineSpec> unset_machine(const MachineText& text) {
  try {
    return read_machine(text.yaml, text.file, shipped_texts());
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

// What a cluster has is set on a cluster; a node's own key of that name does not exist.
void expect_cluster(const MachineSpec& spec, const std::string& setting) {
  const std::string key = setting.substr(0, setting.find_first_of(".=["));
  if (key == "others") {
    throw UsageError(fmt::format(
        "--set {}: a list cannot be set; write a machine file with the others that you want",
        setting));
  }
  if (spec.fabric || !spec.scale_out || (key != "fabric" && key != "count" && key != "node"))
    return;
  throw UsageError(fmt::format(
      "--set {}: {} is one {}, and this is a key of a cluster; name one: {}x16 --set {}", setting,
      spec.name, spec.domain.noun, spec.name, setting));
}

}  // namespace

std::shared_ptr<const Topology> load_machine(const std::string& name_or_path,
                                             const std::vector<std::string>& set) {
  const MachineText text = find_machine(name_or_path);
  if (set.empty()) return parse_machine(text.yaml, text.file);
  const auto base = unset_machine(text);
  const std::string name =
      base ? base->name : YamlCursor::parse(text.yaml, text.file).at("name").text();
  std::string yaml = fmt::format("name: {}\nbase: {}\nset:\n", name, quoted(name_or_path));
  for (const auto& one : set) {
    const std::size_t equal = one.find('=');
    if (equal == std::string::npos || equal == 0 || equal + 1 == one.size()) {
      throw UsageError(fmt::format(
          "\"{}\" sets nothing (no key.path=value); write for example --set fabric.rails=4", one));
    }
    if (base) expect_cluster(*base, one);
    yaml += fmt::format("  {}: {}\n", quoted(one.substr(0, equal)), quoted(one.substr(equal + 1)));
  }
  return build_topology(read_machine(yaml, fmt::format("{} with --set", name_or_path),
                                     shipped_texts(), SetBy::option));
}

std::string name_warning(const std::string& name_or_path, const Topology& machine) {
  const fs::path path(name_or_path);
  if (!is_file(name_or_path) || path.stem() == machine.name()) return "";
  if (is_known(machine.name())) {
    return fmt::format(
        "\"{}\" is the name of a machine that ships (was it copied from there?): results and "
        "profiles go by the name; write name: {}",
        machine.name(), path.stem().string());
  }
  return fmt::format(
      "its name is \"{}\", its file {}: results go by the name, commands by the file; make them "
      "the same",
      machine.name(), path.filename().string());
}

std::shared_ptr<const Topology> parse_machine(const std::string& yaml, const std::string& file) {
  return build_topology(read_machine(yaml, file, shipped_texts()));
}

namespace {

// Of parts of nodes, when all are of nodes of one size: these nodes, as far as they are whole.
void join_parts(MachineSpec& spec) {
  const std::int32_t parts = spec.domain.domains_per_node;
  const auto alike = [parts](const DomainPart& part) {
    return part.domain.domains_per_node == parts;
  };
  FabricSpec& fabric = *spec.fabric;
  const bool whole = static_cast<std::int64_t>(spec.domains.value) % parts == 0 &&
                     fabric.domains_per_leaf % parts == 0;
  if (parts == 1 || !whole || !std::all_of(spec.others.begin(), spec.others.end(), alike)) return;
  const auto join = [parts](DomainSpec& domain, Sourced& count, CostSpec& cost) {
    domain.size.value *= parts;
    domain.domains_per_node = 1;
    count.value /= parts;
    if (cost.domain_power_kw) cost.domain_power_kw->value *= parts;
  };
  Sourced first = spec.domains;
  join(spec.domain, first, spec.cost);
  spec.domains.value = first.value;
  for (DomainPart& part : spec.others) join(part.domain, part.domains, part.cost);
  spec.domain.noun = spec.node_noun();
  fabric.nics *= parts;
  fabric.domains_per_leaf /= parts;
}

}  // namespace

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
  MachineSpec spec = built->spec();
  std::int32_t domain = topology->space().domain_size();
  if (spec.fabric && ranks <= domain * spec.domain.domains_per_node) {
    // Of the first node.
    spec.domains.value = spec.domain.domains_per_node;
    spec.others.clear();
    spec.fabric->domains_per_leaf = spec.domain.domains_per_node;
    join_parts(spec);
    domain = static_cast<std::int32_t>(spec.domain.size.value);
  }
  if (ranks < 1 || ranks > topology->ranks()) {
    const bool joins = ranks > domain && topology->ranks() == domain && built->spec().scale_out;
    throw UsageError(
        fmt::format("{} ranks are not available (the machine {} has {}); give 1 to {}{}", ranks,
                    topology->name(), topology->ranks(), topology->ranks(),
                    joins ? fmt::format(", or take more of them: --machine {}x{}", topology->name(),
                                        (ranks - 1) / domain + 1)
                          : ""));
  }
  if (ranks > domain && ranks % domain != 0) {
    throw UsageError(fmt::format(
        "{} ranks are not whole {}s of {} (the first {} or part of one {} can be used); give {} or "
        "{}",
        ranks, built->spec().domain.noun, domain, built->spec().domain.noun,
        built->spec().domain.noun, ranks / domain * domain,
        std::min((ranks / domain + 1) * domain, topology->ranks())));
  }
  const std::string first = fmt::format("first {} of {} ranks", ranks, topology->ranks());
  if (ranks <= domain) {
    MachineSpec cut = cut_domain(spec, ranks);
    const std::string open = open_axes(spec.domain, cut.domain);
    cut.title += fmt::format(" ({}{}{})", first, open.empty() ? "" : ": ", open);
    return build_topology(std::move(cut));
  }
  spec.title += fmt::format(" ({})", first);
  const auto whole = spec.domains;
  cut_others(spec, ranks / domain);
  spec.domains = {static_cast<double>(ranks / domain), whole.unit, whole.origin,
                  fmt::format("the first {} of {}: {}", ranks / domain, whole.value, whole.source)};
  join_parts(spec);
  return build_topology(std::move(spec));
}

}  // namespace fabricast
