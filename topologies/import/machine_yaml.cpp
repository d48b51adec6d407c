#include "topologies/import/machine_yaml.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "topologies/import/sourced_yaml.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t max_domains = 1'000'000;
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
    below.push_back({patch.path.substr(prefix.size()), patch.value, patch.rest});
    return true;
  });
  return below;
}

Patches under(std::string_view key, const Patches& patches) {
  Patches result;
  for (const auto& patch : patches) {
    result.push_back({fmt::format("{}.{}", key, patch.path), patch.value, patch.rest});
  }
  return result;
}

// A size was set: a domain cut down to one member keeps the text of its interconnect.
bool cuts(const Patches& patches) {
  return std::any_of(patches.begin(), patches.end(), [](const YamlPatch& patch) {
    return patch.path == "gpus" || patch.path == "trays" || patch.path == "gpus_per_tray" ||
           patch.path == "lanes";
  });
}

class MachineReader {
 public:
  explicit MachineReader(const MachineTexts& texts) : texts_(texts) {}

  MachineSpec read(std::string_view yaml, const std::string& file, const Patches& patches) {
    const auto root = YamlCursor::parse(yaml, file);
    if (root.is_map() && root.find("base")) return read_variant(root, yaml, patches);
    return read_whole(yaml, file, patches);
  }

 private:
  // What a key names: its text, with the text kept as a comment in the echo.
  MachineText find(const YamlCursor& at, const FindText& find) {
    if (++depth_ > max_depth) {
      at.fail(
          fmt::format("machines rest on machines more than {} deep (do they name each other?); "
                      "write one of them out",
                      max_depth));
    }
    try {
      return find(at.text());
    } catch (const UsageError& error) {
      at.fail(error.what());
    }
  }

  static std::string commented(std::string_view key, const std::string& name,
                               const std::string& text) {
    std::string result = fmt::format("\n# {}: {}\n#   ", key, name);
    for (const char c : text) result += c == '\n' ? std::string("\n#   ") : std::string(1, c);
    return result + '\n';
  }

  MachineSpec read_variant(const YamlCursor& root, std::string_view yaml, const Patches& patches) {
    const std::string name = read_name(root.at("name"));
    const auto title = root.find("title");
    const std::string new_title = title ? title->text() : "";
    const auto base = root.at("base");
    Patches all;
    if (const auto set = root.find("set")) all = read_set(*set, name);
    root.finish();
    all.insert(all.end(), patches.begin(), patches.end());
    const MachineText text = find(base, texts_.machine);
    MachineSpec spec = read(text.yaml, text.file, all);
    spec.name = name;
    if (title) spec.title = new_title;
    spec.yaml = std::string(yaml) + commented("base", base.text(), spec.yaml);
    --depth_;
    return spec;
  }

  static Patches read_set(const YamlCursor& set, const std::string& machine) {
    Patches patches;
    for (const auto& path : set.keys()) {
      const auto at = set.at(path);
      if (at.is_scalar()) {
        patches.push_back(
            {path, at.text(), {"assumed", fmt::format("chosen: set by {}", machine)}});
        continue;
      }
      const auto items = at.items();
      if (items.size() != 3) at.fail("expected a value, or [value, origin, source]");
      patches.push_back({path, items[0].text(), {items[1].text(), items[2].text()}});
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
    root.finish();
    return spec;
  }

  void read_named_node(const YamlCursor& at, const Patches& patches, MachineSpec& spec) {
    const MachineText text = find(at, texts_.machine);
    MachineSpec node = read(text.yaml, text.file, patches);
    --depth_;
    if (node.fabric) {
      at.fail(fmt::format("\"{}\" is itself nested; name a machine of one domain", at.text()));
    }
    spec.gpu = node.gpu;
    spec.processor = node.processor;
    spec.domain = node.domain;
    spec.scale_out = node.scale_out;
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
    spec.domains = read_sourced_count(count, spec.domain.noun + "s", 2, max_domains);
    if (spec.domains.value * spec.domain.size.value > static_cast<double>(max_ranks)) {
      count.fail(fmt::format("{} x {} {}s are too many (at most {}); lower the count",
                             spec.domains.value, spec.domain.size.value, spec.domain.member,
                             max_ranks));
    }
    const auto channels = root.find("channels");
    if (!channels && !spec.scale_out) static_cast<void>(root.at("channels"));  // reports it
    spec.channels = channels ? read_channels(*channels) : spec.scale_out->channels;
    const auto domains = static_cast<std::int64_t>(spec.domains.value);
    const auto fabric = root.at("fabric");
    if (!fabric.is_scalar()) {
      spec.fabric = read_fabric(fabric, spec.domain, domains);
      return;
    }
    const MachineText text = find(fabric, texts_.fabric);
    --depth_;
    const auto file = YamlCursor::parse(text.yaml, text.file, fabric_patches);
    static_cast<void>(file.at("title").text());
    spec.fabric = read_fabric(file, spec.domain, domains);
    file.finish();
    spec.yaml += commented("fabric", fabric.text(), text.yaml);
  }

  const MachineTexts& texts_;
  int depth_ = 0;
};

}  // namespace

MachineSpec read_machine(std::string_view yaml, const std::string& file,
                         const MachineTexts& texts) {
  return MachineReader(texts).read(yaml, file, {});
}

}  // namespace fabricast
