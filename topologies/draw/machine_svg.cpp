#include "topologies/draw/machine_svg.hpp"

#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/svg.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/draw/machine_rows.hpp"
#include "topologies/draw/torus_picture.hpp"

namespace fabricast {
namespace {

using Style = PictureStyle;

constexpr double first_panel = 140, heading = 20, between = 50;

std::string facts(const BuiltTopology& machine) {
  const MachineSpec& spec = machine.spec();
  std::string text = fmt::format("{} {}s = {} x {}", machine.ranks(), member_noun(spec),
                                 machine.space().domains(), machine.space().domain_size());
  const auto& gpu = machine.gpu();
  if (gpu.hbm_gb.value > 0) text += fmt::format(";  {} {:.4g} GB", gpu.name, gpu.hbm_gb.value);
  if (gpu.bf16_tflops.value > 0) text += fmt::format(", {:.5g} TFLOPS BF16", gpu.bf16_tflops.value);
  for (const DomainPart& part : spec.others) {
    if (part.gpu.name != gpu.name) text += fmt::format(", and {}", part.gpu.name);
  }
  if (spec.fabric) {
    const FabricSpec& fabric = *spec.fabric;
    text += fmt::format(";  {}, ", fabric.name);
    text += fabric.kind == "dragonfly"
                ? "dragonfly"
                : fmt::format("{} tier{}", fabric.tiers, fabric.tiers == 1 ? "" : "s");
    text += fmt::format(", {} rail{}", fabric.rails, fabric.rails == 1 ? "" : "s");
    if (fabric.kind == "rail_only") text += " that nothing joins";
    if (fabric.planes > 1) text += fmt::format(", {} planes", fabric.planes);
  }
  if (spec.announced) text += ";  announced, not on sale";
  return text;
}

std::string network_caption(const FabricSpec& fabric) {
  if (fabric.kind == "dragonfly") return "rates are one way; all links of a group are one number";
  std::string text = "rates are one way; all uplinks of a switch, or of a layer, are one line";
  if (fabric.kind == "rail_only") text += "; to another rail only through a node";
  return text;
}

class Drawing {
 public:
  explicit Drawing(const BuiltTopology& machine)
      : machine_(machine),
        network_(network_rows(machine)),
        group_(group_rows(machine)),
        node_(node_rows(machine)) {
    for (const DomainPart& part : machine.spec().others)
      others_.push_back(node_rows(machine, &part));
  }

  std::string draw() {
    const MachineSpec& spec = machine_.spec();
    const bool torus = !spec.domain.axes.empty();
    double height = first_panel;
    for (const auto* rows : {&network_, &group_}) height += panel_height(height_of(*rows));
    height +=
        panel_height((torus ? torus_height(spec.domain) + between / 2 : 0) + height_of(node_));
    for (const auto& rows : others_) height += panel_height(height_of(rows));
    Svg svg(Style::width, height, spec.name, spec.title);
    svg.rectangle({0, 0}, Style::width, height, "#ffffff");
    svg.text({Style::margin, 46}, spec.name, {22, Style::ink, Svg::Anchor::start, true, 0});
    svg.text({Style::margin, 70}, spec.title, {14, Style::quiet, Svg::Anchor::start, false, 0});
    svg.text({Style::margin, 92}, facts(machine_),
             {13, Style::quiet, Svg::Anchor::start, false, 0});
    double y = first_panel;
    if (!network_.empty()) y = panel(svg, y, "Cluster", network_caption(*spec.fabric), network_);
    if (!group_.empty()) {
      const bool routers = spec.fabric->kind == "dragonfly";
      y = panel(svg, y, "One group",
                routers ? "its routers, and what hangs on them" : "what hangs on the same leaves",
                group_);
    }
    const std::string noun = "One " + spec.domain.noun;
    if (torus) {
      title(svg, y, noun, torus_caption(spec.domain));
      draw_torus(svg, y + heading, spec.domain, member_noun(spec));
      y += torus_height(spec.domain) + between / 2;
      draw_rows(svg, y + heading, node_);
    } else if (others_.empty()) {
      panel(svg, y, noun, spec.fabric ? "and how it leaves the box" : "", node_);
    } else {
      draw_kinds(svg, y, "One " + spec.node_noun());
    }
    return svg.finish();
  }

 private:
  // A node of each kind, and which nodes are of it.
  void draw_kinds(Svg& svg, double y, const std::string& noun) const {
    const MachineSpec& spec = machine_.spec();
    std::int64_t first = 0;
    const auto draw = [&](std::int64_t domains, std::int32_t parts, const GpuModel& gpu,
                          const std::vector<PictureRow>& rows) {
      std::string which =
          fmt::format("{}s {} to {}, {}", spec.domain.noun, first, first + domains - 1, gpu.name);
      if (parts > 1) which += fmt::format("; {} of them in one", parts);
      first += domains;
      y = panel(svg, y, noun, which, rows);
    };
    draw(spec.first_domains(), spec.domain.domains_per_node, spec.gpu, node_);
    for (std::size_t i = 0; i < others_.size(); ++i) {
      const DomainPart& part = spec.others[i];
      draw(static_cast<std::int64_t>(part.domains.value), part.domain.domains_per_node, part.gpu,
           others_[i]);
    }
  }

  static double panel_height(double rows) { return rows == 0 ? 0 : rows + heading + between; }

  static std::string torus_caption(const DomainSpec& domain) {
    std::string sizes;
    for (const TorusAxis& axis : domain.axes) {
      sizes += fmt::format("{}{}", sizes.empty() ? "" : " x ", axis.size);
    }
    return fmt::format("{} torus{}", sizes,
                       domain.axes.size() > 2 ? "; left: one plane, right: the planes" : "");
  }

  static void title(Svg& svg, double y, std::string_view name, std::string_view rest) {
    svg.heading({Style::margin, y}, name, rest, {13, Style::quiet, Svg::Anchor::start, false, 0},
                {15, Style::ink, Svg::Anchor::start, true, 0});
  }

  static double panel(Svg& svg, double y, std::string_view name, std::string_view rest,
                      const std::vector<PictureRow>& rows) {
    title(svg, y, name, rest);
    draw_rows(svg, y + heading, rows);
    return y + panel_height(height_of(rows));
  }

  const BuiltTopology& machine_;
  std::vector<PictureRow> network_, group_, node_;
  std::vector<std::vector<PictureRow>> others_;  // nodes of the other kinds
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
