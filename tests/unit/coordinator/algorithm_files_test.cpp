// Schedules of files are predicted like the catalogue's, and the trace says which file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"
#include "emulator/coordinator/effective_bytes.hpp"
#include "emulator/coordinator/emulate.hpp"
#include "emulator/schedule/export/msccl_xml_writer.hpp"
#include "tests/unit/schedule/msccl_files.hpp"
#include "tests/unit/schedule/msccl_tools_files.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

using testing::HasSubstr;
using testing::Not;

std::shared_ptr<const AlgorithmFile> file_of(const std::string& xml) {
  AlgorithmFile file;
  file.path = "some/where/f.xml";
  file.digest = "0123";
  file.label = "of_file";
  file.imported = read_algorithm_file(xml, file.path);
  return std::make_shared<const AlgorithmFile>(std::move(file));
}

TEST(Scenario, AFileIsPredictedAsItIsAndNamedInTheConfiguration) {
  const auto topology = load_machine("hgx-h100");
  Scenario scenario;
  scenario.machine = topology->name();
  scenario.ranks = topology->ranks();
  scenario.collectives = {Collective::all_reduce};
  scenario.files = {file_of(tools_hierarchical_all_reduce(2, 4, 2))};
  scenario.sizes = {1000, 1 << 20};
  EXPECT_THAT(scenario.to_yaml(),
              HasSubstr("  - {name: \"of_file\", file: \"f.xml\", sha256: \"0123\"}\n"));
  EXPECT_THAT(scenario.to_yaml(), Not(HasSubstr("where")));
  const auto profile = prior_profile(*topology, ExecutorKind::nccl);
  const auto emulation = emulate(Communicator::null(), *topology, profile, scenario);
  ASSERT_EQ(emulation.predictions.size(), 2u);
  for (const auto& p : emulation.predictions) {
    EXPECT_EQ(p.point.algorithm, "of_file");
    EXPECT_EQ(p.point.protocol, Protocol::ll128);  // the file's
    EXPECT_EQ(p.point.schedule, scenario.files[0]->imported.schedule);
    EXPECT_EQ(p.channels, 6);
    EXPECT_GE(p.time, p.bound);
  }
  EXPECT_LT(emulation.predictions[0].time, emulation.predictions[1].time);
  scenario.files = {file_of(tools_one_pass_all_reduce(4, 1))};
  EXPECT_THROW(points_of(scenario, *topology), UsageError);  // 4 of 8 ranks
}

// Our ring as a file takes as long as our ring with one slice.
TEST(Scenario, AnExportedRingIsAsFastAsTheRing) {
  const auto topology = load_machine("hgx-h100");
  PlanLimits limits;
  const auto ring = make_plan(Collective::all_reduce, "ring", topology->space(), 4096, 4, limits);
  PointSpec point;
  point.collective = Collective::all_reduce;
  point.algorithm = "ring";
  point.bytes = 1 << 16;
  point.channels = 1;
  const auto values = values_of(prior_profile(*topology, ExecutorKind::nccl));
  const auto ours = predict_time(*topology, values, point);
  point.schedule = read_algorithm_file(to_msccl_xml(ring), "ring.xml").schedule;
  point.channels = 0;
  EXPECT_EQ(predict_time(*topology, values, point), ours);
}

TEST(EffectiveBytes, OfAFileAreWholeEqualChunksWhereItNeedsThem) {
  const auto schedule = [](const std::string& xml) {
    return read_algorithm_file(xml, "f.xml").schedule;
  };
  EXPECT_EQ(1003 - 1003 % least_bytes(*schedule(msccl_ring_all_reduce(3, 2)), 4), 1000);
  EXPECT_EQ(1003 - 1003 % least_bytes(*schedule(msccl_all_pairs_all_reduce(3, true)), 4), 996);
  // Three blocks, each a multiple of 16 bytes and of the chunks in it.
  EXPECT_EQ(1003 - 1003 % least_bytes(*schedule(msccl_all_gather(3, 2, false)), 4), 960);
  EXPECT_EQ(1003 - 1003 % least_bytes(*schedule(tools_two_step_all_to_all(2, 2)), 4), 960);
  EXPECT_EQ(63 - 63 % least_bytes(*schedule(tools_two_step_all_to_all(2, 2)), 4), 0);
}

}  // namespace
}  // namespace fabricast
