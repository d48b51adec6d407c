#include "topologies/import/infragraph.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "emulator/base/strict_yaml.hpp"
#include "topologies/import/infragraph_slice.hpp"

namespace fabricast {
namespace {

constexpr std::size_t most_edges = 1'000'000;
constexpr std::int64_t most_parts = 1'000'000;

std::string optional_text(const YamlCursor& at, std::string_view key) {
  const auto found = at.find(key);
  return found ? found->text() : std::string();
}

std::vector<YamlCursor> optional_items(const YamlCursor& at, std::string_view key) {
  const auto found = at.find(key);
  return found ? found->items() : std::vector<YamlCursor>();
}

// {choice: us, us: 1.5}: the value of the chosen unit, times its factor; none where it is 0.
std::optional<double> read_chosen(
    const std::optional<YamlCursor>& at,
    std::initializer_list<std::pair<std::string_view, double>> units) {
  if (!at) return std::nullopt;
  std::optional<double> value;
  const std::string chosen = optional_text(*at, "choice");
  for (const auto& [unit, factor] : units) {
    const auto number = at->find(unit);
    if (!number) continue;
    const double read = number->number(Range::between(0, 1e9)) * factor;
    if ((chosen.empty() || chosen == unit) && read > 0) value = read;
  }
  return value;
}

InfraLink read_link(const YamlCursor& at) {
  InfraLink link;
  link.name = at.at("name").text();
  link.description = optional_text(at, "description");
  // Version 2 nests them in `physical`, drafts did not.
  const auto physical = at.find("physical");
  const YamlCursor& holder = physical ? *physical : at;
  // Gigatransfers say nothing without the width of the link; they are read and not used.
  link.gb_per_s = read_chosen(holder.find("bandwidth"), {{"gigabits_per_second", 0.125},
                                                         {"gigabytes_per_second", 1},
                                                         {"gigatransfers_per_second", 0}});
  link.latency_us = read_chosen(holder.find("latency"), {{"ms", 1e3}, {"us", 1}, {"ns", 1e-3}});
  return link;
}

InfraPart read_part(const YamlCursor& at) {
  static const std::array<std::string, 10> choices{"custom", "device", "cpu",  "npu",    "xpu",
                                                   "nic",    "memory", "port", "switch", "gpu"};
  InfraPart part;
  part.name = at.at("name").text();
  part.description = optional_text(at, "description");
  part.choice = at.at("choice").choice("kind of component", choices);
  if (part.choice == "npu" || part.choice == "gpu") part.choice = "xpu";
  part.count = static_cast<std::int32_t>(at.at("count").integer(0, most_parts));
  for (const auto& choice : choices) {
    const auto details = at.find(choice);
    if (details) details->skip();
  }
  return part;
}

class Reader {
 public:
  InfraGraph read(const YamlCursor& document) {
    // Some files hold the graph below one key.
    const auto wrapped = document.is_map() ? document.find("infrastructure") : std::nullopt;
    const YamlCursor& root = wrapped ? *wrapped : document;
    graph_.name = optional_text(root, "name");
    static_cast<void>(optional_text(root, "description"));
    const auto devices = optional_items(root, "devices");
    for (const auto& at : devices) read_device_head(at);
    for (std::size_t i = 0; i < devices.size(); ++i) read_device_edges(devices[i], i);
    for (const auto& at : optional_items(root, "instances")) read_instance(at);
    for (const auto& at : optional_items(root, "links")) {
      add_name(at, links_);
      graph_.links.push_back(read_link(at));
    }
    for (const auto& at : optional_items(root, "edges")) read_edge(at);
    if (const auto annotations = root.find("annotations")) annotations->skip();
    document.finish();
    return std::move(graph_);
  }

 private:
  // Names of one list and their places in it.
  using Names = std::map<std::string, std::int32_t, std::less<>>;

  static void add_name(const YamlCursor& item, Names& names) {
    const auto at = item.at("name");
    const std::string name = at.text();
    if (!names.emplace(name, static_cast<std::int32_t>(names.size())).second) {
      at.fail(
          fmt::format("there is another \"{}\" in this list; give each a name of its own", name));
    }
  }

  static std::int32_t place_of(const YamlCursor& at, const Names& names, const std::string& name,
                               std::string_view what) {
    const auto found = names.find(name);
    if (found == names.end()) at.fail(fmt::format("there is no {} \"{}\"", what, name));
    return found->second;
  }

  void read_device_head(const YamlCursor& at) {
    InfraDevice device;
    add_name(at, devices_);
    device.name = at.at("name").text();
    device.description = optional_text(at, "description");
    Names& parts = parts_.emplace_back();
    for (const auto& part : optional_items(at, "components")) {
      add_name(part, parts);
      device.parts.push_back(read_part(part));
    }
    Names& links = links_of_.emplace_back();
    for (const auto& link : optional_items(at, "links")) {
      add_name(link, links);
      device.links.push_back(read_link(link));
    }
    graph_.devices.push_back(std::move(device));
  }

  void read_instance(const YamlCursor& at) {
    InfraInstance instance;
    add_name(at, instances_);
    instance.name = at.at("name").text();
    static_cast<void>(optional_text(at, "description"));
    const auto device = at.at("device");
    instance.device = static_cast<std::size_t>(place_of(device, devices_, device.text(), "device"));
    instance.count = static_cast<std::int32_t>(at.at("count").integer(1, most_parts));
    graph_.instances.push_back(std::move(instance));
  }

  // Finds the parts of a device.
  FindInfraName parts_of(std::size_t device) const {
    return [this, device](const YamlCursor& at, const std::string& name) {
      const auto found = parts_[device].find(name);
      const InfraDevice& of = graph_.devices[device];
      if (found == parts_[device].end()) {
        at.fail(fmt::format("the device {} has no component \"{}\"", of.name, name));
      }
      return InfraNamed{found->second, of.parts[static_cast<std::size_t>(found->second)].count};
    };
  }

  // All owners of a slice, each with all its parts.
  static std::vector<InfraEnd> expand(const YamlCursor& at, const InfraSlice& owners,
                                      const InfraSlice& parts) {
    std::vector<InfraEnd> ends;
    // In 64 bits: a step may lead beyond the last index that 32 bits hold.
    for (std::int64_t o = owners.first; o < owners.end; o += owners.step) {
      for (std::int64_t p = parts.first; p < parts.end; p += parts.step) {
        if (ends.size() >= most_edges) at.fail("more than a million ends; describe fewer");
        ends.push_back(
            {owners.of, parts.of, static_cast<std::int32_t>(o), static_cast<std::int32_t>(p)});
      }
    }
    return ends;
  }

  std::vector<InfraEnd> read_device_end(const YamlCursor& at, std::size_t device) const {
    InfraSlice owner;
    std::size_t holder = device;
    if (const auto inner = at.find("device")) {
      owner = read_infra_slice(*inner, parts_of(device));
      const std::string& name =
          graph_.devices[device].parts[static_cast<std::size_t>(owner.of)].name;
      holder = static_cast<std::size_t>(place_of(*inner, devices_, name, "device"));
    }
    return expand(at, owner, read_infra_slice(at.at("component"), parts_of(holder)));
  }

  std::vector<InfraEnd> read_end(const YamlCursor& at) const {
    const auto owners =
        read_infra_slice(at.at("instance"), [&](const YamlCursor& where, const std::string& name) {
          const std::int32_t index = place_of(where, instances_, name, "instance");
          return InfraNamed{index, graph_.instances[static_cast<std::size_t>(index)].count};
        });
    const std::size_t device = graph_.instances[static_cast<std::size_t>(owners.of)].device;
    return expand(at, owners, read_infra_slice(at.at("component"), parts_of(device)));
  }

  void join(const YamlCursor& at, const std::vector<InfraEnd>& a, const std::vector<InfraEnd>& b,
            const Names& links, std::vector<InfraEdge>& edges) {
    static const std::array<std::string, 2> schemes{"one2one", "many2many"};
    bool many = false;
    if (const auto scheme = at.find("scheme")) {
      many = scheme->choice("scheme", schemes) == "many2many";
    } else {
      many = at.at("many2many").boolean();
    }
    const auto link_at = at.at("link");
    const std::int32_t link = place_of(link_at, links, link_at.text(), "link");
    if (!many && a.size() != b.size()) {
      at.fail(fmt::format("{} ends cannot be joined one to one with {}", a.size(), b.size()));
    }
    if ((many ? a.size() * b.size() : a.size()) > most_edges - expanded_) {
      at.fail("more than a million edges; describe fewer");
    }
    const bool among = many && a == b;  // every two once
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = among ? i + 1 : many ? 0 : i; j < (many ? b.size() : i + 1); ++j) {
        if (a[i] == b[j]) {
          if (!many) at.fail("an end cannot be joined with itself");
          continue;
        }
        edges.push_back({a[i], b[j], link});
        ++expanded_;
      }
    }
  }

  void read_device_edges(const YamlCursor& at, std::size_t index) {
    for (const auto& edge : optional_items(at, "edges")) {
      join(edge, read_device_end(edge.at("ep1"), index), read_device_end(edge.at("ep2"), index),
           links_of_[index], graph_.devices[index].edges);
    }
  }

  void read_edge(const YamlCursor& at) {
    join(at, read_end(at.at("ep1")), read_end(at.at("ep2")), links_, graph_.edges);
  }

  InfraGraph graph_;
  Names devices_, instances_, links_;
  std::vector<Names> parts_, links_of_;  // of each device
  std::size_t expanded_ = 0;
};

}  // namespace

InfraGraph read_infragraph(std::string_view yaml, const std::string& file) {
  return Reader().read(YamlCursor::parse(yaml, file));
}

}  // namespace fabricast
