#include "emulator/profile/inventory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "emulator/base/error.hpp"
#include "emulator/profile/judgement.hpp"

namespace fabricast {
namespace {

bool is_host(const ParameterSpec& spec) {
  return spec.executor == ExecutorKind::host || spec.executor == ExecutorKind::mpi;
}

TEST(Inventory, EveryParameterSaysWhatItIsAndWhatIdentifiesIt) {
  std::set<std::string> ids;
  for (const ParameterSpec& spec : parameter_inventory()) {
    EXPECT_TRUE(ids.insert(spec.id).second) << spec.id;
    EXPECT_FALSE(spec.mechanism.empty()) << spec.id;
    EXPECT_FALSE(spec.identified_by.empty()) << spec.id;
    EXPECT_FALSE(spec.unit.empty()) << spec.id;
    EXPECT_EQ(&parameter_spec(spec.id), &spec);
  }
  EXPECT_GT(ids.size(), 40u);
}

TEST(Inventory, EveryParameterHasACitedPriorForEveryGenerationItRunsOn) {
  for (const ParameterSpec& spec : parameter_inventory()) {
    if (spec.of_machine) continue;
    for (const std::string& generation : parameter_generations()) {
      if ((generation == "host") != is_host(spec)) {
        EXPECT_THROW(prior_of(spec, generation), UsageError) << spec.id << " " << generation;
        continue;
      }
      const Prior prior = prior_of(spec, generation);
      EXPECT_GT(prior.value, 0) << spec.id;
      EXPECT_GT(prior.sigma_ln, 0) << spec.id;
      EXPECT_GT(prior.source.size(), 10u) << spec.id;
      EXPECT_NE(prior.origin, ParameterOrigin::measured) << spec.id;
    }
  }
}

// Only factors have a base, and it exists: otherwise shares of a prediction could not sum to one.
TEST(Inventory, OnlyDimensionlessParametersHaveABase) {
  for (const ParameterSpec& spec : parameter_inventory()) {
    EXPECT_EQ(spec.base.empty(), spec.unit != "1") << spec.id;
    if (spec.base.empty()) continue;
    bool found = false;
    for (const ParameterSpec& other : parameter_inventory()) {
      found = found || (other.unit != "1" && other.id.starts_with(spec.base));
    }
    EXPECT_TRUE(found) << spec.id;
  }
}

TEST(Inventory, UnknownGenerationIsNamedWithAHint) {
  try {
    prior_of(parameter_spec("cta.copy_bw"), "hoper");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("hopper"), std::string::npos);
  }
}

// Every constant of the header is in the table, with its value and a reason; so it is on the page.
TEST(Judgement, EveryConstantIsInTheTableWithAReason) {
  std::ifstream header(FABRICAST_JUDGEMENT_HEADER);
  std::stringstream text;
  text << header.rdbuf();
  const std::string all = text.str();
  const std::string lead = "inline constexpr double ";
  std::size_t constants = 0;
  for (auto at = all.find(lead); at != std::string::npos; at = all.find(lead, at + 1)) {
    std::istringstream line(all.substr(at + lead.size(), all.find(';', at) - at - lead.size()));
    std::string name, equals;
    double value = 0;
    ASSERT_TRUE(line >> name >> equals >> value);
    ASSERT_LT(constants, judgements().size()) << name;
    EXPECT_EQ(judgements()[constants].name, name);
    EXPECT_EQ(judgements()[constants].value, value) << name;
    EXPECT_GT(judgements()[constants].reason.size(), 10u) << name;
    EXPECT_NE(inventory_markdown().find("| " + name + " | "), std::string::npos) << name;
    ++constants;
  }
  EXPECT_EQ(constants, judgements().size());
}

TEST(Inventory, CommittedPageIsTheGeneratedOne) {
  std::ifstream file(FABRICAST_CALIBRATION_PAGE);
  std::stringstream committed;
  committed << file.rdbuf();
  if (committed.str() == inventory_markdown()) return;
  const std::string fresh = ::testing::TempDir() + "calibration.md";
  std::ofstream(fresh) << inventory_markdown();
  FAIL() << "docs/calibration.md is not what the inventory says; the generated page is " << fresh
         << ": compare, then copy it over the committed one";
}

}  // namespace
}  // namespace fabricast
