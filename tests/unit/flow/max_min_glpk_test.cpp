// The solver against linear programs: max-min fairness as a sequence of LPs, solved by GLPK's
// simplex method. Maximize t with every open flow >= t; the flows whose bound has a dual value are
// the bottlenecked ones: their rate is t.
#include <glpk.h>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/unit/flow/random_network.hpp"

namespace fabricast {
namespace {

class FairProgram {
 public:
  explicit FairProgram(const TestNetwork& network)
      : links_(static_cast<int>(network.capacities.size())),
        flows_(static_cast<int>(network.flows.size())),
        program_(glp_create_prob()) {
    glp_set_obj_dir(program_, GLP_MAX);
    glp_add_rows(program_, links_ + flows_);
    glp_add_cols(program_, flows_ + 1);  // the last column is t
    std::vector<int> row{0}, column{0};
    std::vector<double> value{0};
    const auto put = [&](int r, int c, double v) {
      row.push_back(r);
      column.push_back(c);
      value.push_back(v);
    };
    for (int l = 0; l < links_; ++l) {
      const auto units = static_cast<double>(network.capacities[static_cast<std::size_t>(l)]);
      glp_set_row_bnds(program_, l + 1, GLP_UP, 0, units / unit);
    }
    for (int f = 0; f < flows_; ++f) {
      for (const Crossing& at : network.flows[static_cast<std::size_t>(f)]) {
        put(static_cast<int>(at.link) + 1, f + 1, at.count);
      }
      put(links_ + f + 1, f + 1, 1);
      put(links_ + f + 1, flows_ + 1, -1);
      glp_set_row_bnds(program_, links_ + f + 1, GLP_LO, 0, 0);
      glp_set_col_bnds(program_, f + 1, GLP_LO, 0, 0);
    }
    glp_set_col_bnds(program_, flows_ + 1, GLP_LO, 0, 0);
    glp_set_obj_coef(program_, flows_ + 1, 1);
    glp_load_matrix(program_, static_cast<int>(row.size()) - 1, row.data(), column.data(),
                    value.data());
  }
  ~FairProgram() { glp_delete_prob(program_); }
  FairProgram(const FairProgram&) = delete;
  FairProgram& operator=(const FairProgram&) = delete;

  // In units of the network's capacities.
  std::vector<double> rates() {
    std::vector<double> result(static_cast<std::size_t>(flows_), -1);
    for (int open = flows_; open > 0;) {
      glp_smcp quiet;
      glp_init_smcp(&quiet);
      quiet.msg_lev = GLP_MSG_OFF;
      quiet.tol_bnd = quiet.tol_dj = 1e-11;
      EXPECT_EQ(glp_simplex(program_, &quiet), 0);
      EXPECT_EQ(glp_get_status(program_), GLP_OPT);
      const double t = glp_get_obj_val(program_);
      int frozen = 0;
      for (int f = 0; f < flows_; ++f) {
        double& rate = result[static_cast<std::size_t>(f)];
        if (rate >= 0 || std::abs(glp_get_row_dual(program_, links_ + f + 1)) < 1e-9) continue;
        rate = t * unit;
        ++frozen;
        glp_set_row_bnds(program_, links_ + f + 1, GLP_FR, 0, 0);
        glp_set_col_bnds(program_, f + 1, GLP_FX, t, t);
      }
      EXPECT_GT(frozen, 0);
      if (frozen == 0) break;
      open -= frozen;
    }
    return result;
  }

 private:
  static constexpr double unit = 1e14;  // capacities are some 100 GB/s
  int links_, flows_;
  glp_prob* program_;
};

TEST(MaxMinGlpk, two_hundred_random_networks) {
  glp_term_out(GLP_OFF);
  double worst = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const TestNetwork network = random_network(1000 + seed, 12, 24, seed % 2 == 1);
    MaxMin solver(network.capacities);
    std::vector<MaxMin::Member> members;
    for (const auto& flow : network.flows) members.push_back(solver.add(flow));
    solver.solve();
    const std::vector<double> expected = FairProgram(network).rates();
    for (std::size_t f = 0; f < members.size(); ++f) {
      const auto rate = static_cast<double>(solver.rate(members[f]));
      ASSERT_NEAR(rate, expected[f], 1e-9 * expected[f]) << "seed " << seed << " flow " << f;
      if (expected[f] > 0) worst = std::max(worst, std::abs(rate / expected[f] - 1));
    }
  }
  RecordProperty("largest_relative_difference", std::to_string(worst));
  std::printf("largest relative difference %.3g\n", worst);
}

}  // namespace
}  // namespace fabricast
