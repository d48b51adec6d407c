// A few published tables, predicted: when the model gets worse, this fails. The bounds are what the
// model reached when they were written, and a quarter more.
#include <gtest/gtest.h>

#include <cmath>

#include "emulator/validate/scores.hpp"
#include "emulator/validate/validation_report.hpp"

namespace fabricast {
namespace {

const Validation& golden() {
  static const Validation validation = [] {
    ValidationRequest request;
    request.fit = read_published_tables(FABRICAST_GOLDEN_PUBLISHED);
    request.disciplines = {Discipline::fit, Discipline::scale, Discipline::transfer,
                           Discipline::datasheet};
    return validate(request);
  }();
  return validation;
}

double median_error(Discipline discipline, std::size_t band) {
  const auto scores =
      group_scores(golden(), discipline, size_bands()[band], Scored::prediction, false);
  return scores.empty() ? 1e9 : scores.front().median;
}

TEST(Accuracy, OfAFit) {
  EXPECT_LT(median_error(Discipline::fit, 0), 0.08);
  EXPECT_LT(median_error(Discipline::fit, 4), 0.05);
}

TEST(Accuracy, OfOtherSystems) {
  EXPECT_LT(median_error(Discipline::transfer, 4), 0.12);
  EXPECT_LT(median_error(Discipline::transfer, 1), 0.45);
}

TEST(Accuracy, OfDataSheets) { EXPECT_LT(median_error(Discipline::datasheet, 4), 0.15); }

TEST(Accuracy, KnowledgeHelps) {
  EXPECT_LT(median_error(Discipline::fit, 0), median_error(Discipline::transfer, 0));
}

TEST(Accuracy, IntervalsHoldFittedPoints) {
  EXPECT_GT(coverage(golden(), Discipline::fit).value_or(0), 0.8);
}

TEST(Accuracy, LowConfidenceIsSkippedAndSaysSo) {
  ASSERT_EQ(golden().skipped.size(), 1U);
  EXPECT_EQ(golden().skipped.front().reason, "confidence is low");
  for (const JudgedTable& table : golden().judged) {
    EXPECT_NE(table.table, golden().skipped.front().table);
  }
}

TEST(Accuracy, ScaleKnowsNoLargerTable) {
  // Of these systems only one has a second scale beyond one node; nothing of it may be judged
  // twice.
  for (const JudgedTable& table : golden().judged) {
    if (table.discipline != Discipline::scale) continue;
    EXPECT_GT(golden().machines[table.table].shape.nodes, 2);
  }
}

TEST(Accuracy, EveryPageHoldsEveryTable) {
  const std::string html = render_validation_html(golden());
  const std::string csv = render_validation_csv(golden());
  const std::string page = render_validation_markdown(golden());
  for (const PublishedTable& table : golden().tables) {
    EXPECT_NE((csv + html).find(table.column("file")), std::string::npos) << table.column("file");
  }
  EXPECT_NE(page.find("| fit, all sizes, all classes |"), std::string::npos);
  EXPECT_EQ(html.find("http://") != std::string::npos && html.find("<script") != std::string::npos,
            false);
}

}  // namespace
}  // namespace fabricast
