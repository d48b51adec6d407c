#include "topologies/import/machine_yaml.hpp"

#include <array>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "topologies/import/sourced_yaml.hpp"

namespace fabricast {
namespace {

// Sanity limits: far above any machine, low enough to catch a wrong unit.
constexpr std::int64_t max_members = 4096;
constexpr std::int64_t max_domains = 1'000'000;
constexpr std::int64_t max_ranks = std::int64_t{1} << 23;
constexpr double max_gb_per_s = 1e6;
constexpr double max_latency_us = 1e6;
constexpr std::int64_t max_channels = 64;  // NCCL's MAXCHANNELS

const std::array<std::string, 4> machine_kinds{"single_node", "nvl_rack", "host", "nested"};
const std::array<std::string, 3> node_kinds{"single_node", "nvl_rack", "host"};
const std::array<std::string, 8> generations{"volta",  "turing",    "ampere", "ada",
                                             "hopper", "blackwell", "rubin",  "other"};

std::string read_name(const YamlCursor& at) {
  const std::string name = at.text();
  const bool clean =
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos;
  if (!clean || name.front() == '.' || name.front() == '-') {
    at.fail(
        fmt::format("\"{}\" is no name (it is used in commands and file names); use lower-case "
                    "letters, digits, - and _",
                    name));
  }
  return name;
}

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
  gpu.power_w = read_optional(at, "power", Dimension::power, "W", 1e5);
  return gpu;
}

Sourced read_channels(const YamlCursor& at) {
  return read_sourced_count(at, "channels", 1, max_channels);
}

void read_interconnect(const YamlCursor& machine, std::span<const std::string> kinds,
                       DomainSpec& domain) {
  const auto at = machine.find("interconnect");
  if (domain.size.value == 1) {
    if (at) at->fail("a domain with one member has no interconnect; remove it");
    return;
  }
  if (!at) static_cast<void>(machine.at("interconnect"));  // reports the missing key
  const std::string kind = at->at("kind").choice("interconnect", kinds);
  for (const auto candidate : {LinkKind::nvlink, LinkKind::pcie, LinkKind::shared_memory}) {
    if (kind == to_string(candidate)) domain.kind = candidate;
  }
  domain.bandwidth = read_sourced(at->at("bandwidth"), Dimension::bandwidth, "GB/s",
                                  Range::positive(max_gb_per_s));
  domain.latency =
      read_sourced(at->at("latency"), Dimension::duration, "us", Range::positive(max_latency_us));
  if (const auto reduction = at->find("in_network_reduction")) {
    if (domain.kind != LinkKind::nvlink) {
      reduction->fail(fmt::format("{} has no switch that reduces; remove it", kind));
    }
    domain.in_network_reduction = read_sourced_answer(*reduction);
  }
}

// Keys of single_node and nvl_rack, which may also stand under `node:`.
void read_gpu_domain(const YamlCursor& at, const std::string& kind, MachineSpec& spec) {
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
    if (domain.size.value > max_members) {
      at.fail(fmt::format("{} GPUs in a rack are too many (at most {}); use kind: nested",
                          domain.size.value, max_members));
    }
  } else {
    domain.noun = "node";
    domain.size = read_sourced_count(at.at("gpus"), "GPUs", 1, max_members);
  }
  spec.gpu = read_gpu(at.at("gpu"));
  read_interconnect(at, std::array<std::string, 2>{"nvlink", "pcie"}, domain);
  domain.channels = read_channels(at.at("channels"));
  spec.channels = domain.channels;
}

void read_host_domain(const YamlCursor& at, MachineSpec& spec) {
  const auto processor = at.at("processor");
  spec.gpu.name = "host_core";
  spec.gpu.generation = "host";
  spec.gpu.hbm_gb =
      read_sourced(processor.at("memory"), Dimension::bytes, "GB", Range::positive(1e7));
  spec.gpu.hbm_tb_per_s = absent("TB/s");
  spec.gpu.bf16_tflops = absent("TFLOPS");
  spec.gpu.fp8_tflops = absent("TFLOPS");
  spec.gpu.power_w = absent("W");
  spec.processor = ProcessorSpec{processor.at("name").text(),
                                 read_optional(processor, "llc", Dimension::bytes, "MB", 1e6)};
  auto& domain = spec.domain;
  domain.noun = "host";
  domain.member = "lane";
  domain.size = read_sourced_count(at.at("lanes"), "lanes", 1, max_members);
  read_interconnect(at, std::array<std::string, 1>{"shared_memory"}, domain);
  domain.channels = read_channels(at.at("channels"));
  spec.channels = domain.channels;
}

void read_domain(const YamlCursor& at, const std::string& kind, MachineSpec& spec) {
  if (kind == "host") {
    read_host_domain(at, spec);
  } else {
    read_gpu_domain(at, kind, spec);
  }
}

void read_named_node(const YamlCursor& at, const FindMachine& find, MachineSpec& spec) {
  const std::string name = at.text();
  MachineText text;
  try {
    text = find(name);
  } catch (const UsageError& error) {
    at.fail(error.what());
  }
  const auto kind = YamlCursor::parse(text.yaml, text.file).find("kind");
  if (kind && kind->is_scalar() && kind->text() == "nested") {
    at.fail(fmt::format("\"{}\" is itself nested; name a machine of one domain", name));
  }
  const MachineSpec node = read_machine(text.yaml, text.file, find);
  spec.gpu = node.gpu;
  spec.processor = node.processor;
  spec.domain = node.domain;
  // The trace echoes the machine as read: keep the text that the name stood for.
  spec.yaml += fmt::format("\n# node: {}\n#   ", name);
  for (const char c : text.yaml) spec.yaml += c == '\n' ? std::string("\n#   ") : std::string(1, c);
  spec.yaml += '\n';
}

void read_nested(const YamlCursor& root, const FindMachine& find, MachineSpec& spec) {
  const auto node = root.at("node");
  if (node.is_scalar()) {
    read_named_node(node, find, spec);
  } else {
    read_domain(node, node.at("kind").choice("kind of node", node_kinds), spec);
  }
  const auto count = root.at("count");
  spec.domains = read_sourced_count(count, spec.domain.noun + "s", 2, max_domains);
  if (spec.domains.value * spec.domain.size.value > static_cast<double>(max_ranks)) {
    count.fail(fmt::format("{} x {} {}s are too many (at most {}); lower the count",
                           spec.domains.value, spec.domain.size.value, spec.domain.member,
                           max_ranks));
  }
  spec.channels = read_channels(root.at("channels"));
  spec.fabric =
      read_fabric(root.at("fabric"), spec.domain, static_cast<std::int64_t>(spec.domains.value));
}

}  // namespace

MachineSpec read_machine(std::string_view yaml, const std::string& file, const FindMachine& find) {
  const auto root = YamlCursor::parse(yaml, file);
  MachineSpec spec;
  spec.yaml = yaml;
  spec.name = read_name(root.at("name"));
  spec.title = root.at("title").text();
  spec.kind = root.at("kind").choice("kind of machine", machine_kinds);
  if (spec.kind == "nested") {
    read_nested(root, find, spec);
  } else {
    read_domain(root, spec.kind, spec);
  }
  root.finish();
  return spec;
}

}  // namespace fabricast
