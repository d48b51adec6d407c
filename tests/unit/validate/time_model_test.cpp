#include "emulator/nccl/time_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "emulator/cost/forward_model.hpp"
#include "emulator/nccl/time_choice.hpp"
#include "emulator/sim/predict.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

TimeShape h100(int nodes) {
  TimeShape shape;
  shape.ranks = 8 * nodes;
  shape.nodes = nodes;
  shape.link_gbps = 450;
  if (nodes > 1) {
    shape.network = TimeNetwork::infiniband;
    shape.nic_gbps = 400;
    shape.one_nic_gbps = 50;
  }
  return shape;
}

double time_at(const TimeCase& time_case) {
  static std::map<int, nccl::Communicator> communicators;
  const int nodes = time_case.shape.nodes;
  if (!communicators.contains(nodes)) {
    const auto system = nccl::system_of(*load_machine("hgx-h100x2@infiniband-ndr"));
    communicators.emplace(nodes, nccl::make_communicator(system, nodes));
  }
  const TimeChoice choice = time_choice(communicators.at(nodes), time_case);
  return time_us(time_case, choice, mechanism_priors(time_case.shape));
}

TEST(TimeModel, PositiveFiniteAndGrowing) {
  for (const int nodes : {1, 2, 10, 128}) {
    for (const Collective collective : {Collective::all_reduce, Collective::all_gather,
                                        Collective::all_to_all, Collective::broadcast}) {
      double last = 0;
      for (double bytes = 8; bytes < 2e10; bytes *= 2) {
        const double time = time_at({h100(nodes), collective, bytes});
        ASSERT_TRUE(std::isfinite(time) && time > 0);
        // A switch of algorithm may gain, never half.
        EXPECT_GT(time, last / 2) << nodes << " " << bytes;
        last = time;
      }
    }
  }
}

TEST(TimeModel, NoRateAboveTheLinks) {
  for (double bytes = 1 << 20; bytes < 2e10; bytes *= 4) {
    const double time = time_at({h100(4), Collective::all_gather, bytes});
    EXPECT_GT(time, bytes * 31 / 32 / 400e3);
  }
}

// The choice is that of the golden values of NCCL 2.28.9 (tests/golden/nccl): on one node of eight
// H100, NVLS from 16 MiB on with its 16 blocks.
TEST(TimeChoice, IsTheExactOne) {
  const auto communicator = nccl::make_communicator(*load_machine("hgx-h100"));
  for (const double bytes : {8.0, 65536.0, 1048576.0, 1e9}) {
    const TimeChoice choice = time_choice(communicator, {h100(1), Collective::all_reduce, bytes});
    const auto exact =
        choose(communicator, {Collective::all_reduce, static_cast<std::int64_t>(bytes)});
    EXPECT_EQ(choice.channels, exact.channels);
    EXPECT_EQ(choice.algorithm == TimeAlgorithm::nvls, exact.algorithm == nccl::Algorithm::nvls);
  }
}

TEST(TimeChoice, RegisteredWindowsAndPeers) {
  const auto communicator = nccl::make_communicator(*load_machine("hgx-h100"));
  TimeShape shape = h100(1);
  shape.symmetric = true;
  EXPECT_EQ(time_choice(communicator, {shape, Collective::all_reduce, 1024}).algorithm,
            TimeAlgorithm::symmetric);
  const TimeChoice peers = time_choice(communicator, {shape, Collective::all_to_all, 1024});
  EXPECT_EQ(peers.algorithm, TimeAlgorithm::point_to_point);
  EXPECT_EQ(peers.peer_channels, communicator.p2p_channels_per_peer);
}

// Of eight B200 (nccl-tests; channels as in NCCL's addP2pToPlan): a message to one peer has a part
// of the channels, which doubles while a part is longer than 16 MiB, so that 64 MiB and 128 MiB
// take about as long.
TEST(TimeModel, AMessageToOnePeerGetsMoreChannelsAsItGrows) {
  TimeShape shape = h100(1);
  shape.generation = TimeGeneration::blackwell;
  shape.link_gbps = 900;
  const TimeChoice choice{TimeAlgorithm::point_to_point, TimeProtocol::simple, 32, 32};
  const auto time = [&](double mib) {
    return time_us({shape, Collective::send_recv, mib * (1 << 20)}, choice,
                   mechanism_priors(shape));
  };
  EXPECT_NEAR(time(64) / time(32), 2, 0.1);
  EXPECT_NEAR(time(128) / time(64), 1, 0.1);
  EXPECT_NEAR(time(64), 789, 0.1 * 789) << "measured";
  EXPECT_GT(time(4096) / time(2048), 1.9) << "all channels, or all links";
}

// Chunks shrink with the size (enqueue.cc), and every loop over the heads waits once: on 8 H100 the
// rate of what is added between two sizes is 179, 215, 258 and 275 GB/s with chunks of 16 to 128
// KiB (published nccl-tests tables).
TEST(TimeModel, SmallChunksOfASwitchWaitMoreOften) {
  const TimeShape shape = h100(1);
  const TimeChoice choice{TimeAlgorithm::nvls, TimeProtocol::simple, 16, 2};
  const auto rate = [&](double from_mib, double to_mib) {
    const auto time = [&](double mib) {
      return time_us({shape, Collective::all_reduce, mib * (1 << 20)}, choice,
                     mechanism_priors(shape));
    };
    return (to_mib - from_mib) * (1 << 20) / (time(to_mib) - time(from_mib)) / 1e3;
  };
  EXPECT_NEAR(rate(8, 32), 215, 0.1 * 215);
  EXPECT_NEAR(rate(64, 512), 258, 0.1 * 258);
  EXPECT_NEAR(rate(1024, 16384), 275, 0.1 * 275);
}

// Network and switch work side by side: neither waits for the other's whole share.
TEST(TimeModel, TreesOverSwitchesTakeTheSlowerStage) {
  const TimeShape shape = h100(2);
  const TimeCase time_case{shape, Collective::all_reduce, 4e9};
  const TimeChoice choice{TimeAlgorithm::nvls_tree, TimeProtocol::simple, 16, 2};
  const auto without = [&](std::optional<Mechanism> stage) {
    MechanismValues values = mechanism_priors(shape);
    if (stage) values[index_of(*stage)] *= 100;
    return time_us(time_case, choice, values);
  };
  const double slower =
      std::max(without(Mechanism::nvls_efficiency), without(Mechanism::nic_efficiency));
  EXPECT_LT(without({}), 1.19 * slower);  // 2^(1/4), were they equally slow
  EXPECT_GE(without({}), slower);
}

// The closed form against the engine: rings of one node, with the engine's priors carried over.
// They differ where pipelines fill, by less than 40 %; beyond 1 GiB by less than 10 %.
TEST(TimeModel, CloseToTheEngineOnRings) {
  const auto machine = load_machine("hgx-h100");
  const auto profile = prior_profile(*machine, ExecutorKind::nccl);
  MechanismValues values = mechanism_priors(h100(1));
  values[index_of(Mechanism::launch)] = profile.value("launch.simple");
  values[index_of(Mechanism::link_hop_ll)] = 3.4;  // tuner: a Simple hop, as the engine's priors
  values[index_of(Mechanism::link_hop_ratio_simple)] = 1;
  values[index_of(Mechanism::link_efficiency)] = profile.value("nvlink.efficiency");
  values[index_of(Mechanism::ramp_bytes)] = 1e-6;
  for (std::int64_t bytes = 1 << 10; bytes <= 1LL << 33; bytes *= 8) {
    PointSpec point;
    point.executor = ExecutorKind::nccl;
    point.collective = Collective::all_reduce;
    point.algorithm = "ring";
    point.protocol = Protocol::simple;
    point.bytes = bytes;
    const double engine = to_us(predict_time(*machine, values_of(profile), point));
    const TimeCase time_case{h100(1), Collective::all_reduce, static_cast<double>(bytes)};
    const TimeChoice choice{TimeAlgorithm::ring, TimeProtocol::simple, 24, 1};
    const double closed = time_us(time_case, choice, values);
    const double bound = bytes >= 1LL << 30 ? 0.10 : 0.40;
    EXPECT_NEAR(std::log(closed / engine), 0, bound) << bytes << " B: " << closed << " " << engine;
  }
}

}  // namespace
}  // namespace fabricast
