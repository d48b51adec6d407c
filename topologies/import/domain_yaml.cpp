// The keys of one domain: what it holds, and how its members reach each other.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "topologies/builders/torus.hpp"
#include "topologies/import/machine_yaml.hpp"
#include "topologies/import/sourced_yaml.hpp"

namespace fabricast {
namespace {

// Sanity limits: far above any machine, low enough to catch a wrong unit.
constexpr int max_mesh_members = 128;  // a link for every two of them
constexpr double max_gb_per_s = 1e6;
constexpr double max_latency_us = 1e6;
constexpr std::int64_t max_channels = 64;  // NCCL's MAXCHANNELS

const std::array<std::string, 6> vendors{"nvidia", "amd", "intel", "google", "aws", "huawei"};
const std::array<std::string, 5> shapes{"switch", "full_mesh", "all_to_all", "cube_mesh", "torus"};
const std::array<std::string, 8> generations{"volta",  "turing",    "ampere", "ada",
                                             "hopper", "blackwell", "rubin",  "other"};

// A number the file may leave out: value 0, and a source that says so.
Sourced absent(std::string_view unit) {
  return {0, std::string(unit), Origin::assumed, "not given in the machine file"};
}

Sourced read_optional(const YamlCursor& parent, std::string_view key, Dimension dimension,
                      std::string_view unit, double max) {
  const auto at = parent.find(key);
  return at ? read_sourced(*at, dimension, unit, Range::positive(max)) : absent(unit);
}

GpuModel read_gpu(const YamlCursor& at) {
  GpuModel gpu;
  gpu.name = at.at("name").text();
  gpu.generation = at.at("generation").choice("generation", generations);
  gpu.hbm_gb = read_optional(at, "hbm", Dimension::bytes, "GB", 1e5);
  gpu.hbm_tb_per_s = read_optional(at, "hbm_bandwidth", Dimension::bandwidth, "TB/s", 1e4);
  gpu.bf16_tflops = read_optional(at, "bf16", Dimension::compute, "TFLOPS", 1e6);
  gpu.fp8_tflops = read_optional(at, "fp8", Dimension::compute, "TFLOPS", 1e6);
  gpu.fp4_tflops = read_optional(at, "fp4", Dimension::compute, "TFLOPS", 1e6);
  gpu.power_w = read_optional(at, "power", Dimension::power, "W", 1e5);
  gpu.pcie_gb_per_s = read_optional(at, "pcie", Dimension::bandwidth, "GB/s", 1e4);
  if (const auto vendor = at.find("vendor")) gpu.vendor = vendor->choice("vendor", vendors);
  return gpu;
}

// The axes of a torus: their sizes make the members, their links the bandwidth of one.
void read_axes(const YamlCursor& interconnect, DomainSpec& domain) {
  const auto list = interconnect.at("axes");
  const auto items = list.items();
  if (items.empty() || items.size() > Torus::max_axes) {
    list.fail(fmt::format("{} axes; give one to {}", items.size(), Torus::max_axes));
  }
  double members = 1, links = 0, given = 0, length = 0;
  for (const auto& item : items) {
    const auto size = read_sourced_count(item.at("size"), "members", 1, max_domain_members);
    TorusAxis axis{static_cast<std::int32_t>(size.value), {}};
    if (const auto wraps = item.find("wraps")) axis.wraps = read_sourced_answer(*wraps).value != 0;
    if (const auto cube = item.find("cube")) {
      axis.cube =
          static_cast<std::int32_t>(read_sourced_count(*cube, "members", 1, axis.size).value);
      if (axis.size % axis.cube != 0) {
        cube->fail(fmt::format("{} members are no whole cubes of {}; give a divisor", axis.size,
                               axis.cube));
      }
    }
    const double ways = axis.size > 2 ? 2 : axis.size - 1;
    if (const auto bandwidth = item.find("bandwidth")) {
      axis.bandwidth = read_sourced(*bandwidth, Dimension::bandwidth, "GB/s",
                                    Range::between(min_link_gb_per_s, max_gb_per_s));
      given += ways * axis.bandwidth.value;
    } else {
      links += ways;
    }
    members *= axis.size;
    length += axis.wraps ? axis.size / 2 : axis.size - 1;
    domain.axes.push_back(axis);
  }
  if (members != domain.size.value) {
    list.fail(fmt::format("the axes hold {} members, the domain has {}; make them equal", members,
                          domain.size.value));
  }
  if (length > Route::max_domain_links) {
    list.fail(fmt::format("a route of {} links is too long (at most {}); give shorter axes", length,
                          Route::max_domain_links));
  }
  const Sourced& all = *domain.bandwidth;
  const double rest = all.value - given;
  if (links == 0 ? std::abs(rest) > 0.01 * all.value : rest <= 0) {
    list.fail(
        fmt::format("the links of a member carry {:.10g} GB/s, its bandwidth is {:.10g} GB/s; "
                    "make them equal",
                    given, all.value));
  }
  for (TorusAxis& axis : domain.axes) {
    if (axis.bandwidth.value > 0) continue;
    axis.bandwidth = {rest / links, all.unit, all.origin,
                      fmt::format("{:.10g} GB/s over {} links: {}", rest, links, all.source)};
  }
}

// Of a domain cut down to one member the interconnect is read for its form, and not used.
void read_interconnect(const YamlCursor& machine, std::span<const std::string> kinds, bool cut,
                       DomainSpec& domain) {
  const auto at = machine.find("interconnect");
  const bool alone = domain.size.value == 1;
  if (alone && at && !cut) at->fail("a domain with one member has no interconnect; remove it");
  if (alone && !at) return;
  if (!at) static_cast<void>(machine.at("interconnect"));  // reports the missing key
  const std::string kind = at->at("kind").choice("interconnect", kinds);
  for (const auto candidate : {LinkKind::nvlink, LinkKind::pcie, LinkKind::shared_memory}) {
    if (kind == to_string(candidate)) domain.kind = candidate;
  }
  domain.bandwidth = read_sourced(at->at("bandwidth"), Dimension::bandwidth, "GB/s",
                                  Range::between(min_link_gb_per_s, max_gb_per_s));
  domain.latency =
      read_sourced(at->at("latency"), Dimension::duration, "us", Range::positive(max_latency_us));
  if (const auto reduction = at->find("in_network_reduction")) {
    if (domain.kind != LinkKind::nvlink) {
      reduction->fail(fmt::format("{} has no switch that reduces; remove it", kind));
    }
    domain.in_network_reduction = read_sourced_answer(*reduction);
  }
  if (const auto shape = at->find("shape")) domain.shape = shape->choice("shape", shapes);
  if (domain.shape == "full_mesh" && domain.size.value > max_mesh_members) {
    at->at("shape").fail(fmt::format("{} members are too many for a full mesh (at most {})",
                                     domain.size.value, max_mesh_members));
  }
  if (domain.shape == "torus" && !alone) {
    read_axes(*at, domain);
  } else if (domain.shape == "torus") {
    static_cast<void>(at->find("axes"));
  }
  if (const auto links = at->find("links")) {
    domain.links = read_sourced_count(*links, "links", 1, 256);
  }
  if (const auto chips = at->find("switches")) {
    domain.switches = read_sourced_count(*chips, "switches", 1, 1024);
  }
  if (!alone) return;
  domain.bandwidth.reset();
  domain.latency.reset();
  domain.in_network_reduction.reset();
}

void read_scale_out(const YamlCursor& machine, MachineSpec& spec) {
  const auto at = machine.find("scale_out");
  if (!at) return;
  spec.scale_out = ScaleOutSpec{at->at("fabric").text(), read_channels(at->at("channels"))};
}

// Keys of single_node and nvl_rack, which may also stand under `node:`.
void read_gpu_domain(const YamlCursor& at, const std::string& kind, bool cut, MachineSpec& spec) {
  auto& domain = spec.domain;
  domain.member = "gpu";
  if (kind == "nvl_rack") {
    domain.noun = "rack";
    const auto trays = read_sourced_count(at.at("trays"), "trays", 1, 1024);
    const auto per_tray = read_sourced_count(at.at("gpus_per_tray"), "GPUs", 1, 64);
    domain.members_per_tray = static_cast<std::int32_t>(per_tray.value);
    domain.size = {trays.value * per_tray.value, "GPUs", std::max(trays.origin, per_tray.origin),
                   fmt::format("{} trays x {} GPUs: {}; {}", trays.value, per_tray.value,
                               trays.source, per_tray.source)};
    if (domain.size.value > max_domain_members) {
      at.fail(fmt::format("{} GPUs in a rack are too many (at most {}); use kind: nested",
                          domain.size.value, max_domain_members));
    }
  } else {
    domain.noun = "node";
    domain.size = read_sourced_count(at.at("gpus"), "GPUs", 1, max_domain_members);
  }
  spec.gpu = read_gpu(at.at("gpu"));
  read_interconnect(at, std::array<std::string, 2>{"nvlink", "pcie"}, cut, domain);
  domain.channels = read_channels(at.at("channels"));
  spec.channels = domain.channels;
  read_scale_out(at, spec);
}

void read_host_domain(const YamlCursor& at, bool cut, MachineSpec& spec) {
  const auto processor = at.at("processor");
  spec.gpu.name = "host_core";
  spec.gpu.generation = "host";
  spec.gpu.hbm_gb =
      read_sourced(processor.at("memory"), Dimension::bytes, "GB", Range::positive(1e7));
  spec.gpu.hbm_tb_per_s = absent("TB/s");
  spec.gpu.bf16_tflops = absent("TFLOPS");
  spec.gpu.fp8_tflops = absent("TFLOPS");
  spec.gpu.power_w = absent("W");
  spec.gpu.fp4_tflops = absent("TFLOPS");
  spec.gpu.pcie_gb_per_s = absent("GB/s");
  spec.processor = ProcessorSpec{processor.at("name").text(),
                                 read_optional(processor, "llc", Dimension::bytes, "MB", 1e6)};
  auto& domain = spec.domain;
  domain.noun = "host";
  domain.member = "lane";
  domain.size = read_sourced_count(at.at("lanes"), "lanes", 1, max_domain_members);
  read_interconnect(at, std::array<std::string, 1>{"shared_memory"}, cut, domain);
  domain.channels = read_channels(at.at("channels"));
  spec.channels = domain.channels;
}

}  // namespace

Sourced read_channels(const YamlCursor& at) {
  return read_sourced_count(at, "channels", 1, max_channels);
}

void read_domain(const YamlCursor& at, const std::string& kind, bool cut, MachineSpec& spec) {
  if (kind == "host") {
    read_host_domain(at, cut, spec);
  } else {
    read_gpu_domain(at, kind, cut, spec);
  }
}

}  // namespace fabricast
