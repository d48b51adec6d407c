#include "emulator/cost/forward_model.hpp"

#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

CollectiveCase make(const Topology& topology, Collective collective, const std::string& algorithm,
                    Protocol protocol, std::int64_t bytes, std::int32_t channels = 0) {
  PointSpec point;
  point.collective = collective;
  point.algorithm = algorithm;
  point.protocol = protocol;
  point.bytes = bytes;
  point.channels = channels;
  return build_case(topology, values_of(prior_profile(topology, ExecutorKind::nccl)), point);
}

// Ring all-reduce moves 2 (p - 1) / p of the message over every NVLink in each direction.
TEST(ForwardModel, RingLoadsAreTheTextbookOnes) {
  const auto box = load_machine("hgx-h100");
  const std::int64_t bytes = 8LL * 24 * 1024 * 1024;
  const auto simple = make(*box, Collective::all_reduce, "ring", Protocol::simple, bytes);
  ASSERT_EQ(simple.loads.size(), 1u);
  EXPECT_EQ(simple.loads[0].links, 16);
  EXPECT_EQ(simple.loads[0].busiest_bytes, bytes * 2 * 7 / 8);
  EXPECT_EQ(simple.loads[0].total_bytes, 16 * simple.loads[0].busiest_bytes);
  EXPECT_EQ(simple.loads[0].capacity.value(), 450'000'000'000);
  const auto ll = make(*box, Collective::all_reduce, "ring", Protocol::ll, bytes);
  EXPECT_EQ(ll.loads[0].busiest_bytes, 2 * simple.loads[0].busiest_bytes);
}

TEST(ForwardModel, BoundIsBytesOverNominalRate) {
  const auto box = load_machine("hgx-h100");
  const auto made = make(*box, Collective::all_gather, "ring", Protocol::simple, 450'000'000LL * 8);
  EXPECT_NEAR(to_us(made.bandwidth_bound), 7000.0, 1.0);
}

TEST(ForwardModel, PairwiseLoadsCountEveryPairOnce) {
  const auto two = with_ranks(load_machine("hgx-h100x1260"), 16);
  const std::int64_t bytes = 16 * 1024;
  const auto made = make(*two, Collective::all_to_all, "pairwise", Protocol::simple, bytes, 1);
  for (const LinkLoad& load : made.loads) {
    const LinkKind kind = two->link_classes()[load.link_class.value()].kind;
    // 16 senders to 7 peers in the box and 8 outside, over two links each, 1 KiB.
    if (kind == LinkKind::nvlink) {
      EXPECT_EQ(load.total_bytes, 16 * 7 * 2 * 1024);
    } else if (kind == LinkKind::nic) {
      EXPECT_EQ(load.total_bytes, 16 * 8 * 2 * 1024);
    }
  }
}

TEST(ForwardModel, EqualChannelsAreEvaluatedOnce) {
  const auto box = load_machine("hgx-h100");
  const auto ring = make(*box, Collective::all_reduce, "ring", Protocol::simple, 1 << 30);
  EXPECT_EQ(ring.plan.channels.size(), 24u);
  EXPECT_EQ(ring.channel_classes.size(), 1u);
  EXPECT_EQ(ring.channel_classes.front().channels.size(), 24u);
  const auto tree = make(*box, Collective::all_reduce, "tree", Protocol::simple, 1 << 30);
  std::size_t covered = 0;
  for (const auto& channels : tree.channel_classes) covered += channels.channels.size();
  EXPECT_EQ(covered, 24u);
}

TEST(ForwardModel, MissingParameterSaysWhich) {
  const auto box = load_machine("hgx-h100");
  auto values = values_of(prior_profile(*box, ExecutorKind::nccl));
  values.erase("cta.copy_bw");
  PointSpec point;
  point.algorithm = "ring";
  point.bytes = 1024;
  try {
    build_case(*box, values, point);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("cta.copy_bw"), std::string::npos);
  }
  point.bytes = 0;
  EXPECT_THROW(build_case(*box, values, point), UsageError);
}

TEST(ForwardModel, HierarchicalNeedsTwoLevels) {
  const auto box = load_machine("hgx-h100");
  EXPECT_THROW(make(*box, Collective::all_reduce, "hierarchical", Protocol::simple, 1024),
               UsageError);
}

}  // namespace
}  // namespace fabricast
