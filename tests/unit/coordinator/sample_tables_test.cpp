#include "emulator/coordinator/sample_tables.hpp"

#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "emulator/profile/inventory.hpp"
#include "emulator/trace/schema.hpp"

namespace fabricast {
namespace {

SampleSet two_conditions() {
  SampleSet set;
  Conditions ring;
  ring.executor = ExecutorKind::nccl;
  ring.machine = "hgx-h100";
  ring.suite = "collective";
  ring.collective = Collective::reduce_scatter;
  ring.algorithm = "ring";
  ring.protocol = "ll128";
  ring.ranks = 8;
  ring.channels = 16;
  ring.bytes = std::int64_t{16} << 30;
  ring.dtype = "half";
  ring.redop = "max";
  ring.in_place = true;
  Conditions direct;
  direct.executor = ExecutorKind::host;
  direct.machine = "here";
  direct.suite = "copy";
  direct.algorithm = "none";
  direct.protocol = "none";
  direct.ranks = 1;
  direct.bytes = 4096;
  direct.parameter = parameter_inventory().front().id;
  set.conditions = {ring, direct};
  set.samples = {{0, 0, 101.25, false}, {0, 1, 4100.5, true}, {1, 0, 0.1, false}};
  set.sources = {{1, "log.txt", "abc", 17, "nccl-tests 2.13.8"}};
  set.environment = {{"host", "a"}, {"note", "Zoë: \"quoted\""}, {"synthetic", "drawn"}};
  return set;
}

TEST(SampleTables, RoundTrip) {
  const SampleSet before = two_conditions();
  TraceContent content;
  add_sample_tables(before, content);
  const SampleSet after = read_sample_tables(content);
  EXPECT_EQ(after.conditions, before.conditions);
  EXPECT_EQ(after.sources, before.sources);
  ASSERT_EQ(after.samples.size(), before.samples.size());
  for (std::size_t i = 0; i < before.samples.size(); ++i) {
    EXPECT_EQ(after.samples[i].condition, before.samples[i].condition);
    EXPECT_EQ(after.samples[i].iteration, before.samples[i].iteration);
    EXPECT_EQ(after.samples[i].value, before.samples[i].value);
    EXPECT_EQ(after.samples[i].discarded, before.samples[i].discarded);
  }
  EXPECT_EQ(after.environment, before.environment);
}

TEST(SampleTables, DeviceStatesTravelRowByRow) {
  SampleSet before = two_conditions();
  before.device_states = {
      {1755, 3201, 64, 512.5, "sw_power_cap", DiscardReason::none},
      {900, 3201, 91, 300.25, "sw_thermal+hw_slowdown", DiscardReason::throttled},
      {}};
  TraceContent content;
  add_sample_tables(before, content);
  for (const auto& problem : schema_problems(content)) {
    ADD_FAILURE() << problem.where << ": " << problem.what;
  }
  EXPECT_EQ(read_sample_tables(content).device_states, before.device_states);
  before.device_states.pop_back();
  TraceContent uneven;
  EXPECT_THROW(add_sample_tables(before, uneven), CheckError);
}

TEST(SampleTables, FulfilTheSchema) {
  TraceContent content;
  add_sample_tables(two_conditions(), content);
  for (const auto& problem : schema_problems(content)) {
    ADD_FAILURE() << problem.where << ": " << problem.what;
  }
  const Table& conditions = content.at("/sample_conditions");
  EXPECT_EQ(conditions.texts("unit")[0], "us");
  EXPECT_EQ(conditions.texts("unit")[1], parameter_inventory().front().unit);
  EXPECT_EQ(conditions.texts("collective")[1], "") << "a micro-benchmark has no collective";
}

// Files of version 1 written before the column.
TEST(SampleTables, AreReadWithoutReductions) {
  const SampleSet before = two_conditions();
  TraceContent content;
  add_sample_tables(before, content);
  for (Table& table : content.tables) {
    std::erase_if(table.columns, [](const Column& column) { return column.name == "redop"; });
  }
  EXPECT_TRUE(schema_problems(content).empty());
  EXPECT_EQ(read_sample_tables(content).conditions[0].redop, "");
  EXPECT_EQ(read_sample_tables(content).conditions[0].dtype, "half");
}

TEST(SampleTables, AreNotPartOfTheDigest) {
  TraceContent content;
  const std::string empty = content_digest(content);
  add_sample_tables(two_conditions(), content);
  EXPECT_EQ(content_digest(content), empty);
}

TEST(SampleTables, NoTablesNoSamples) {
  const SampleSet set = read_sample_tables(TraceContent{});
  EXPECT_TRUE(set.samples.empty());
  EXPECT_TRUE(set.conditions.empty());
}

TEST(SampleTables, TwiceIsABug) {
  TraceContent content;
  add_sample_tables(two_conditions(), content);
  EXPECT_THROW(add_sample_tables(two_conditions(), content), CheckError);
}

TEST(SampleTables, ForeignBytesDoNotMakeATraceUnwritable) {
  SampleSet set = two_conditions();
  set.environment["host"] = "caf\xe9";
  TraceContent content;
  add_sample_tables(set, content);
  EXPECT_EQ(read_sample_tables(content).environment.at("host"), "caf\xEF\xBF\xBD");
}

class DamagedSamples : public testing::Test {
 protected:
  DamagedSamples() { add_sample_tables(two_conditions(), content); }
  Table& table(const std::string& path) {
    for (Table& t : content.tables) {
      if (t.path == path) return t;
    }
    throw std::logic_error(path);
  }
  Column& column(const std::string& path, const std::string& name) {
    for (Column& c : table(path).columns) {
      if (c.name == name) return c;
    }
    throw std::logic_error(name);
  }
  TraceContent content;
};

TEST_F(DamagedSamples, ReferenceToAMissingCondition) {
  for (const std::int64_t bad : {std::int64_t{2}, std::int64_t{-1}, std::int64_t{1} << 40}) {
    std::get<Column::Integers>(column("/samples", "condition").values)[0] = bad;
    EXPECT_THROW(read_sample_tables(content), CheckError) << bad;
  }
}

TEST_F(DamagedSamples, UnknownNameIsDamageNotUsage) {
  std::get<Column::Texts>(column("/sample_conditions", "executor").values)[0] = "abacus";
  EXPECT_THROW(read_sample_tables(content), CheckError);
}

TEST_F(DamagedSamples, NumbersOutOfRange) {
  std::get<Column::Integers>(column("/sample_conditions", "ranks").values)[0] = std::int64_t{1}
                                                                                << 40;
  EXPECT_THROW(read_sample_tables(content), CheckError);
}

TEST_F(DamagedSamples, ColumnsOfDifferentLengthsOrMissing) {
  std::get<Column::Reals>(column("/samples", "value").values).pop_back();
  EXPECT_THROW(read_sample_tables(content), CheckError);
  table("/samples").columns.erase(table("/samples").columns.begin() + 2);
  EXPECT_THROW(read_sample_tables(content), CheckError);
}

TEST_F(DamagedSamples, ConditionsMissing) {
  content.tables.erase(content.tables.begin());
  EXPECT_THROW(read_sample_tables(content), CheckError);
}

}  // namespace
}  // namespace fabricast
