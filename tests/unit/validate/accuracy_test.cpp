// A few published tables, predicted: when the model gets worse, this fails. The bounds are what the
// model reached when they were written, and a quarter more.
#include <gtest/gtest.h>

#include <cmath>

#include "emulator/validate/form_error.hpp"
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

PublishedTable table_of_scale(int nodes, double least) {
  PublishedTable table;
  table.row = {{"file", "n" + std::to_string(nodes)},
               {"system", "one"},
               {"gpu", "H100 SXM5"},
               {"intra_link", "NVLink4 NVSwitch3"},
               {"inter_link", "IB NDR 400G x8"},
               {"nic_per_gpu_gbps", "400"},
               {"confidence", "high"}};
  table.ranks = 8 * nodes;
  table.nodes = nodes;
  for (double bytes = least; bytes <= 1 << 28; bytes *= 16) {
    table.points.push_back({bytes, 30 + bytes / 2e5});
  }
  return table;
}

// Two nodes at 1 MiB and more show no latency: four nodes are known as well.
TEST(Accuracy, ScaleStartsWhereTheNetworkIsIdentified) {
  ValidationRequest request;
  request.fit = {table_of_scale(2, 1 << 20), table_of_scale(4, 1024), table_of_scale(8, 1024)};
  request.disciplines = {Discipline::scale};
  const Validation validation = validate(request);
  ASSERT_EQ(validation.judged.size(), 1U);
  EXPECT_EQ(validation.judged.front().table, 2U);
}

TEST(Accuracy, BatchSystemsStartAProcessPerGpu) {
  const auto table = [](const char* system, const char* inter_link, int nodes) {
    PublishedTable one;
    one.row = {{"system", system},
               {"gpu", "GH200 120GB"},
               {"inter_link", inter_link},
               {"nic_per_gpu_gbps", nodes > 1 ? "200" : ""}};
    one.ranks = 4 * nodes;
    one.nodes = nodes;
    one.points = {{1024, 20.0}, {1 << 20, 60.0}};
    return one;
  };
  ValidationRequest request;
  request.fit = {table("A", "none", 1),
                 table("B", "none", 1),
                 table("B", "Slingshot-11 200G", 4),
                 table("C (SLINGSHOT)", "none", 1),
                 table("", "none", 1),
                 table("", "Slingshot-11 200G", 4)};
  const Validation validation = validate(request);
  EXPECT_FALSE(validation.machines[0].shape.process_per_gpu);
  EXPECT_TRUE(validation.machines[1].shape.process_per_gpu) << "the other table of B says so";
  EXPECT_TRUE(validation.machines[2].shape.process_per_gpu);
  EXPECT_TRUE(validation.machines[3].shape.process_per_gpu) << "its name does";
  EXPECT_FALSE(validation.machines[4].shape.process_per_gpu) << "no name is no system";
  EXPECT_TRUE(validation.machines[5].shape.process_per_gpu);
  request.fit[1].row["notes"] = "one process, 4 GPUs";
  EXPECT_FALSE(validate(request).machines[1].shape.process_per_gpu) << "its row says otherwise";
}

// The engine's rows are of a process per GPU: where one process may have called for eight GPUs,
// sizes that this decides are left out; what the engine cannot do is, too.
TEST(Accuracy, TheEngineIsJudgedWhereItsRowsAreOfTheSameRun) {
  PublishedTable table;
  table.row = {{"gpu", "H100"}, {"intra_link", "NVLink4"}};
  table.ranks = 8;
  table.nodes = 1;
  table.points = {{1024, 50}, {1 << 26, 540}, {1 << 30, 4000}};
  ValidationRequest request;
  request.fit = {table};
  request.disciplines = {Discipline::engine};
  std::vector<double> asked;
  request.engine = [&](const TableMachine& machine, Collective, double bytes) {
    EXPECT_EQ(machine.topology->ranks(), 8);
    asked.push_back(bytes);
    return bytes > 1e9 ? std::nullopt : std::optional(EngineRow{600, 0.5});
  };
  const Validation one_process = validate(request);
  EXPECT_EQ(asked, (std::vector<double>{1 << 26, 1 << 30}));
  ASSERT_EQ(one_process.judged.size(), 1U);
  ASSERT_EQ(one_process.judged[0].points.size(), 1U);
  EXPECT_EQ(one_process.judged[0].points[0].predicted_us, 600);
  EXPECT_EQ(one_process.judged[0].points[0].sigma, 0.5);
  EXPECT_EQ(coverage(one_process, Discipline::engine), 1);
  request.fit[0].row["notes"] = "one process per GPU";
  asked.clear();
  EXPECT_EQ(validate(request).judged[0].points.size(), 2U);
  EXPECT_EQ(asked.size(), 3U);
}

TEST(FormError, IsTheSpreadOfWhatWasFitted) {
  std::vector<MechanismPoint> points(100);
  const MechanismFit priors({});
  for (std::size_t i = 0; i < points.size(); ++i) {
    MechanismPoint& point = points[i];
    point.time_case.shape.ranks = 8;
    point.time_case.shape.link_gbps = 450;
    point.time_case.bytes = 1024;
    const auto values = mechanism_priors(point.time_case.shape);
    const double time = time_us(point.time_case, point.choice, values);
    point.log_time = std::log(time) + 0.001 * static_cast<double>(i);
  }
  const FormError error(priors, points);
  EXPECT_NEAR(error.spread(points.front().time_case), 0.090 / 1.645, 1e-6);
  TimeCase larger = points.front().time_case;
  larger.bytes = 1e9;
  EXPECT_EQ(error.spread(larger), 0);
  EXPECT_EQ(FormError().spread(larger), 0);
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
