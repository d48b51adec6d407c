#include "emulator/cli/machine_show.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "topologies/builders/structure.hpp"
#include "topologies/model/machine_cost.hpp"

namespace fabricast {
namespace {

void print_number(std::string_view name, const Sourced& number) {
  if (number.value == 0) {
    fmt::print("  {:<24} {:>16}\n", name, "not given");
    return;
  }
  fmt::print("  {:<24} {:>9.6g} {:<6}  {:<9}  {}\n", name, number.value, number.unit,
             to_string(number.origin), number.source);
}

void print_route(const Topology& machine, std::int32_t from, std::int32_t to) {
  for (const std::int32_t rank : {from, to}) {
    if (rank < 0 || rank >= machine.ranks()) {
      throw UsageError(fmt::format("rank {} does not exist (the machine {} has {}); give 0 to {}",
                                   rank, machine.name(), machine.ranks(), machine.ranks() - 1));
    }
  }
  const Route route = machine.route(RankId::from(from), RankId::from(to));
  fmt::print("\nroute from rank {} to rank {}: {} links\n", from, to, route.count);
  double latency = 0, slowest = 0;
  std::string narrowest;
  for (const LinkId link : route.span()) {
    const auto& link_class = machine.link_classes()[machine.link_class(link).value()];
    latency += link_class.latency.value;
    if (slowest == 0 || link_class.bandwidth.value < slowest) {
      slowest = link_class.bandwidth.value;
      narrowest = machine.link_name(link);
    }
    fmt::print("  {:<44} {:>9.6g} GB/s {:>8.4g} us\n", machine.link_name(link),
               link_class.bandwidth.value, link_class.latency.value);
  }
  if (route.count == 0) return;
  fmt::print("  {:<44} {:>9.6g} GB/s {:>8.4g} us\n", "narrowest, and sum of latencies", slowest,
             latency);
  fmt::print("bounds on one message over it\n");
  fmt::print("  {:<44} {:>18.4g} us   latency of its links; a GPU's hand-off comes on top\n",
             "nothing arrives before", latency);
  fmt::print("  {:<44} {:>9.6g} GB/s          {}\n", "no rate above", slowest, narrowest);
  constexpr double gib = 1024.0 * 1024 * 1024;
  fmt::print("  {:<44} {:>18.4g} ms\n", "1 GiB takes at least",
             latency / 1e3 + gib / slowest / 1e6);
}

// What no schedule can beat, whatever the algorithm.
void print_structure(const Topology& machine) {
  const auto* built = dynamic_cast<const BuiltTopology*>(&machine);
  if (built == nullptr || machine.ranks() < 2) return;
  const Structure structure = structure_of(*built);
  fmt::print("\nstructure\n");
  fmt::print("  {:<24} {:>9} links   {:.4g} us\n", "diameter", structure.diameter_links,
             structure.diameter_us);
  fmt::print("  {:<24} {:>9.6g} GB/s    one way, at {}; {:.4g} GB/s for each rank of a half\n",
             "bisection", structure.bisection_gb_per_s, structure.bisection_level,
             structure.bisection_gb_per_s / (machine.ranks() / 2.0));
}

void print_gpu(const GpuModel& gpu) {
  fmt::print("\n{} ({})\n", gpu.name, gpu.generation);
  print_number("memory", gpu.hbm_gb);
  if (gpu.generation == "host") return;
  print_number("memory bandwidth", gpu.hbm_tb_per_s);
  print_number("BF16, dense", gpu.bf16_tflops);
  print_number("FP8, dense", gpu.fp8_tflops);
  print_number("power", gpu.power_w);
}

// Which ranks are in which kind of domain; nothing where all are alike.
void print_kinds(const MachineSpec& spec) {
  if (spec.others.empty()) return;
  const auto size = static_cast<std::int64_t>(spec.domain.size.value);
  std::int64_t first = 0;
  const auto print = [&](std::int64_t domains, std::int32_t in_node, const GpuModel& gpu,
                         const Sourced& nic) {
    fmt::print("  {:>6} {}{} of {}{}, {:.6g} GB/s per NIC: ranks {} to {}\n", domains,
               spec.domain.noun, domains == 1 ? "" : "s", gpu.name,
               in_node == 1 ? "" : fmt::format(", {} in one", in_node), nic.value, first * size,
               (first + domains) * size - 1);
    first += domains;
  };
  print(spec.first_domains(), spec.domain.domains_per_node, spec.gpu, spec.fabric->nic_bandwidth);
  for (const DomainPart& part : spec.others) {
    print(static_cast<std::int64_t>(part.domains.value), part.domain.domains_per_node, part.gpu,
          part.nic_bandwidth);
  }
}

// Of what each kind of domain draws and costs, after the name of its GPU where there are several.
void print_part_cost(const CostSpec& cost, const std::string& noun, const std::string& of) {
  if (cost.domain_power_kw) print_number(noun + " power" + of, *cost.domain_power_kw);
  if (cost.facility_overhead) print_number("facility overhead" + of, *cost.facility_overhead);
  if (cost.usd_per_gpu_hour) print_number("USD per GPU-hour" + of, *cost.usd_per_gpu_hour);
  if (cost.usd_per_gpu) print_number("USD per GPU, to build" + of, *cost.usd_per_gpu);
}

// Power of the whole facility, and what an hour of the machine costs.
void print_cost(const Topology& machine) {
  const auto* built = dynamic_cast<const BuiltTopology*>(&machine);
  if (built == nullptr) return;
  const MachineSpec& spec = built->spec();
  const RunningCost whole = running_cost(spec, machine.ranks());
  const auto known = [](const CostSpec& cost) {
    return cost.domain_power_kw || cost.usd_per_gpu_hour || cost.usd_per_gpu;
  };
  const bool by_domain = whole.counts.starts_with(spec.domain.noun);
  if (!known(spec.cost) && std::none_of(spec.others.begin(), spec.others.end(),
                                        [&](const DomainPart& part) { return known(part.cost); })) {
    return;
  }
  fmt::print("\npower and price\n");
  print_part_cost(spec.cost, spec.domain.noun, spec.others.empty() ? "" : ", " + spec.gpu.name);
  for (const DomainPart& part : spec.others) {
    if (part.gpu.name != spec.gpu.name) {
      print_part_cost(part.cost, spec.domain.noun, ", " + part.gpu.name);
    }
  }
  if (by_domain) {
    fmt::print("  {:<24} {:>9.6g} MW      {}\n", "whole facility", whole.watts / 1e6, whole.counts);
  }
  if (whole.usd_per_hour > 0) {
    fmt::print("  {:<24} {:>9.6g} USD per hour, price of {}\n", "whole machine", whole.usd_per_hour,
               whole.price_date);
  }
  if (whole.capital_usd > 0) {
    fmt::print("  {:<24} {:>9.4g} billion USD", "whole machine", whole.capital_usd / 1e9);
    if (by_domain) {
      fmt::print(", {:.4g} billion per GW", whole.capital_usd / whole.watts);
    }
    fmt::print("\n");
  }
}

}  // namespace

void show_machine(const Topology& machine, const ShownRoute& route) {
  const auto& space = machine.space();
  const auto* built = dynamic_cast<const BuiltTopology*>(&machine);
  fmt::print("{}: {}\n", machine.name(), machine.title());
  fmt::print("  {} ranks = {} domain{} of {}; {} directed links; fabric {}\n", machine.ranks(),
             space.domains(), space.domains() == 1 ? "" : "s", space.domain_size(), machine.links(),
             machine.fabric());
  if (built != nullptr) print_kinds(built->spec());
  print_gpu(machine.gpu());
  for (const DomainPart& part :
       built != nullptr ? built->spec().others : std::vector<DomainPart>()) {
    if (part.gpu.name != machine.gpu().name) print_gpu(part.gpu);
  }
  print_number("channels", machine.channels());
  fmt::print("\nlinks, per direction\n");
  for (const auto& link_class : machine.link_classes()) {
    print_number(link_class.name + " bandwidth", link_class.bandwidth);
    print_number(link_class.name + " latency", link_class.latency);
  }
  print_structure(machine);
  print_cost(machine);
  if (route.from >= 0 || route.to >= 0) {
    print_route(machine, std::max(route.from, 0), route.to >= 0 ? route.to : machine.ranks() - 1);
  }
}

}  // namespace fabricast
