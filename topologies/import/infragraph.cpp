#include "topologies/import/infragraph.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "emulator/base/strict_yaml.hpp"

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
    if (!details || !details->is_map()) continue;
    for (const auto& key : details->keys()) static_cast<void>(details->at(key).text());
  }
  return part;
}

struct Slice {
  std::string name;
  std::int32_t first = 0, end = 0, step = 1;
};

// "port[0:8:2]", "port[3]" or "port" of `count` of them.
template <class CountOf>
Slice read_slice(const YamlCursor& at, CountOf count_of) {
  const std::string text = at.text();
  const std::size_t open = std::min(text.find('['), text.size());
  Slice slice{text.substr(0, open), 0, 0, 1};
  const std::int32_t count = count_of(at, slice.name);
  slice.end = count;
  if (open == text.size()) return slice;
  std::array<std::int32_t, 3> numbers{0, count, 1};
  std::size_t n = 0;
  const char *next = text.data() + open + 1, *last = text.data() + text.size();
  bool single = true, good = text.back() == ']';
  while (good && n < 3) {
    const auto [stop, problem] = std::from_chars(next, last, numbers[n]);
    if (problem != std::errc() && stop != next) good = false;
    next = problem == std::errc() ? stop : next;
    ++n;
    if (*next == ']') break;
    good = good && *next == ':';
    single = false;
    ++next;
  }
  good = good && next == last - 1 && text.size() > open + 2;
  slice.first = numbers[0];
  slice.end = single ? numbers[0] + (numbers[0] < count ? 1 : 0) : numbers[1];
  slice.step = numbers[2];
  if (!good || slice.first < 0 || slice.end > count || slice.first >= slice.end || slice.step < 1) {
    at.fail(fmt::format("\"{}\" is no slice of {} {}s; write {}[0:{}]", text, count, slice.name,
                        slice.name, count));
  }
  return slice;
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
    for (const auto& at : optional_items(root, "links")) graph_.links.push_back(read_link(at));
    for (const auto& at : optional_items(root, "edges")) read_edge(at);
    if (const auto annotations = root.find("annotations")) annotations->skip();
    document.finish();
    return std::move(graph_);
  }

 private:
  void read_device_head(const YamlCursor& at) {
    InfraDevice device;
    device.name = at.at("name").text();
    device.description = optional_text(at, "description");
    for (const auto& part : optional_items(at, "components"))
      device.parts.push_back(read_part(part));
    for (const auto& link : optional_items(at, "links")) device.links.push_back(read_link(link));
    graph_.devices.push_back(std::move(device));
  }

  void read_instance(const YamlCursor& at) {
    InfraInstance instance;
    instance.name = at.at("name").text();
    static_cast<void>(optional_text(at, "description"));
    const auto device = at.at("device");
    const std::string name = device.text();
    while (instance.device < graph_.devices.size() &&
           graph_.devices[instance.device].name != name) {
      ++instance.device;
    }
    if (instance.device == graph_.devices.size()) {
      device.fail(fmt::format("there is no device \"{}\"", name));
    }
    instance.count = static_cast<std::int32_t>(at.at("count").integer(1, most_parts));
    graph_.instances.push_back(std::move(instance));
  }

  const InfraDevice* device_named(std::string_view name) const {
    const auto found = std::find_if(graph_.devices.begin(), graph_.devices.end(),
                                    [&](const InfraDevice& one) { return one.name == name; });
    return found == graph_.devices.end() ? nullptr : &*found;
  }

  static std::int32_t parts_of(const YamlCursor& at, const InfraDevice& device,
                               const std::string& name) {
    const InfraPart* part = device.find(name);
    if (part == nullptr) {
      at.fail(fmt::format("the device {} has no component \"{}\"", device.name, name));
    }
    return part->count;
  }

  // All owners of a slice, each with all its parts.
  std::vector<InfraEnd> expand(const YamlCursor& at, const Slice& owners,
                               const Slice& parts) const {
    std::vector<InfraEnd> ends;
    // In 64 bits: a step may lead beyond the last index that 32 bits hold.
    for (std::int64_t o = owners.first; o < owners.end; o += owners.step) {
      for (std::int64_t p = parts.first; p < parts.end; p += parts.step) {
        if (ends.size() >= most_edges) at.fail("more than a million ends; describe fewer");
        ends.push_back(
            {owners.name, parts.name, static_cast<std::int32_t>(o), static_cast<std::int32_t>(p)});
      }
    }
    return ends;
  }

  std::vector<InfraEnd> read_device_end(const YamlCursor& at, const InfraDevice& device) const {
    Slice owner{"", 0, 1, 1};
    const InfraDevice* holder = &device;
    if (const auto inner = at.find("device")) {
      owner = read_slice(*inner, [&](const YamlCursor& where, const std::string& name) {
        return parts_of(where, device, name);
      });
      holder = device_named(owner.name);
      if (holder == nullptr) inner->fail(fmt::format("there is no device \"{}\"", owner.name));
    }
    const auto parts =
        read_slice(at.at("component"), [&](const YamlCursor& where, const std::string& name) {
          return parts_of(where, *holder, name);
        });
    return expand(at, owner, parts);
  }

  std::vector<InfraEnd> read_end(const YamlCursor& at) const {
    const InfraDevice* device = nullptr;
    const auto owners =
        read_slice(at.at("instance"), [&](const YamlCursor& where, const std::string& name) {
          for (const InfraInstance& one : graph_.instances) {
            if (one.name != name) continue;
            device = &graph_.devices[one.device];
            return one.count;
          }
          where.fail(fmt::format("there is no instance \"{}\"", name));
        });
    const auto parts =
        read_slice(at.at("component"), [&](const YamlCursor& where, const std::string& name) {
          return parts_of(where, *device, name);
        });
    return expand(at, owners, parts);
  }

  void join(const YamlCursor& at, const std::vector<InfraEnd>& a, const std::vector<InfraEnd>& b,
            const std::vector<InfraLink>& links, std::vector<InfraEdge>& edges) {
    static const std::array<std::string, 2> schemes{"one2one", "many2many"};
    bool many = false;
    if (const auto scheme = at.find("scheme")) {
      many = scheme->choice("scheme", schemes) == "many2many";
    } else {
      many = at.at("many2many").boolean();
    }
    const auto link_at = at.at("link");
    const std::string name = link_at.text();
    std::size_t link = 0;
    while (link < links.size() && links[link].name != name) ++link;
    if (link == links.size()) link_at.fail(fmt::format("there is no link \"{}\"", name));
    if (!many && a.size() != b.size()) {
      at.fail(fmt::format("{} ends cannot be joined one to one with {}", a.size(), b.size()));
    }
    if ((many ? a.size() * b.size() : a.size()) > most_edges - expanded_) {
      at.fail("more than a million edges; describe fewer");
    }
    const bool among = many && a == b;  // every two once
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = among ? i + 1 : many ? 0 : i; j < (many ? b.size() : i + 1); ++j) {
        if (many && a[i] == b[j]) continue;
        edges.push_back({a[i], b[j], link});
        ++expanded_;
      }
    }
  }

  void read_device_edges(const YamlCursor& at, std::size_t index) {
    InfraDevice& device = graph_.devices[index];
    for (const auto& edge : optional_items(at, "edges")) {
      join(edge, read_device_end(edge.at("ep1"), device), read_device_end(edge.at("ep2"), device),
           device.links, device.edges);
    }
  }

  void read_edge(const YamlCursor& at) {
    join(at, read_end(at.at("ep1")), read_end(at.at("ep2")), graph_.links, graph_.edges);
  }

  InfraGraph graph_;
  std::size_t expanded_ = 0;
};

}  // namespace

const InfraPart* InfraDevice::find(std::string_view part) const {
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [&](const InfraPart& one) { return one.name == part; });
  return found == parts.end() ? nullptr : &*found;
}

InfraGraph read_infragraph(std::string_view yaml, const std::string& file) {
  return Reader().read(YamlCursor::parse(yaml, file));
}

}  // namespace fabricast
