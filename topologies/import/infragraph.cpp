#include "topologies/import/infragraph.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/strict_yaml.hpp"
#include "topologies/import/infragraph_ends.hpp"

namespace fabricast {
namespace {

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
    if (const auto draft = root.is_map() ? root.find("connections") : std::nullopt) {
      draft->fail("of a draft of InfraGraph, which has edges now; write it with a present one");
    }
    graph_.name = optional_text(root, "name");
    static_cast<void>(optional_text(root, "description"));
    if (root.find("components")) {
      read_device_alone(root);
      document.finish();
      return std::move(graph_);
    }
    const auto devices = optional_items(root, "devices");
    for (const auto& at : devices) read_device_head(at);
    for (std::size_t i = 0; i < devices.size(); ++i) read_device_edges(devices[i], i);
    for (const auto& at : optional_items(root, "instances")) read_instance(at);
    for (const auto& at : optional_items(root, "links")) {
      add_name(at, names_.links);
      graph_.links.push_back(read_link(at));
    }
    for (const auto& at : optional_items(root, "edges")) read_edge(at);
    if (const auto annotations = root.find("annotations")) annotations->skip();
    document.finish();
    return std::move(graph_);
  }

 private:
  using Names = InfraNames::List;

  static void add_name(const YamlCursor& item, Names& names) {
    const auto at = item.at("name");
    const std::string name = at.text();
    if (!names.emplace(name, static_cast<std::int32_t>(names.size())).second) {
      at.fail(
          fmt::format("there is another \"{}\" in this list; give each a name of its own", name));
    }
  }

  void read_device_head(const YamlCursor& at) {
    InfraDevice device;
    add_name(at, names_.devices);
    device.name = at.at("name").text();
    device.description = optional_text(at, "description");
    Names& parts = names_.parts.emplace_back();
    for (const auto& part : optional_items(at, "components")) {
      add_name(part, parts);
      device.parts.push_back(read_part(part));
    }
    Names& links = names_.links_of.emplace_back();
    for (const auto& link : optional_items(at, "links")) {
      add_name(link, links);
      device.links.push_back(read_link(link));
    }
    graph_.devices.push_back(std::move(device));
  }

  // A file of one device, as those of a library of devices: one of it.
  void read_device_alone(const YamlCursor& at) {
    read_device_head(at);
    read_device_edges(at, 0);
    graph_.instances.push_back({graph_.name, 0, 1});
  }

  void read_instance(const YamlCursor& at) {
    InfraInstance instance;
    add_name(at, names_.instances);
    instance.name = at.at("name").text();
    static_cast<void>(optional_text(at, "description"));
    const auto device = at.at("device");
    instance.device = static_cast<std::size_t>(
        place_of_infra_name(device, names_.devices, device.text(), "device"));
    instance.count = static_cast<std::int32_t>(at.at("count").integer(1, most_parts));
    graph_.instances.push_back(std::move(instance));
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
    const std::int32_t link = place_of_infra_name(link_at, links, link_at.text(), "link");
    // One to one ends where the shorter list does: two NICs on a switch take its first two ports.
    const std::size_t firsts = many ? a.size() : std::min(a.size(), b.size());
    if ((many ? a.size() * b.size() : firsts) > most_infra_edges - expanded_) {
      at.fail("more than a million edges; describe fewer");
    }
    const bool among = many && a == b;  // every two once
    for (std::size_t i = 0; i < firsts; ++i) {
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
      join(edge, ends_.of_device(edge.at("ep1"), index), ends_.of_device(edge.at("ep2"), index),
           names_.links_of[index], graph_.devices[index].edges);
    }
  }

  void read_edge(const YamlCursor& at) {
    join(at, ends_.of_graph(at.at("ep1")), ends_.of_graph(at.at("ep2")), names_.links,
         graph_.edges);
  }

  InfraGraph graph_;
  InfraNames names_;
  const InfraEnds ends_{graph_, names_};
  std::size_t expanded_ = 0;
};

}  // namespace

InfraGraph read_infragraph(std::string_view yaml, const std::string& file) {
  return Reader().read(YamlCursor::parse(yaml, file));
}

}  // namespace fabricast
