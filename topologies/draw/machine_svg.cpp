#include "topologies/draw/machine_svg.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/svg.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/builders/rail_fat_tree.hpp"

namespace fabricast {
namespace {

constexpr double width = 1260, margin = 40, left = 255;
constexpr int most_boxes = 12;
const std::string ink = "#24292f", quiet = "#57606a", wire = "#8c959f";
const std::string gpu_fill = "#dafbe1", switch_fill = "#ddf4ff", nic_fill = "#fff8c5",
                  tier_fill = "#fbefff", outline = "#57606a";

struct Row {
  std::string name, note;  // "leaf switches", "one per rail ..."
  std::string fill;
  std::int64_t count = 0;
  std::string below;         // what a link to the row below is: "nvlink 450 GB/s"
  std::string label;         // of a box, "leaf"
  std::int64_t per_box = 0;  // boxes of the row below that hang on one of this; 0: each on all
};

std::string rate(const Sourced& bandwidth) {
  if (bandwidth.value >= 1000) return fmt::format("{:.4g} TB/s", bandwidth.value / 1000);
  return fmt::format("{:.4g} GB/s", bandwidth.value);
}

class Drawing {
 public:
  explicit Drawing(const BuiltTopology& machine) : machine_(machine), spec_(machine.spec()) {}

  std::string draw() {
    const auto network = network_rows(), group = group_rows(), node = node_rows();
    double height = 130;
    for (const auto* rows : {&network, &group, &node}) {
      if (!rows->empty()) height += 110.0 * static_cast<double>(rows->size()) + 10;
    }
    Svg svg(width, height, spec_.name, spec_.title);
    svg.rectangle({0, 0}, width, height, "#ffffff");
    svg.text({margin, 46}, spec_.name, {22, ink, Svg::Anchor::start, true, 0});
    svg.text({margin, 70}, spec_.title, {14, quiet, Svg::Anchor::start, false, 0});
    svg.text({margin, 92}, facts(), {13, quiet, Svg::Anchor::start, false, 0});
    double y = 140;
    const auto panel = [&](const std::vector<Row>& rows, std::string_view name,
                           std::string_view rest) {
      if (rows.empty()) return;
      svg.heading({margin, y}, name, rest, {13, quiet, Svg::Anchor::start, false, 0},
                  {15, ink, Svg::Anchor::start, true, 0});
      y = draw_rows(svg, y + 20, rows) + 50;
    };
    panel(network, "Cluster",
          "rates are one way; all uplinks of a switch, or of a layer, are one line");
    panel(group, "One group", "what hangs on the same leaves");
    panel(node, spec_.domain.noun == "rack" ? "One rack" : "One node", "and how it leaves the box");
    return svg.finish();
  }

 private:
  std::string facts() const {
    std::string text = fmt::format("{} {}s = {} x {}", machine_.ranks(), spec_.domain.member,
                                   machine_.space().domains(), machine_.space().domain_size());
    const auto& gpu = machine_.gpu();
    if (gpu.hbm_gb.value > 0) text += fmt::format(";  {} {:.4g} GB", gpu.name, gpu.hbm_gb.value);
    if (gpu.bf16_tflops.value > 0)
      text += fmt::format(", {:.5g} TFLOPS BF16", gpu.bf16_tflops.value);
    if (spec_.fabric) {
      text += fmt::format(";  {}, {} tier{}, {} rail{}", spec_.fabric->name, spec_.fabric->tiers,
                          spec_.fabric->tiers == 1 ? "" : "s", spec_.fabric->rails,
                          spec_.fabric->rails == 1 ? "" : "s");
      if (spec_.fabric->planes > 1) text += fmt::format(", {} planes", spec_.fabric->planes);
    }
    if (spec_.announced) text += ";  announced, not on sale";
    return text;
  }

  std::vector<Row> node_rows() const {
    std::vector<Row> rows;
    const std::int64_t members = machine_.space().domain_size();
    if (spec_.domain.bandwidth) {
      const auto& domain = spec_.domain;
      const std::string chips =
          domain.switches ? fmt::format("{} chips", domain.switches->value) : domain.shape;
      rows.push_back(
          {domain.shape == "switch" ? "scale-up switch" : "scale-up links", chips, switch_fill, 1,
           fmt::format("{}{} per {}",
                       domain.links ? fmt::format("{} links, ", domain.links->value) : "",
                       rate(*domain.bandwidth), domain.member),
           domain.shape == "switch" ? std::string(to_string(domain.kind)) : domain.shape});
    }
    const std::int32_t per_tray = domain_tray();
    rows.push_back({spec_.domain.member + "s",
                    per_tray > 0 ? fmt::format("{} trays of {}", members / per_tray, per_tray) : "",
                    gpu_fill, members,
                    spec_.fabric ? fmt::format("{} GPU{} per NIC", members / spec_.fabric->nics,
                                               members == spec_.fabric->nics ? "" : "s")
                                 : "",
                    spec_.domain.member, spec_.fabric ? 0 : 1});
    if (spec_.fabric) rows.back().per_box = -(members / spec_.fabric->nics);
    if (spec_.fabric) {
      rows.push_back(
          {"NICs",
           fmt::format("{:.4g} Gbit/s each", spec_.fabric->nic_bandwidth.value * 8) +
               (spec_.fabric->nic_ports > 1 ? fmt::format(", {} ports", spec_.fabric->nic_ports)
                                            : ""),
           nic_fill, spec_.fabric->nics, "", "NIC"});
    }
    return rows;
  }

  std::int32_t domain_tray() const { return spec_.domain.members_per_tray; }

  const LinkClass* link(std::string_view name) const {
    for (const auto& c : machine_.link_classes()) {
      if (c.name == name) return &c;
    }
    return nullptr;
  }

  std::string trunk(std::string_view name, std::string_view of) const {
    const auto* c = link(name);
    return c == nullptr
               ? ""
               : fmt::format("{} per {}, {:.4g} us", rate(c->bandwidth), of, c->latency.value);
  }

  std::vector<Row> network_rows() const {
    std::vector<Row> rows;
    const auto* tree = dynamic_cast<const RailFatTree*>(&machine_);
    if (tree == nullptr) return rows;
    const auto& fabric = *spec_.fabric;
    if (fabric.kind == "dragonfly") return dragonfly_rows(*tree);
    if (tree->sites() > 1) {
      rows.push_back({"long way", fmt::format("{:.4g} us one way", fabric.site_latency->value),
                      tier_fill, 1, trunk("site_uplink", "site"), "between sites"});
    }
    if (fabric.tiers == 3) {
      rows.push_back({"core", tree->sites() > 1 ? fmt::format("{} sites", tree->sites()) : "",
                      tier_fill, tree->sites(), trunk("spine_uplink", "pod"), "core"});
    }
    if (fabric.tiers < 2) return rows;
    const std::int64_t groups = tree->leaves() / fabric.rails;
    const bool pods = fabric.tiers == 3;
    const std::int64_t spines = pods ? tree->pods() : tree->sites();
    if (!rows.empty()) rows.back().per_box = spines / std::max<std::int64_t>(1, tree->sites());
    const std::string joins = fabric.kind == "rail_only" ? "one per rail, not joined"
                              : pods                     ? "one per pod"
                                                         : "joins all leaves";
    rows.push_back({"spine layers", joins, tier_fill, spines, trunk("leaf_uplink", "leaf"),
                    pods ? "pod" : "spine", pods ? fabric.groups_per_pod : groups / spines});
    rows.push_back({"groups of leaves",
                    fmt::format("{} leaves, {} {}s each", fabric.rails, fabric.domains_per_leaf,
                                spec_.domain.noun),
                    tier_fill, groups, "", "group", 1});
    return rows;
  }

  // Every group has links to every other, every router of a group to every other.
  std::vector<Row> dragonfly_rows(const RailFatTree& tree) const {
    const std::int64_t routers = std::int64_t{spec_.fabric->groups_per_pod} * spec_.fabric->rails;
    return {{"links between groups", "every two groups are joined", tier_fill, 1,
             trunk("spine_uplink", "group"), "to all other groups"},
            {"groups", fmt::format("{} routers each, every two joined", routers), tier_fill,
             tree.pods(), trunk("leaf_uplink", "router"), "group", 0}};
  }

  std::vector<Row> group_rows() const {
    std::vector<Row> rows;
    const auto* tree = dynamic_cast<const RailFatTree*>(&machine_);
    if (tree == nullptr) return rows;
    const auto& fabric = *spec_.fabric;
    const bool leaves = fabric.tiers >= 2;
    const bool dragonfly = fabric.kind == "dragonfly";
    rows.push_back({dragonfly ? "routers"
                    : leaves  ? "leaf switches"
                              : "switch",
                    !leaves ? "joins all NICs"
                            : fmt::format("{:.5g} ports, {}", fabric.radix->value,
                                          fabric.rails == 1 ? "all rails" : "one per rail"),
                    tier_fill, leaves ? fabric.rails : 1, trunk("nic", "NIC"),
                    leaves ? "rail" : "switch"});
    const std::int64_t here =
        std::min<std::int64_t>(fabric.domains_per_leaf, machine_.space().domains());
    rows.push_back({spec_.domain.noun + "s",
                    fmt::format("{} NIC{} of each on a leaf", fabric.nics / fabric.rails,
                                fabric.nics == fabric.rails ? "" : "s"),
                    gpu_fill, here, "", spec_.domain.noun, 1});
    return rows;
  }

  // Centres of the boxes of a row, and their width.
  static std::vector<double> centres(std::int64_t count, double& box) {
    const auto shown = static_cast<int>(std::min<std::int64_t>(count, most_boxes));
    const double room = width - margin - left;
    const double pitch = room / shown;
    box = std::min(pitch - 10, count == 1 ? room : 92.0);
    std::vector<double> result;
    for (int i = 0; i < shown; ++i) result.push_back(left + pitch * (i + 0.5));
    return result;
  }

  static double draw_rows(Svg& svg, double y, const std::vector<Row>& rows) {
    constexpr double high = 40, step = 110;
    for (std::size_t r = 0; r < rows.size(); ++r, y += step) {
      const Row& row = rows[r];
      double box = 0;
      const auto at = centres(row.count, box);
      if (r + 1 < rows.size()) draw_wires(svg, y + high, y + step, row, rows[r + 1]);
      for (std::size_t i = 0; i < at.size(); ++i) {
        // The last box stands for the end of a row that is longer than the picture.
        const bool cut = row.count > most_boxes && i + 2 == at.size();
        if (cut) {
          svg.text({at[i], y + 25}, "...", {16, quiet, Svg::Anchor::middle, true, 0});
          continue;
        }
        const std::int64_t number = number_of(i, row.count);
        svg.rectangle({at[i] - box / 2, y}, box, high, row.fill, outline);
        svg.text({at[i], y + 25},
                 row.count == 1 ? row.label : fmt::format("{} {}", row.label, number),
                 {12, ink, Svg::Anchor::middle, false, 0});
      }
      svg.text({margin, y + 18}, fmt::format("{} {}", row.count, row.name),
               {13, ink, Svg::Anchor::start, true, 0});
      svg.text({margin, y + 36}, row.note, {11, quiet, Svg::Anchor::start, false, 0});
      if (!row.below.empty()) {
        svg.text({margin, y + 76}, row.below, {11, quiet, Svg::Anchor::start, false, 0});
      }
    }
    return y - 60;
  }

  // Which box of a row shows its item `number`: its own, the last, or the dots between.
  static std::size_t shown(std::int64_t number, std::int64_t count) {
    if (count <= most_boxes || number < most_boxes - 2) return static_cast<std::size_t>(number);
    return static_cast<std::size_t>(number == count - 1 ? most_boxes - 1 : most_boxes - 2);
  }
  static std::int64_t number_of(std::size_t box, std::int64_t count) {
    if (count <= most_boxes || box < most_boxes - 2) return static_cast<std::int64_t>(box);
    return box == most_boxes - 1 ? count - 1 : most_boxes - 2;
  }

  static void draw_wires(Svg& svg, double from, double to, const Row& row, const Row& below) {
    double ignored = 0;
    const auto up = centres(row.count, ignored), down = centres(below.count, ignored);
    const Svg::Stroke stroke{wire, 1.1, ""};
    if (row.per_box < 0) {  // the boxes above share those below
      for (std::size_t i = 0; i < up.size(); ++i) {
        const std::int64_t owner = number_of(i, row.count) / -row.per_box;
        svg.line({up[i], from}, {down[shown(owner, below.count)], to}, stroke);
      }
      return;
    }
    for (std::size_t i = 0; i < down.size(); ++i) {
      if (row.count == 1) {  // a wide box is met straight above
        svg.line({down[i], from}, {down[i], to}, stroke);
      } else if (row.per_box > 0) {
        const std::int64_t owner = std::min(number_of(i, below.count) / row.per_box, row.count - 1);
        svg.line({up[shown(owner, row.count)], from}, {down[i], to}, stroke);
      } else {
        for (const double x : up) svg.line({x, from}, {down[i], to}, {wire, 0.7, ""});
      }
    }
  }

  const BuiltTopology& machine_;
  const MachineSpec& spec_;
};

}  // namespace

std::string machine_svg(const Topology& machine) {
  const auto* built = dynamic_cast<const BuiltTopology*>(&machine);
  if (built == nullptr) {
    throw UsageError(
        fmt::format("the machine {} cannot be drawn (it was not built from a machine "
                    "file); give a machine file",
                    machine.name()));
  }
  return Drawing(*built).draw();
}

}  // namespace fabricast
