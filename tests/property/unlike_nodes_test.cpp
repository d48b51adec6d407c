// Predictions for machines whose nodes are of several kinds.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "emulator/cost/case_builder.hpp"
#include "emulator/cost/forward_model.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/sim/predict.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Eight nodes with NICs of `first_rate`, of which the last have `rate`.
std::shared_ptr<const Topology> machine(const std::string& first_rate, int others = 0,
                                        const std::string& rate = "") {
  std::string yaml = fmt::format(
      "name: m\ntitle: m\nkind: nested\nnode: hgx-h100\ncount: [{}, assumed, t]\n"
      "channels: [8, assumed, t]\nfabric:\n  kind: rail_fat_tree\n  name: infiniband\n"
      "  nic: {{bandwidth: [{}, assumed, t], latency: [3 us, assumed, t]}}\n"
      "  rails: [8, assumed, t]\n  radix: [64, assumed, t]\n  tiers: [2, assumed, t]\n"
      "  hop_latency: [0.5 us, assumed, t]\n  domains_per_leaf: [2, assumed, t]\n",
      8 - others, first_rate);
  if (others > 0) {
    yaml += fmt::format(
        "others:\n  - {{count: [{}, assumed, t], nic: {{bandwidth: [{}, assumed, t]}}}}\n", others,
        rate);
  }
  return parse_machine(yaml, "m.yaml");
}

// Folded, and checked against unfolded.
double time_us(const Topology& machine, Collective collective, const std::string& algorithm,
               std::int64_t bytes) {
  auto values = values_of(prior_profile(*fabricast::machine("400 Gbit/s"), ExecutorKind::nccl));
  values["nic.bandwidth"] = machine.link_classes()[1].bandwidth.value;
  PointSpec point;
  point.collective = collective;
  point.algorithm = algorithm;
  point.bytes = bytes;
  const auto made = build_case(machine, values, point);
  EngineOptions unfolded;
  unfolded.fold = false;
  const SimDuration folded = evaluate_case(made, {}).time;
  EXPECT_EQ(folded, evaluate_case(made, unfolded).time) << algorithm;
  return to_us(folded);
}

// Between the machine of all fast and that of all slow nodes, whatever the ratio; and the fast one
// where there is next to none.
TEST(UnlikeNodes, TakeNoLessThanFastAndNoMoreThanSlowOnes) {
  const std::string fast = "400 Gbit/s";
  const auto all_fast = machine(fast);
  int slower = 0;
  for (const std::string rate : {"399.999999 Gbit/s", "300 Gbit/s", "200 Gbit/s", "100 Gbit/s"}) {
    const auto mixed = machine(fast, 3, rate), all_slow = machine(rate);
    ASSERT_EQ(mixed->kinds(), 2);
    for (const Collective collective :
         {Collective::all_reduce, Collective::all_gather, Collective::all_to_all}) {
      for (const auto& algorithm : offered_algorithms(*mixed, ExecutorKind::nccl, collective)) {
        for (const std::int64_t bytes : {std::int64_t{64} << 20, std::int64_t{1} << 30}) {
          const std::string what =
              rate + ' ' + std::string(to_string(collective)) + ' ' + algorithm;
          const double least = time_us(*all_fast, collective, algorithm, bytes);
          const double some = time_us(*mixed, collective, algorithm, bytes);
          const double most = time_us(*all_slow, collective, algorithm, bytes);
          EXPECT_LE(least, some * 1.000001) << what;
          EXPECT_LE(some, most * 1.000001) << what;
          slower += some > 1.01 * least ? 1 : 0;
        }
      }
    }
  }
  EXPECT_GT(slower, 20);
}

}  // namespace
}  // namespace fabricast
