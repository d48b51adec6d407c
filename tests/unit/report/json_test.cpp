#include "emulator/report/json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

TEST(Json, RowsHaveEveryColumnAndTheRowNumber) {
  const auto document =
      nlohmann::json::parse(render_json(example_trace(), {{"all_gather", "", ""}, false}));
  EXPECT_EQ(document["attributes"]["seed"], "1");
  ASSERT_EQ(document["results"].size(), 5u);
  const auto& row = document["results"][0];
  EXPECT_EQ(row["row"], 20);
  EXPECT_EQ(row["bytes"], 1024);
  EXPECT_EQ(row["label"], "extrapolated");
  EXPECT_EQ(row.size(), 1 + example_trace().at("/results").columns.size());
}

TEST(Json, Problems) {
  auto document = nlohmann::json::parse(render_json(std::vector<TraceProblem>{}));
  EXPECT_EQ(document["ok"], true);
  document = nlohmann::json::parse(render_json(std::vector<TraceProblem>{{"/results", "\xff"}}));
  EXPECT_EQ(document["ok"], false);
  EXPECT_EQ(document["problems"][0]["where"], "/results");
}

}  // namespace
}  // namespace fabricast
