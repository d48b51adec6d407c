#include "topologies/import/infragraph_ends.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "topologies/import/infragraph_slice.hpp"

namespace fabricast {
namespace {

// A name of an end, and where it stands: "nic[0].port[1]" has two.
using PartName = std::pair<YamlCursor, std::string>;

std::vector<PartName> names_at(const YamlCursor& at) {
  const std::string text = at.text();
  std::vector<PartName> names;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t dot = std::min(text.find('.', begin), text.size());
    names.emplace_back(at, text.substr(begin, dot - begin));
    begin = dot + 1;
  }
  return names;
}

constexpr std::size_t most_ends = 10 * most_infra_edges;

class EndReader {
 public:
  EndReader(const InfraGraph& graph, const InfraNames& names, std::size_t& expanded)
      : graph_(graph), names_(names), expanded_(expanded) {}

  InfraSlice slice_of(const PartName& name, std::size_t device) const {
    const auto find = [&](const YamlCursor& at, const std::string& part) {
      const auto found = names_.parts[device].find(part);
      if (found == names_.parts[device].end()) {
        at.fail(fmt::format("the device {} has no component \"{}\"", graph_.devices[device].name,
                            part));
      }
      return InfraNamed{found->second, part_of(device, found->second).count};
    };
    return read_infra_slice(name.first, name.second, find);
  }

  // The device that a part of `device` is.
  std::size_t device_of(const PartName& name, std::size_t device, std::int32_t part) const {
    return static_cast<std::size_t>(
        place_of_infra_name(name.first, names_.devices, part_of(device, part).name, "device"));
  }

  // All owners of a slice, each with all its parts.
  std::vector<InfraEnd> expand(const YamlCursor& at, const InfraSlice& owners,
                               std::span<const PartName> names, std::size_t device) const {
    const InfraSlice outer = slice_of(names.front(), device);
    std::vector<std::int64_t> indexes = inside({0}, 1, 0, outer, names.front().first);
    InfraSlice last = outer;
    for (const PartName& name : names.subspan(1)) {
      device = device_of(name, device, last.of);
      last = slice_of(name, device);
      indexes = inside(
          indexes, parts_before(name.first, device, graph_.devices[device].parts.size()),
          parts_before(name.first, device, static_cast<std::size_t>(last.of)), last, name.first);
    }
    std::vector<InfraEnd> ends;
    // In 64 bits: a step may lead beyond the last index that 32 bits hold.
    for (std::int64_t o = owners.first; o < owners.end; o += owners.step) {
      for (const std::int64_t index : indexes) {
        count_end(at, ends.size());
        ends.push_back(
            {owners.of, outer.of, static_cast<std::int32_t>(o), static_cast<std::int32_t>(index)});
      }
    }
    return ends;
  }

 private:
  const InfraPart& part_of(std::size_t device, std::int32_t part) const {
    return graph_.devices[device].parts[static_cast<std::size_t>(part)];
  }

  void count_end(const YamlCursor& at, std::size_t of_edge) const {
    if (of_edge >= most_infra_edges) at.fail("more than a million ends; describe fewer");
    if (++expanded_ > most_ends) at.fail("the ends of all edges are more than ten million");
  }

  std::int64_t parts_before(const YamlCursor& at, std::size_t device, std::size_t part) const {
    std::int64_t parts = 0;
    for (std::size_t i = 0; i < part; ++i) parts += graph_.devices[device].parts[i].count;
    if (parts > std::numeric_limits<std::int32_t>::max()) {
      at.fail("too many parts within parts; describe fewer");
    }
    return parts;
  }

  // The slice in each of `outer`, which hold `count` parts each, `before` of them in front of it.
  std::vector<std::int64_t> inside(const std::vector<std::int64_t>& outer, std::int64_t count,
                                   std::int64_t before, const InfraSlice& slice,
                                   const YamlCursor& at) const {
    std::vector<std::int64_t> indexes;
    for (const std::int64_t one : outer) {
      for (std::int64_t i = slice.first; i < slice.end; i += slice.step) {
        count_end(at, indexes.size());
        indexes.push_back(one * count + before + i);
      }
    }
    if (indexes.back() > std::numeric_limits<std::int32_t>::max()) {
      at.fail("too many parts within parts; describe fewer");
    }
    return indexes;
  }

  const InfraGraph& graph_;
  const InfraNames& names_;
  std::size_t& expanded_;
};

}  // namespace

std::int32_t place_of_infra_name(const YamlCursor& at, const InfraNames::List& names,
                                 const std::string& name, std::string_view what) {
  const auto found = names.find(name);
  if (found == names.end()) at.fail(fmt::format("there is no {} \"{}\"", what, name));
  return found->second;
}

std::vector<InfraEnd> InfraEnds::of_device(const YamlCursor& at, std::size_t device) const {
  // The owner stands in a key of its own, or before a dot.
  std::vector<PartName> names;
  if (const auto owner = at.find("device")) names = names_at(*owner);
  for (PartName& name : names_at(at.at("component"))) names.push_back(std::move(name));
  const EndReader reader(graph_, names_, expanded_);
  if (names.size() == 1) return reader.expand(at, InfraSlice(), names, device);
  const InfraSlice owner = reader.slice_of(names.front(), device);
  return reader.expand(at, owner, std::span<const PartName>(names).subspan(1),
                       reader.device_of(names[1], device, owner.of));
}

std::vector<InfraEnd> InfraEnds::of_graph(const YamlCursor& at) const {
  const auto instance = at.at("instance");
  const auto owners = read_infra_slice(
      instance, instance.text(), [&](const YamlCursor& where, const std::string& name) {
        const std::int32_t index = place_of_infra_name(where, names_.instances, name, "instance");
        return InfraNamed{index, graph_.instances[static_cast<std::size_t>(index)].count};
      });
  const std::size_t device = graph_.instances[static_cast<std::size_t>(owners.of)].device;
  return EndReader(graph_, names_, expanded_)
      .expand(at, owners, names_at(at.at("component")), device);
}

}  // namespace fabricast
