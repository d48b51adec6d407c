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

// Some nodes have slower NICs: between the machine of all fast and that of all slow ones, folded or
// not.
TEST(UnlikeNodes, TakeNoLessThanFastAndNoMoreThanSlowOnes) {
  const auto machine = [](int fast, int slow, const char* first_rate) {
    std::string yaml = fmt::format(
        "name: m\ntitle: m\nkind: nested\nnode: hgx-h100\ncount: [{}, assumed, t]\n"
        "channels: [8, assumed, t]\nfabric:\n  kind: rail_fat_tree\n  name: infiniband\n"
        "  nic: {{bandwidth: [{}, assumed, t], latency: [3 us, assumed, t]}}\n"
        "  rails: [8, assumed, t]\n  radix: [64, assumed, t]\n  tiers: [2, assumed, t]\n"
        "  hop_latency: [0.5 us, assumed, t]\n  domains_per_leaf: [2, assumed, t]\n",
        fast, first_rate);
    if (slow > 0) {
      yaml += fmt::format(
          "others:\n  - {{count: [{}, assumed, t], nic: {{bandwidth: [100 Gbit/s, assumed, "
          "t]}}}}\n",
          slow);
    }
    return parse_machine(yaml, "m.yaml");
  };
  const auto all_fast = machine(8, 0, "400 Gbit/s"), all_slow = machine(8, 0, "100 Gbit/s");
  const auto mixed = machine(6, 2, "400 Gbit/s");
  const auto values = values_of(prior_profile(*all_fast, ExecutorKind::nccl));
  EngineOptions unfolded;
  unfolded.fold = false;
  int slower = 0;
  for (const Collective collective :
       {Collective::all_reduce, Collective::all_gather, Collective::all_to_all}) {
    for (const auto& algorithm : offered_algorithms(*mixed, ExecutorKind::nccl, collective)) {
      PointSpec point;
      point.collective = collective;
      point.algorithm = algorithm;
      point.bytes = 64 << 20;
      const auto time = [&](const Topology& of) {
        auto its = values;
        its["nic.bandwidth"] = of.link_classes()[1].bandwidth.value;
        const auto made = build_case(of, its, point);
        const SimDuration folded = evaluate_case(made, {}).time;
        EXPECT_EQ(folded, evaluate_case(made, unfolded).time) << algorithm;
        return folded;
      };
      const SimDuration fast = time(*all_fast), some = time(*mixed), slow = time(*all_slow);
      EXPECT_LE(fast, some) << to_string(collective) << ' ' << algorithm;
      // A lane's messages over links of unlike classes are charged one after another, those of one
      // class by the class's busiest link: a few per cent where a node of a tree has both.
      EXPECT_LE(to_us(some), 1.03 * to_us(slow)) << to_string(collective) << ' ' << algorithm;
      slower += some > fast ? 1 : 0;
    }
  }
  EXPECT_GT(slower, 5);
}

}  // namespace
}  // namespace fabricast
