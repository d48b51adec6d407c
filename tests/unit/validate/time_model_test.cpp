#include "emulator/nccl/time_model.hpp"

#include <gtest/gtest.h>

#include <cmath>

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
  shape.version = 22809;
  if (nodes > 1) {
    shape.network = TimeNetwork::infiniband;
    shape.nic_gbps = 400;
    shape.one_nic_gbps = 50;
  }
  return shape;
}

double time_at(const TimeCase& time_case) {
  return time_us(time_case, time_choice(time_case), mechanism_priors(time_case.shape));
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

// NCCL v2.28.9's own tuner on a synthetic file of this machine (run on a CPU):
// latency 25.2 us of Tree LL over two nodes, bandwidth 204.8 GB/s of Ring Simple.
TEST(TimeChoice, TunerOfTwoNodes) {
  const auto estimate = [](double bytes, TimeAlgorithm algorithm, TimeProtocol protocol) {
    for (const auto& candidate : tuner_candidates({h100(2), Collective::all_reduce, bytes})) {
      if (candidate.algorithm == algorithm && candidate.protocol == protocol) {
        return candidate.microseconds;
      }
    }
    return -1.0;
  };
  EXPECT_NEAR(estimate(1, TimeAlgorithm::tree, TimeProtocol::ll), 25.2, 0.1);
  const double slope = (estimate(2e9, TimeAlgorithm::ring, TimeProtocol::simple) -
                        estimate(1e9, TimeAlgorithm::ring, TimeProtocol::simple)) /
                       1e6;
  // Seven channels are counted here where the search places eight.
  EXPECT_NEAR(1 / slope, 204.8, 20);
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
    const TimeChoice choice{TimeAlgorithm::ring, TimeProtocol::simple, 24};
    const double closed = time_us(time_case, choice, values);
    const double bound = bytes >= 1LL << 30 ? 0.10 : 0.40;
    EXPECT_NEAR(std::log(closed / engine), 0, bound) << bytes << " B: " << closed << " " << engine;
  }
}

}  // namespace
}  // namespace fabricast
