#include "topologies/import/machine_yaml.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "topologies/import/sourced_yaml.hpp"
#include "topologies/import/unlike_nodes.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t max_ranks = std::int64_t{1} << 23;
constexpr int max_depth = 8;  // of machines that rest on machines

const std::array<std::string, 4> machine_kinds{"single_node", "nvl_rack", "host", "nested"};
const std::array<std::string, 3> node_kinds{"single_node", "nvl_rack", "host"};

using Patches = std::vector<YamlPatch>;

std::string read_name(const YamlCursor& at) {
  const std::string name = at.text();
  const bool clean =
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.@") == std::string::npos;
  if (!clean || name.front() == '.' || name.front() == '-' || name.front() == '@') {
    at.fail(
        fmt::format("\"{}\" is no name (it is used in commands and file names); use lower-case "
                    "letters, digits, - and _",
                    name));
  }
  return name;
}

// Those below `key`, with the key taken off; they leave `patches`.
Patches take_below(std::string_view key, Patches& patches) {
  const std::string prefix = fmt::format("{}.", key);
  Patches below;
  std::erase_if(patches, [&](const YamlPatch& patch) {
    if (!patch.path.starts_with(prefix)) return false;
    below.push_back({patch.path.substr(prefix.size()), patch.value, patch.rest, patch.from});
    return true;
  });
  return below;
}

Patches under(std::string_view key, const Patches& patches) {
  Patches result;
  for (const auto& patch : patches) {
    result.push_back({fmt::format("{}.{}", key, patch.path), patch.value, patch.rest, patch.from});
  }
  return result;
}

// Keys that are words, not numbers with an origin.
bool is_word(std::string_view path) {
  const std::string_view key = path.substr(path.rfind('.') + 1);
  for (const auto* word : {"name", "title", "kind", "generation", "vendor", "shape", "node",
                           "fabric", "status", "date"}) {
    if (key == word) return true;
  }
  return false;
}

// A size was set: a domain cut down to one member keeps the text of its interconnect.
bool cuts(const Patches& patches) {
  return std::any_of(patches.begin(), patches.end(), [](const YamlPatch& patch) {
    return patch.path == "gpus" || patch.path == "trays" || patch.path == "gpus_per_tray" ||
           patch.path == "lanes";
  });
}

// How deep machines rest on machines just now, through any number of readers.
thread_local int depth = 0;
struct Deeper {
  Deeper() { ++depth; }
  ~Deeper() { --depth; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
};

std::optional<bool> read_status(const YamlCursor& root) {
  static const std::array<std::string, 2> known{"available", "announced"};
  const auto status = root.find("status");
  if (!status) return std::nullopt;
  return status->choice("status", known) == "announced";
}

std::vector<std::string> read_doubts(const YamlCursor& root) {
  std::vector<std::string> doubts;
  if (const auto list = root.find("doubts")) {
    for (const auto& item : list->items()) doubts.push_back(item.text());
  }
  return doubts;
}

void read_cost(const YamlCursor& root, CostSpec& cost) {
  const auto at = root.find("cost");
  if (!at) return;
  if (const auto power = at->find("domain_power")) {
    cost.domain_power_kw = read_sourced(*power, Dimension::power, "kW", Range::positive(1e6));
  }
  if (const auto overhead = at->find("facility_overhead")) {
    cost.facility_overhead = read_sourced_number(*overhead, "ratio", Range::between(1, 5));
  }
  if (const auto capital = at->find("usd_per_gpu")) {
    cost.usd_per_gpu = read_sourced_number(*capital, "USD", Range::positive(1e7));
  }
  if (const auto price = at->find("usd_per_gpu_hour")) {
    cost.usd_per_gpu_hour = read_sourced_number(*price, "USD", Range::positive(1e4));
    cost.date = at->at("date").text();  // a price without a date says nothing
  }
}

class MachineReader {
 public:
  explicit MachineReader(const MachineTexts& texts) : texts_(texts) {}

  MachineSpec read(std::string_view yaml, const std::string& file, const Patches& patches,
                   SetBy set_by = SetBy::file) {
    const auto root = YamlCursor::parse(yaml, file);
    if (root.is_map() && root.find("base")) return read_variant(root, yaml, patches, set_by);
    return read_whole(yaml, file, patches);
  }

 private:
  // What a key names.
  static MachineText find(const YamlCursor& at, const FindText& find) {
    const Deeper here;
    if (depth > max_depth) {
      at.fail(
          fmt::format("machines rest on machines more than {} deep (do they name each other?); "
                      "write one of them out",
                      max_depth));
    }
    try {
      return find(at.text());
    } catch (const UsageError& error) {
      at.fail(error.what());
    } catch (const IoError& error) {
      at.fail(error.what());
    }
  }

  static std::string commented(std::string_view key, const std::string& name,
                               const std::string& text) {
    std::string result = fmt::format("\n# {}: {}\n#   ", key, name);
    for (const char c : text) result += c == '\n' ? std::string("\n#   ") : std::string(1, c);
    return result + '\n';
  }

  MachineSpec read_variant(const YamlCursor& root, std::string_view yaml, const Patches& patches,
                           SetBy set_by) {
    const std::string name = read_name(root.at("name"));
    const auto title = root.find("title");
    const std::string new_title = title ? title->text() : "";
    const auto base = root.at("base");
    const auto announced = read_status(root);
    const auto doubts = read_doubts(root);
    Patches all;
    if (const auto set = root.find("set")) all = read_set(*set, name, set_by);
    root.finish();
    all.insert(all.end(), patches.begin(), patches.end());
    const Deeper here;
    const MachineText text = find(base, texts_.machine);
    MachineSpec spec = read(text.yaml, text.file, all);
    if (announced) spec.announced = *announced;
    spec.doubts.insert(spec.doubts.end(), doubts.begin(), doubts.end());
    spec.name = name;
    if (title) spec.title = new_title;
    spec.yaml = std::string(yaml) + commented("base", base.text(), spec.yaml);
    return spec;
  }

  static Patches read_set(const YamlCursor& set, const std::string& machine, SetBy set_by) {
    Patches patches;
    for (const auto& path : set.keys()) {
      const auto at = set.at(path);
      const std::string from = set_by == SetBy::option && at.is_scalar()
                                   ? fmt::format("--set {}={}", path, at.text())
                                   : at.place();
      if (at.is_scalar() && is_word(path)) {
        patches.push_back({path, at.text(), {}, from});
        continue;
      }
      if (at.is_scalar()) {
        patches.push_back(
            {path, at.text(), {"assumed", fmt::format("chosen: set by {}", machine)}, from});
        continue;
      }
      const auto items = at.items();
      if (items.size() != 3) at.fail("expected a value, or [value, origin, source]");
      patches.push_back({path, items[0].text(), {items[1].text(), items[2].text()}, from});
    }
    return patches;
  }

  MachineSpec read_whole(std::string_view yaml, const std::string& file, Patches patches) {
    Patches node = take_below("node", patches), fabric = take_below("fabric", patches);
    // Where a section is written out, its patches belong to this document.
    {
      const auto first = YamlCursor::parse(yaml, file, patches);
      for (auto [key, below] : {std::pair{"node", &node}, std::pair{"fabric", &fabric}}) {
        const auto section = first.is_map() ? first.find(key) : std::nullopt;
        if (below->empty() || (section && section->is_scalar())) continue;
        for (auto& patch : under(key, *below)) patches.push_back(std::move(patch));
        if (std::string_view(key) == "fabric") below->clear();
      }
    }
    const auto root = YamlCursor::parse(yaml, file, patches);
    MachineSpec spec;
    spec.yaml = yaml;
    spec.name = read_name(root.at("name"));
    spec.title = root.at("title").text();
    spec.kind = root.at("kind").choice("kind of machine", machine_kinds);
    if (spec.kind == "nested") {
      read_nested(root, node, fabric, spec);
    } else {
      read_domain(root, spec.kind, cuts(patches), spec);
    }
    if (const auto announced = read_status(root)) spec.announced = *announced;
    const auto doubts = read_doubts(root);
    spec.doubts.insert(spec.doubts.end(), doubts.begin(), doubts.end());
    read_cost(root, spec.cost);
    divide_power(spec.domain, spec.cost);
    for (DomainPart& part : spec.others) {
      read_cost(root, part.cost);
      divide_power(part.domain, part.cost);
    }
    root.finish();
    return spec;
  }

  void read_named_node(const YamlCursor& at, const Patches& patches, MachineSpec& spec) {
    const Deeper here;
    const MachineText text = find(at, texts_.machine);
    MachineSpec node = read(text.yaml, text.file, patches);
    if (node.fabric) {
      at.fail(fmt::format("\"{}\" is itself nested; name a machine of one domain", at.text()));
    }
    spec.gpu = node.gpu;
    spec.processor = node.processor;
    spec.domain = node.domain;
    spec.scale_out = node.scale_out;
    spec.cost = node.cost;
    spec.announced = node.announced;
    spec.doubts = node.doubts;
    // The trace echoes the machine as read: keep the text that the name stood for.
    spec.yaml += commented("node", at.text(), node.yaml);
  }

  void read_nested(const YamlCursor& root, const Patches& node_patches,
                   const Patches& fabric_patches, MachineSpec& spec) {
    const auto node = root.at("node");
    if (node.is_scalar()) {
      read_named_node(node, node_patches, spec);
    } else {
      read_domain(node, node.at("kind").choice("kind of node", node_kinds), cuts(node_patches),
                  spec);
    }
    const auto count = root.at("count");
    const auto others = root.find("others");
    spec.domains = read_sourced_count(count, spec.domain.noun + "s", others ? 1 : 2, max_domains);
    if (others) read_others(*others, spec);
    if (spec.domains.value * spec.domain.size.value > static_cast<double>(max_ranks)) {
      count.fail(fmt::format("{} x {} {}s are too many (at most {}); lower the count",
                             spec.domains.value, spec.domain.size.value, spec.domain.member,
                             max_ranks));
    }
    const auto channels = root.find("channels");
    if (!channels && !spec.scale_out) static_cast<void>(root.at("channels"));  // reports it
    if (channels) {
      spec.channels = read_channels(*channels);
      for (DomainPart& part : spec.others) part.channels.reset();  // those of any part of it
    } else {
      spec.channels = spec.least_channels();
    }
    const auto domains = static_cast<std::int64_t>(spec.domains.value);
    const auto fabric = root.at("fabric");
    if (!fabric.is_scalar()) {
      spec.fabric = read_fabric(fabric, spec.domain, domains);
      if (others) read_other_nics(*others, spec);
      return;
    }
    const MachineText text = find(fabric, texts_.fabric);
    const auto file = YamlCursor::parse(text.yaml, text.file, fabric_patches);
    static_cast<void>(file.at("title").text());
    spec.fabric = read_fabric(file, spec.domain, domains);
    file.finish();
    spec.yaml += commented("fabric", fabric.text(), text.yaml);
    if (others) read_other_nics(*others, spec);
  }

  // Domains unlike the first ones. Rates are kept by kind of link, and what a step takes is known
  // by collective library: these must be the same.
  void read_others(const YamlCursor& list, MachineSpec& spec) {
    for (const auto& at : list.items()) {
      MachineSpec of_part;
      const auto node = at.find("node");
      if (!node) {
        of_part.domain = spec.domain;
        of_part.gpu = spec.gpu;
        of_part.cost = spec.cost;
      } else if (node->is_scalar()) {
        read_named_node(*node, {}, of_part);
        spec.yaml += of_part.yaml;
        spec.announced = spec.announced || of_part.announced;
        spec.doubts.insert(spec.doubts.end(), of_part.doubts.begin(), of_part.doubts.end());
      } else {
        read_domain(*node, node->at("kind").choice("kind of node", node_kinds), false, of_part);
      }
      if (node) require_comparable(*node, spec, of_part);
      const Sourced count =
          read_sourced_count(at.at("count"), spec.domain.noun + "s", 1, max_domains);
      spec.others.push_back({count, of_part.gpu, of_part.domain, {}, {}, of_part.cost});
      if (of_part.scale_out) spec.others.back().channels = of_part.scale_out->channels;
    }
    if (spec.others.empty()) list.fail("no other nodes; leave the key out, or list them");
    divide_nodes(list, spec);
    Sourced& all = spec.domains;
    for (const DomainPart& part : spec.others) {
      all = {all.value + part.domains.value, all.unit, std::max(all.origin, part.domains.origin),
             fmt::format("{}; {} others: {}", all.source, part.domains.value, part.domains.source)};
    }
  }

  const MachineTexts& texts_;
};

}  // namespace

MachineSpec read_machine(std::string_view yaml, const std::string& file, const MachineTexts& texts,
                         SetBy set_by) {
  try {
    return MachineReader(texts).read(yaml, file, {}, set_by);
  } catch (const UsageError& error) {
    // What is wrong with a machine that this one rests on names that one only.
    const std::string message = error.what();
    if (message.find(file) != std::string::npos || message.starts_with("--set ")) throw;
    throw UsageError(fmt::format("{}: {}", file, message));
  }
}

}  // namespace fabricast
