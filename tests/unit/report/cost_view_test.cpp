#include "emulator/report/cost_view.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "emulator/base/error.hpp"
#include "emulator/report/result_rows.hpp"
#include "tests/unit/trace/example_trace.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

TraceContent on(const std::string& machine) {
  TraceContent content = example_trace();
  content.documents["/machine/gb300-nvl72"] = load_machine(machine)->yaml();
  return content;
}

TEST(CostView, EnergyAndDollarsAreThoseOfTheRanksInUse) {
  const ResultFilter ring{"all_reduce", "gb300-nvl72", "ring"};
  const TraceContent content = on("gb200-nvl72");  // 120 kW a rack, 10.50 USD per GPU and hour
  const ResultRow row = result_rows(content, ring).front();
  std::istringstream text(render_cost(content, {ring, false}));
  std::string head, titles, line;
  std::getline(text, head);
  std::getline(text, titles);
  EXPECT_NE(head.find("72 ranks"), std::string::npos) << head;
  EXPECT_NE(head.find("racks, facility overhead"), std::string::npos) << head;
  EXPECT_NE(head.find("756 USD per hour (price of 2025)"), std::string::npos) << head;
  double size = 0, us = 0, energy = 0, per_gb = 0, dollars = 0;
  text >> size >> us >> energy >> per_gb >> dollars;
  EXPECT_EQ(size, static_cast<double>(row.bytes));
  const double watts = std::stod(head.substr(head.find("nccl: ") + 6)) * 1000;
  EXPECT_NEAR(energy, watts * row.time_us * 1e-6, 1e-3 * energy);
  EXPECT_NEAR(per_gb, energy / (size * 1e-9), 1e-3 * per_gb);
  EXPECT_NEAR(dollars, 1000 * 756.0 * row.time_us * 1e-6 / 3600, 1e-3 * dollars);
}

// Of an operation longer than the computation beside it, the rest is exposed; of a shorter one
// nothing. Unless the time of that computation is given, nothing is said of it.
TEST(CostView, IdleDollarsAreThoseOfWhatTheComputationDoesNotHide) {
  const ResultFilter ring{"all_reduce", "gb300-nvl72", "ring"};
  const TraceContent content = on("gb200-nvl72");
  const auto rows = result_rows(content, ring);
  EXPECT_EQ(render_cost(content, {ring, false}).find("exposed"), std::string::npos);
  const double compute = 0.75 * rows.front().time_us;
  for (const double beside : {compute, 2 * rows.front().time_us}) {
    std::istringstream text(render_cost(content, {ring, false}, beside));
    std::string head, origin, titles, line;
    std::getline(text, head);
    std::getline(text, origin);
    std::getline(text, titles);
    EXPECT_NE(origin.find("given by --compute"), std::string::npos) << origin;
    double size = 0, us = 0, energy = 0, per_gb = 0, dollars = 0, exposed = -1, idle = -1;
    text >> size >> us >> energy >> per_gb >> dollars >> exposed >> idle;
    EXPECT_NEAR(exposed, beside == compute ? 0.25 * us : 0, 1e-3 * us);
    EXPECT_NEAR(idle, beside == compute ? 0.25 * dollars : 0, 2e-3 * dollars);
  }
}

TEST(CostView, SaysWhatTheFileDoesNot) {
  const ResultFilter ring{"all_reduce", "gb300-nvl72", "ring"};
  const std::string text = render_cost(on("mi300x-8"), {ring, false});
  EXPECT_NE(text.find("GPUs only"), std::string::npos) << text;
  EXPECT_NE(text.find("no price given"), std::string::npos) << text;
  TraceContent without = example_trace();
  without.documents.erase("/machine/gb300-nvl72");
  EXPECT_THROW(render_cost(without, {ring, false}), UsageError);
}

}  // namespace
}  // namespace fabricast
