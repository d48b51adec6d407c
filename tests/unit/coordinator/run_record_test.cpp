// Interrupted and resumed runs: what was acknowledged is there, and the end is the same.
#include "emulator/coordinator/run_record.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "emulator/base/error.hpp"
#include "emulator/coordinator/recorded_stage.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

class RunRecordTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("run-record-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    scenario_.machine = topology_->name();
    scenario_.ranks = topology_->ranks();
    scenario_.collectives = {Collective::all_reduce};
    for (std::int64_t bytes = 1 << 20; bytes <= 1 << 24; bytes *= 2)
      scenario_.sizes.push_back(bytes);
    identity_ = {folder_ / "t.h5", "command: test\nsizes: 5\n", run_attributes("model", "test")};
  }
  void TearDown() override { fs::remove_all(folder_); }

  void frame(RunRecord& record) {
    TraceAssembly assembly;
    assembly.add_machine(*topology_);
    assembly.add_profile(profile_);
    record.frame(0, assembly.finish(scenario_.to_yaml(), nullptr, {}));
  }
  void add(RunRecord& record, const std::vector<std::int64_t>& points) {
    std::vector<Prediction> predictions;
    for (const auto point : points)
      predictions.push_back(all_.predictions[static_cast<std::size_t>(point)]);
    TraceAssembly rows;
    rows.add_predictions(*topology_, predictions);
    record.add(0, points, rows.take());
  }
  std::string undisturbed() {
    RunRecord record(identity_, RunStart::fresh);
    emulate_stage(Communicator::null(), *topology_, profile_, scenario_, 0, &record);
    return content_digest(record.content());
  }

  fs::path folder_;
  std::shared_ptr<const Topology> topology_ = load_machine("gb300-nvl72");
  CalibrationProfile profile_ = prior_profile(*topology_, ExecutorKind::nccl);
  Scenario scenario_;
  RunIdentity identity_;
  Emulation all_;
};

TEST_F(RunRecordTest, AResumedRunReachesTheDigestOfAnUndisturbedOne) {
  const std::string wanted = undisturbed();
  all_ = emulate(Communicator::null(), *topology_, profile_, scenario_);
  {
    RunRecord record(identity_, RunStart::fresh);
    frame(record);
    add(record, {4, 1});
    record.flush();
    add(record, {0, 2});  // never acknowledged
  }
  EXPECT_TRUE(check_segments(segment_folder_of(identity_.trace)).empty());
  RunRecord record(identity_, RunStart::resume);
  EXPECT_EQ(record.found(), 2u);
  EXPECT_TRUE(record.has(0, 1));
  EXPECT_FALSE(record.has(0, 0));
  const auto made =
      emulate_stage(Communicator::null(), *topology_, profile_, scenario_, 0, &record);
  EXPECT_EQ(made.predictions.size(), all_.predictions.size() - 2);
  EXPECT_EQ(content_digest(record.content()), wanted);
  record.finish();
  EXPECT_FALSE(fs::exists(segment_folder_of(identity_.trace)));
}

TEST_F(RunRecordTest, AnUnfinishedRunIsNeverOverwrittenUnasked) {
  all_ = emulate(Communicator::null(), *topology_, profile_, scenario_);
  {
    RunRecord record(identity_, RunStart::fresh);
    frame(record);
    add(record, {0});
    record.flush();
    EXPECT_THROW(RunRecord(identity_, RunStart::resume), IoError)
        << "another process is writing it";
    EXPECT_THROW(RunRecord(identity_, RunStart::discard), IoError);
  }
  EXPECT_THROW(RunRecord(identity_, RunStart::fresh), IoError);
  auto other = identity_;
  other.config = "command: test\nsizes: 6\n";
  try {
    RunRecord record(other, RunStart::resume);
    FAIL() << "accepted another configuration";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("then \"sizes: 5\", now \"sizes: 6\""),
              std::string::npos)
        << error.what();
  }
  EXPECT_EQ(RunRecord(other, RunStart::discard).found(), 0u);
  EXPECT_FALSE(fs::exists(segment_folder_of(identity_.trace)));
}

// Stopped before its first point: there is nothing to show or to go on with.
TEST_F(RunRecordTest, AFrameAloneIsNoRun) {
  {
    RunRecord record(identity_, RunStart::fresh);
    frame(record);
    record.flush();
    EXPECT_EQ(record.left_behind(), "nothing was finished yet");
  }
  EXPECT_FALSE(fs::exists(segment_folder_of(identity_.trace)));
}

// --force was said when the run began: --resume may replace the file that was there then, no other.
TEST_F(RunRecordTest, AForcedRunIsResumed) {
  all_ = emulate(Communicator::null(), *topology_, profile_, scenario_);
  auto before = identity_;
  before.config = "command: test\nsizes: 4\n";
  const auto publish = [this](const RunIdentity& identity, const WriteOptions& options) {
    RunRecord record(identity, RunStart::discard);
    frame(record);
    add(record, {0});
    write_trace(identity.trace, record.content(), options);
    record.finish();
  };
  publish(before, {});
  {
    RunRecord record(identity_, RunStart::discard);
    frame(record);
    add(record, {0});
    record.flush();
  }
  EXPECT_FALSE(already_complete(identity_, RunStart::resume));
  EXPECT_TRUE(RunRecord(identity_, RunStart::resume).replaces());
  auto other = before;
  other.trace = folder_ / "other.h5";
  other.config = "command: test\nsizes: 3\n";
  publish(other, {});
  fs::rename(other.trace, identity_.trace);
  EXPECT_THROW(already_complete(identity_, RunStart::resume), IoError);
}

// Ranks of a killed mpirun live on for a second: they must not begin to write what is being
// resumed.
TEST_F(RunRecordTest, AResumedRunHoldsItsFolderFromTheBeginning) {
  all_ = emulate(Communicator::null(), *topology_, profile_, scenario_);
  RunRecord dying(identity_, RunStart::fresh);  // has written nothing yet
  frame(dying);
  add(dying, {0});
  {
    RunRecord resumed(identity_, RunStart::resume);
    EXPECT_THROW(dying.flush(), IoError);
    frame(resumed);
    add(resumed, {1});
    resumed.flush();
  }
  EXPECT_EQ(RunRecord(identity_, RunStart::resume).found(), 1u);
  { RunRecord discarding(identity_, RunStart::discard); }
  { RunRecord nothing_came_of_it(identity_, RunStart::resume); }
  EXPECT_FALSE(fs::exists(segment_folder_of(identity_.trace)));
}

TEST_F(RunRecordTest, DamageOfASegmentIsNoticed) {
  all_ = emulate(Communicator::null(), *topology_, profile_, scenario_);
  {
    RunRecord record(identity_, RunStart::fresh);
    frame(record);
    add(record, {0});
    record.flush();
    add(record, {1});
    record.flush();
  }
  const auto folder = segment_folder_of(identity_.trace);
  EXPECT_EQ(read_segments(folder).pieces.size(), 2u);
  for (const char* name : {"000001.h5", "manifest.json"}) {
    const auto file = folder / name;
    const auto size = fs::file_size(file);
    std::string bytes(size, '\0');
    std::ifstream(file, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(size));
    std::string damaged = bytes;
    damaged[size / 2] = static_cast<char>(damaged[size / 2] ^ 1);
    std::ofstream(file, std::ios::binary) << damaged;
    EXPECT_THROW(read_segments(folder), CheckError) << name;
    EXPECT_FALSE(check_segments(folder).empty());
    EXPECT_THROW(RunRecord(identity_, RunStart::resume), CheckError) << name;
    std::ofstream(file, std::ios::binary) << bytes;
    EXPECT_TRUE(check_segments(folder).empty());
  }
  fs::remove(folder / "000000.h5");
  EXPECT_THROW(read_segments(folder), IoError);
}

TEST_F(RunRecordTest, LeftoversOfAnInterruptionAreRemovedAndOtherFilesAreNot) {
  all_ = emulate(Communicator::null(), *topology_, profile_, scenario_);
  {
    RunRecord record(identity_, RunStart::fresh);
    frame(record);
    add(record, {0});
    record.flush();
  }
  const auto folder = segment_folder_of(identity_.trace);
  for (const char* name : {"000001.h5", "manifest.json.77.partial", "notes.txt"}) {
    std::ofstream(folder / name) << "half";
  }
  RunRecord record(identity_, RunStart::resume);
  EXPECT_FALSE(fs::exists(folder / "000001.h5"));
  EXPECT_FALSE(fs::exists(folder / "manifest.json.77.partial"));
  record.finish();
  EXPECT_TRUE(fs::exists(folder / "notes.txt"));
  EXPECT_FALSE(is_segment_folder(folder));
}

TEST_F(RunRecordTest, AFinishedTraceIsRecognizedByItsConfiguration) {
  EXPECT_FALSE(already_complete(identity_, RunStart::resume));
  RunRecord record(identity_, RunStart::fresh);
  emulate_stage(Communicator::null(), *topology_, profile_, scenario_, 0, &record);
  write_trace(identity_.trace, record.content());
  EXPECT_TRUE(already_complete(identity_, RunStart::resume));
  EXPECT_THROW(already_complete(identity_, RunStart::fresh), IoError);
  EXPECT_FALSE(already_complete(identity_, RunStart::discard));
  auto other = identity_;
  other.config += "more";
  EXPECT_THROW(already_complete(other, RunStart::resume), IoError);
}

}  // namespace
}  // namespace fabricast
