// A trace of every released version of the format must be read by every later fabricast. What these
// files hold is written down here, not computed: a test that made both sides could not notice.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "emulator/trace/format.hpp"
#include "emulator/trace/trace_file.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

struct Golden {
  const char* digest;
  std::map<std::string, std::size_t> rows;
};

// By version of the format. Released files are never replaced.
const std::map<std::string, Golden>& golden_traces() {
  static const std::map<std::string, Golden> traces{
      {"1.0.0",
       {"275ca5c04dbad6cb53be70c00f8339d1de1a447906868b019bf86c444fec2224",
        {{"/results", 30},
         {"/result_shares", 50},
         {"/links", 25},
         {"/timeline", 25},
         {"/profile", 3},
         {"/profile_correlations", 1},
         {"/evidence", 1},
         {"/holdout", 1},
         {"/rank_classes", 1},
         {"/samples", 4},
         {"/sample_conditions", 1},
         {"/sample_environment", 1}}}}};
  return traces;
}

fs::path path_of(const std::string& version) {
  return fs::path(FABRICAST_GOLDEN_TRACES) / ("trace-" + version + ".h5");
}

TEST(GoldenTraces, TheVersionWrittenNowHasOne) {
  EXPECT_TRUE(golden_traces().contains(format::schema_version))
      << "a new version of the format needs tests/golden/traces/trace-" << format::schema_version;
}

TEST(GoldenTraces, EachIsReadWholeAndPassesTheCheck) {
  for (const auto& [version, golden] : golden_traces()) {
    const TraceContent content = read_trace(path_of(version));
    EXPECT_EQ(content.attributes.at("schema_version"), version);
    EXPECT_EQ(content.attributes.at("content_digest"), golden.digest);
    EXPECT_EQ(content_digest(content), golden.digest);
    ASSERT_EQ(content.tables.size(), golden.rows.size()) << version;
    for (const auto& [path, rows] : golden.rows) {
      EXPECT_EQ(content.at(path).rows(), rows) << path;
    }
    for (const TraceProblem& problem : check_trace(path_of(version))) {
      ADD_FAILURE() << version << ": " << problem.where << ": " << problem.what;
    }
  }
}

TEST(GoldenTraces, ValuesOf100) {
  const TraceContent content = read_trace(path_of("1.0.0"));
  const Table& results = content.at("/results");
  EXPECT_EQ(results.texts("machine")[0], "gb300-nvl72");
  EXPECT_EQ(results.integers("bytes")[4], 1 << 30);
  EXPECT_EQ(results.integers("time_ps")[0], 150'002'926);
  EXPECT_EQ(results.meaning("label", 29), "measured");
  EXPECT_EQ(content.at("/samples").meaning("discarded", 3), "yes");
  EXPECT_EQ(content.at("/links").find("utilization")->units, "1");
  EXPECT_EQ(content.documents.at("/host"), "load: 0.5\nkernel: µ-kernel 6.18\n");
  EXPECT_EQ(content.attributes.at("created"), "2026-01-01T00:00:00Z");
}

}  // namespace
}  // namespace fabricast
