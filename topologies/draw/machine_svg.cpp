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

constexpr double width = 1200, margin = 40, left = 190;
constexpr int most_boxes = 12;
const std::string ink = "#24292f", quiet = "#57606a", wire = "#8c959f";
const std::string gpu_fill = "#dafbe1", switch_fill = "#ddf4ff", nic_fill = "#fff8c5",
                  tier_fill = "#fbefff", outline = "#57606a";

struct Row {
  std::string name, note;  // "leaf switches", "one per rail ..."
  std::string fill;
  std::int64_t count = 0;
  std::string below;  // what a link to the row below is: "nvlink 450 GB/s"
  std::string label;  // of a box, "leaf {}"
};

std::string rate(const Sourced& bandwidth) {
  if (bandwidth.value >= 1000) return fmt::format("{:.4g} TB/s", bandwidth.value / 1000);
  return fmt::format("{:.4g} GB/s", bandwidth.value);
}

class Drawing {
 public:
  explicit Drawing(const BuiltTopology& machine)
      : machine_(machine), spec_(machine.spec()), rows_(node_rows()), network_(network_rows()) {}

  std::string draw() {
    const double height = 150 + 110.0 * static_cast<double>(rows_.size() + network_.size()) +
                          (network_.empty() ? 60 : 150);
    Svg svg(width, height, spec_.name, spec_.title);
    svg.rectangle({0, 0}, width, height, "#ffffff");
    svg.text({margin, 46}, spec_.name, {22, ink, Svg::Anchor::start, true, 0});
    svg.text({margin, 70}, spec_.title, {14, quiet, Svg::Anchor::start, false, 0});
    svg.text({margin, 92}, facts(), {13, quiet, Svg::Anchor::start, false, 0});
    double y = 140;
    if (!network_.empty()) {
      heading(svg, y, "Network", "between domains; one way, trunks as one line");
      y = draw_rows(svg, y + 20, network_) + 40;
    }
    heading(svg, y, spec_.domain.noun == "rack" ? "Rack" : "Node", "what one domain holds");
    draw_rows(svg, y + 20, rows_);
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
           fmt::format("{} {}{} per {} and direction", to_string(domain.kind),
                       domain.links ? fmt::format("{} links, ", domain.links->value) : "",
                       rate(*domain.bandwidth), domain.member),
           domain.shape == "switch" ? "one switch for all" : domain.shape});
    }
    const std::int32_t per_tray = domain_tray();
    rows.push_back({spec_.domain.member + "s",
                    per_tray > 0 ? fmt::format("{} trays of {}", members / per_tray, per_tray) : "",
                    gpu_fill, members,
                    spec_.fabric ? fmt::format("{} GPU{} per NIC", members / spec_.fabric->nics,
                                               members == spec_.fabric->nics ? "" : "s")
                                 : "",
                    spec_.domain.member});
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
    const std::string nic = trunk("nic", "NIC");
    if (tree->sites() > 1) {
      rows.push_back({"long way", fmt::format("{:.4g} us one way", fabric.site_latency->value),
                      tier_fill, 1, trunk("site_uplink", "site"), "between sites"});
    }
    if (fabric.tiers == 3) {
      rows.push_back({"core", tree->sites() > 1 ? fmt::format("{} sites", tree->sites()) : "",
                      tier_fill, tree->sites(), trunk("spine_uplink", "pod"), "core"});
    }
    if (fabric.tiers >= 2) {
      const std::int64_t spines = fabric.tiers == 3 ? tree->pods() : tree->sites();
      rows.push_back({"spine layers",
                      fabric.tiers == 3
                          ? fmt::format("one per pod of {} groups", fabric.groups_per_pod)
                          : "joins all leaves",
                      tier_fill, spines, trunk("leaf_uplink", "leaf"), "spine"});
      rows.push_back({"leaf switches",
                      fmt::format("{:.5g} ports, one per rail and group", fabric.radix->value),
                      tier_fill, tree->leaves(), nic, "leaf"});
    } else {
      rows.push_back({"switch", "joins all NICs", tier_fill, 1, nic, "switch"});
    }
    rows.push_back(
        {spec_.domain.noun + "s",
         fabric.tiers >= 2 ? fmt::format("{} to a group of leaves", fabric.domains_per_leaf) : "",
         gpu_fill, machine_.space().domains(), "", spec_.domain.noun});
    return rows;
  }

  static void heading(Svg& svg, double y, std::string_view strong, std::string_view rest) {
    svg.heading({margin, y}, strong, rest, {13, quiet, Svg::Anchor::start, false, 0},
                {15, ink, Svg::Anchor::start, true, 0});
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
      double box = 0, next_box = 0;
      const auto at = centres(row.count, box);
      if (r + 1 < rows.size()) {
        const auto next = centres(rows[r + 1].count, next_box);
        draw_wires(svg, y + high, y + step, {at, box}, next);
      }
      for (std::size_t i = 0; i < at.size(); ++i) {
        // The last box stands for the end of a row that is longer than the picture.
        const bool cut = row.count > most_boxes && i + 2 == at.size();
        if (cut) {
          svg.text({at[i], y + 25}, "...", {16, quiet, Svg::Anchor::middle, true, 0});
          continue;
        }
        const std::int64_t number =
            i + 1 == at.size() ? row.count - 1 : static_cast<std::int64_t>(i);
        svg.rectangle({at[i] - box / 2, y}, box, high, row.fill, outline);
        svg.text({at[i], y + 25},
                 row.count == 1 ? row.label : fmt::format("{} {}", row.label, number),
                 {12, ink, Svg::Anchor::middle, false, 0});
      }
      svg.text({margin, y + 18}, fmt::format("{} {}", row.count, row.name),
               {13, ink, Svg::Anchor::start, true, 0});
      svg.text({margin, y + 36}, row.note, {11, quiet, Svg::Anchor::start, false, 0});
      if (!row.below.empty()) {
        svg.text({margin, y + 74}, row.below, {11, quiet, Svg::Anchor::start, false, 0});
      }
    }
    return y - 60;
  }

  struct Boxes {
    const std::vector<double>& centre;
    double width;
  };

  static void draw_wires(Svg& svg, double from, double to, const Boxes& up,
                         const std::vector<double>& down) {
    // A wide single box is met straight above; several are met by all below them.
    for (const double x : down) {
      if (up.centre.size() == 1) {
        svg.line({x, from}, {x, to}, {wire, 1.2, ""});
        continue;
      }
      if (up.centre.size() == down.size()) {
        svg.line({x, from}, {x, to}, {wire, 1.2, ""});
        continue;
      }
      const auto nearest =
          std::min_element(up.centre.begin(), up.centre.end(),
                           [x](double a, double b) { return std::abs(a - x) < std::abs(b - x); });
      svg.line({*nearest, from}, {x, to}, {wire, 1.2, ""});
    }
  }

  const BuiltTopology& machine_;
  const MachineSpec& spec_;
  std::vector<Row> rows_, network_;
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
