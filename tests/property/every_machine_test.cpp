// Every machine that ships, at the scale of a rack: all-reduce and all-to-all are emulated, and no
// prediction beats what the links, the bisection and the nearest hop allow.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "emulator/cost/forward_model.hpp"
#include "emulator/sim/predict.hpp"
#include "topologies/builders/structure.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Not more than 512 members of a domain; of a torus whole lines, or planes.
std::int32_t part_of(const Topology& machine) {
  std::int32_t members = 1;
  for (const TorusAxis& axis : dynamic_cast<const BuiltTopology&>(machine).spec().domain.axes) {
    if (members * axis.size > 512) break;
    members *= axis.size;
  }
  return members == 1 ? 512 : members;
}

// One domain of a single one, else the two smallest ends of a network.
std::shared_ptr<const Topology> rack_of(const std::string& name) {
  const auto machine = load_machine(name);
  const std::int32_t domain = machine->space().domain_size();
  if (machine->space().domains() == 1) {
    return domain > 512 ? with_ranks(machine, part_of(*machine)) : machine;
  }
  return with_ranks(machine, 2 * domain);
}

double latency_us(const Topology& machine, std::int32_t peer) {
  double us = 0;
  const Route route = machine.route(RankId(0), RankId::from(peer));
  for (const LinkId link : route.span()) {
    us += machine.link_classes()[machine.link_class(link).value()].latency.value;
  }
  return us;
}

// Bytes that must cross the middle one way.
double crossing(Collective collective, std::int32_t ranks, std::int64_t bytes) {
  if (collective == Collective::all_reduce) return static_cast<double>(bytes);
  const double half = ranks / 2;
  return half * (ranks - half) * static_cast<double>(bytes) / ranks;
}

TEST(EveryMachine, StaysInsideItsBounds) {
  for (const auto& listing : list_machines()) {
    const auto machine = rack_of(listing.name);
    const auto values = values_of(prior_profile(*machine, ExecutorKind::nccl));
    const Structure structure = structure_of(dynamic_cast<const BuiltTopology&>(*machine));
    const std::int32_t l = machine->space().domain_size();
    const double hop = latency_us(*machine, machine->space().domains() > 1 ? l : 1);
    Forward forward(*machine);
    for (const auto& [collective, algorithm] : {std::pair{Collective::all_reduce, "ring"},
                                                std::pair{Collective::all_to_all, "pairwise"}}) {
      for (const std::int64_t bytes : {std::int64_t{8} << 10, std::int64_t{256} << 20}) {
        PointSpec point;
        point.collective = collective;
        point.algorithm = algorithm;
        point.bytes = bytes;
        const auto made = forward.build(values, point);
        const double us = static_cast<double>(forward.evaluate(made).time.value()) / 1e6;
        const std::string what = listing.name + " " + algorithm + " " + std::to_string(bytes);
        EXPECT_GE(us, static_cast<double>(made.bandwidth_bound.value()) / 1e6)
            << what << ": a link above its rate";
        EXPECT_GE(
            us, crossing(collective, machine->ranks(), bytes) / 1e3 / structure.bisection_gb_per_s)
            << what << ": more than the bisection";
        EXPECT_GE(us, hop) << what << ": sooner than the nearest hop";
        if (bytes > 1 << 20) {
          EXPECT_LE(us, 20 * static_cast<double>(made.bandwidth_bound.value()) / 1e6)
              << what << ": links mostly idle";
        }
      }
    }
  }
}

}  // namespace
}  // namespace fabricast
