#include "emulator/cost/protocol.hpp"

#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

PlanLimits nccl(Collective collective, const std::string& algorithm, Protocol protocol,
                const RankSpace& space, std::int64_t bytes, std::int32_t channels) {
  return plan_limits(ExecutorKind::nccl, collective, algorithm, protocol, space, bytes, channels);
}

TEST(Protocol, NamesRoundTripAndTyposGetAHint) {
  for (const auto protocol : {Protocol::none, Protocol::ll, Protocol::ll128, Protocol::simple}) {
    EXPECT_EQ(protocol_from_name(to_string(protocol)), protocol);
  }
  EXPECT_THROW(protocol_from_name("simpel"), UsageError);
}

TEST(Protocol, WireBytesCarryFlags) {
  EXPECT_EQ(wire_bytes(Protocol::ll, 8), 16);
  EXPECT_EQ(wire_bytes(Protocol::ll128, 120), 128);
  EXPECT_EQ(wire_bytes(Protocol::ll128, 1), 2);
  EXPECT_EQ(wire_bytes(Protocol::simple, 1000), 1000);
}

TEST(Protocol, SlotsOfARing) {
  const RankSpace box({8});
  const auto ring = [&box](Protocol protocol) {
    return nccl(Collective::all_reduce, "ring", protocol, box, 1 << 30, 24);
  };
  EXPECT_EQ(ring(Protocol::ll).max_chunk_bytes, 32 * 1024);
  EXPECT_EQ(ring(Protocol::ll128).max_chunk_bytes, 576'000);
  EXPECT_EQ(ring(Protocol::simple).max_chunk_bytes, 2 << 20);
  EXPECT_EQ(ring(Protocol::simple).max_slice_bytes, 1 << 20);
  // A slice is two of the eight steps.
  EXPECT_EQ(ring(Protocol::simple).fifo_depth, 4);
  EXPECT_GT(ring(Protocol::simple).fifo_depth, ring(Protocol::simple).max_slices);
  const auto tree = nccl(Collective::all_reduce, "tree", Protocol::simple, box, 1 << 30, 24);
  EXPECT_EQ(tree.max_slice_bytes, 512 * 1024);
  EXPECT_EQ(tree.fifo_depth, 8);
}

// Kernels for symmetric windows have no slots, and none speaks LL128 (nccl.md 1.7).
TEST(Protocol, FromMemoryToMemoryIsOneMessage) {
  const RankSpace box({8});
  for (const auto& [algorithm, collective] :
       {std::pair{"one_shot", Collective::all_reduce},
        std::pair{"two_shot", Collective::all_reduce}, std::pair{"direct", Collective::all_gather},
        std::pair{"direct", Collective::reduce_scatter}}) {
    EXPECT_EQ(protocols_of(ExecutorKind::nccl, collective, algorithm),
              (std::vector{Protocol::ll, Protocol::simple}));
    const auto limits = nccl(collective, algorithm, Protocol::simple, box, 1LL << 34, 24);
    const auto plan = make_plan(collective, algorithm, box, 1LL << 34, 4, limits);
    EXPECT_EQ(plan.loops, 1);
    EXPECT_EQ(plan.slices, 1);
  }
  // All of one_shot's bytes go to everyone, so fewer of them fill a thread block.
  EXPECT_GT(nccl(Collective::all_reduce, "one_shot", Protocol::ll, box, 16 << 10, 24).channels, 1);
  EXPECT_EQ(nccl(Collective::all_reduce, "two_shot", Protocol::ll, box, 16 << 10, 24).channels, 1);
}

// NCCL's rule worked through for 8 ranks: ring LL opens a channel per 512 threads x 64 B = 32 KiB.
TEST(Protocol, SmallMessagesUseFewerChannels) {
  const RankSpace box({8});
  const auto channels = [&box](Protocol protocol, std::int64_t bytes) {
    return nccl(Collective::all_reduce, "ring", protocol, box, bytes, 24).channels;
  };
  EXPECT_EQ(channels(Protocol::ll, 8 * 1024), 1);
  EXPECT_EQ(channels(Protocol::ll, 24 * 32 * 1024), 24);
  EXPECT_EQ(channels(Protocol::ll, 24 * 32 * 1024 - 1), 23);
  EXPECT_EQ(channels(Protocol::simple, 256 * 1024), 8);
  EXPECT_EQ(channels(Protocol::simple, 1LL << 33), 24);
}

TEST(Protocol, SendReceiveHasNoLl128AndCutsAtThePointToPointChunk) {
  const auto known = protocols_of(ExecutorKind::nccl, Collective::all_to_all);
  EXPECT_EQ(known, (std::vector{Protocol::ll, Protocol::simple}));
  EXPECT_EQ(nccl(Collective::all_to_all, "pairwise", Protocol::simple, RankSpace({8}), 1 << 30, 8)
                .max_slice_bytes,
            512 * 1024);
  EXPECT_EQ(
      nccl(Collective::all_to_all, "pairwise", Protocol::simple, RankSpace({8, 2}), 1 << 30, 8)
          .max_slice_bytes,
      128 * 1024);
}

// What is predicted must be what is measured: bench/harness runs cuda rows with Simple unless told.
TEST(Protocol, TheInterpreterHasAllForEverythingAndRunsWithSimpleUnlessTold) {
  const std::vector all{Protocol::ll, Protocol::ll128, Protocol::simple};
  EXPECT_EQ(protocols_of(ExecutorKind::cuda), all);
  for (const Collective collective : {Collective::all_reduce, Collective::all_to_all}) {
    EXPECT_EQ(protocols_of(ExecutorKind::cuda, collective), all);
    EXPECT_EQ(protocols_of(ExecutorKind::cuda, collective, "nvls"), all);
    EXPECT_EQ(usual_protocols(ExecutorKind::cuda, collective, "ring"),
              std::vector{Protocol::simple});
  }
  EXPECT_EQ(usual_protocols(ExecutorKind::nccl), all);
}

TEST(Protocol, NvlsAndPatHaveSimpleOnly) {
  for (const std::string algorithm : {"nvls", "pat"}) {
    EXPECT_EQ(protocols_of(ExecutorKind::nccl, Collective::all_gather, algorithm),
              std::vector{Protocol::simple});
  }
  EXPECT_EQ(protocols_of(ExecutorKind::nccl, Collective::all_gather, "ring").size(), 3u);
  EXPECT_EQ(protocols_of(ExecutorKind::host, Collective::all_gather, "pat"),
            std::vector{Protocol::none});
}

// 8 heads, 16 channels: a channel's share of 1 GiB is 64 MiB = 64 * 8 * 128 KiB; below, chunks
// halve.
TEST(Protocol, NvlsKeepsItsChannelsAndShrinksItsChunks) {
  EXPECT_EQ(in_switch_channels(*load_machine("hgx-h100")), 16);
  EXPECT_EQ(in_switch_channels(*load_machine("hgx-b200")), 24);
  EXPECT_EQ(in_switch_channels(*load_machine("gb300-nvl72x140")), 32);
  EXPECT_EQ(in_switch_channels(*load_machine("vera-rubin-nvl72")), 24) << "newer than Blackwell";
  const auto beside = [](const std::string& node, const std::string& other) {
    return parse_machine("name: m\ntitle: m\nkind: nested\nnode: " + node +
                             "\ncount: [4, assumed, t]\nfabric: infiniband-ndr\n"
                             "others:\n  - {node: " +
                             other + ", count: [2, assumed, t]}\n",
                         "m.yaml");
  };
  EXPECT_EQ(in_switch_channels(*beside("hgx-b200", "hgx-h100")), 16);
  EXPECT_EQ(in_switch_channels(*beside("gb300-nvl72", "vera-rubin-nvl72")), 32);
  EXPECT_EQ(in_switch_channels(*beside("vera-rubin-nvl72", "gb300-nvl72")), 32);
  const auto nvls = [](std::int64_t bytes) {
    return nccl(Collective::all_reduce, "nvls", Protocol::simple, RankSpace({8}), bytes, 16);
  };
  EXPECT_EQ(nvls(1 << 20).channels, 16);
  EXPECT_EQ(nvls(1 << 30).max_chunk_bytes, 128 * 1024);
  EXPECT_EQ(nvls((1 << 30) - 16).max_chunk_bytes, 64 * 1024);
  EXPECT_EQ(nvls(1 << 20).max_chunk_bytes, 16 * 1024);
}

// nccl.md 2.4: by a channel's share of the heads' chunks; CollNet by the whole message.
TEST(Protocol, NvlsTreeAndCollnetShrinkTheirChunks) {
  const auto chunk = [](const std::string& algorithm, const RankSpace& space, std::int64_t bytes) {
    return nccl(Collective::all_reduce, algorithm, Protocol::simple, space, bytes, 16)
        .max_chunk_bytes;
  };
  EXPECT_EQ(chunk("nvls_tree", {8, 2}, 1 << 30), 128 * 1024);
  EXPECT_EQ(chunk("nvls_tree", {8, 4}, 1 << 30), 64 * 1024);
  EXPECT_EQ(chunk("nvls_tree", {8, 2}, 16 * 8 * (4 * 128 * 1024) - 16), 64 * 1024);
  EXPECT_EQ(chunk("nvls_tree", {8, 4}, 16 * 8 * (64 * 1024) - 16), 32 * 1024);
  EXPECT_EQ(chunk("collnet_direct", {8, 4}, std::int64_t{1} << 34), 512 * 1024);
  EXPECT_EQ(chunk("collnet_direct", {8, 4}, 1 << 30), 128 * 1024);
  EXPECT_EQ(chunk("collnet_direct", {8, 4}, 1 << 24), 32 * 1024);
  EXPECT_EQ(chunk("collnet_chain", {8, 4}, std::int64_t{1} << 34), 256 * 1024);
}

// nccl.md 2.4. Four nodes of 8: 3.8 stages, so chunks halve below 30.4 of them and below 7.6.
TEST(Protocol, TreeAndPatShrinkTheirChunks) {
  const auto chunk = [](Collective collective, const std::string& algorithm, Protocol protocol,
                        const RankSpace& space, std::int64_t share) {
    return nccl(collective, algorithm, protocol, space, 16 * share, 16).max_chunk_bytes;
  };
  const auto tree = [&](std::int64_t share) {
    return chunk(Collective::all_reduce, "tree", Protocol::ll128, {8, 4}, share);
  };
  EXPECT_EQ(tree(31 * 576'000), 576'000);
  EXPECT_EQ(tree(30 * 576'000), 288'000);
  EXPECT_EQ(tree(30 * 144'000), 72'000);
  EXPECT_EQ(tree(7 * 72'000), 36'000);
  EXPECT_EQ(tree(7 * 36'000), 18'000);
  EXPECT_EQ(chunk(Collective::all_reduce, "tree", Protocol::simple, {8, 4}, 1 << 20), 512 * 1024);
  const auto pat = [&](Collective collective, std::int64_t share) {
    return chunk(collective, "pat", Protocol::simple, {1, 16}, share);
  };
  EXPECT_EQ(pat(Collective::all_gather, 16 << 20), 512 * 1024);
  EXPECT_EQ(pat(Collective::all_gather, (16 << 20) - 16), 256 * 1024);
  EXPECT_EQ(pat(Collective::reduce_scatter, 8 << 20), 512 * 1024);
  EXPECT_EQ(pat(Collective::reduce_scatter, 16), 64 * 1024);
}

// Executors of this project run plans cut by the defaults, which is what the harness measures.
TEST(Protocol, HostPlansAreCutByTheDefaults) {
  const auto limits = plan_limits(ExecutorKind::host, Collective::all_reduce, "ring",
                                  Protocol::none, RankSpace({2}), 64, 3);
  EXPECT_EQ(limits.channels, 3);
  EXPECT_EQ(limits.max_chunk_bytes, PlanLimits{}.max_chunk_bytes);
  EXPECT_EQ(limits.fifo_depth, PlanLimits{}.fifo_depth);
}

}  // namespace
}  // namespace fabricast
