#include "emulator/cli/output_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

#include "emulator/base/log.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/calibrate/predictor.hpp"

namespace fabricast {

std::string render_profile(const CalibrationProfile& profile) {
  std::string text = fmt::format("profile of {} for executor {}\n", profile.machine,
                                 to_string(profile.executor));
  text += fmt::format("  {:<28} {:>6} {:>12} {:>8} {:>12} {:>8}  {:<11} {:<10} {}\n", "parameter",
                      "unit", "prior", "+-%", "value", "+-%", "identified", "origin", "source");
  for (const auto& p : profile.parameters) {
    text += fmt::format("  {:<28} {:>6} {:>12.5g} {:>8.1f} {:>12.5g} {:>8.1f}  {:<11} {:<10} {}\n",
                        p.spec.id, p.spec.unit, p.prior.value, 100 * std::expm1(p.prior.sigma_ln),
                        p.value, 100 * std::expm1(p.sigma_ln), to_string(p.identified),
                        to_string(p.origin),
                        p.transfer_rule.empty() ? p.source : p.source + " [" + p.transfer_rule + "]");
  }
  text += fmt::format("  model discrepancy {:.1f} % ({})\n", 100 * std::expm1(profile.discrepancy_ln),
                      profile.discrepancy_source);
  return text;
}

void warn_of_useless_fit(const CalibrationProfile& profile) {
  if (profile.discrepancy_ln <= useless_fit_ln) return;
  log_warning(
      fmt::format("this fit is worth little: the model misses what was measured by a factor of {:.1f} "
                  "({}); measure on a quiet machine, with more sizes and iterations",
                  std::exp(profile.discrepancy_ln), profile.discrepancy_source));
}

std::string render_holdout(const CalibrationProfile& profile) {
  if (profile.holdout.empty()) {
    return profile.evidence.empty() ? "no point was held out: nothing was measured for this profile\n"
                                    : "no point was held out: no sweep has enough sizes for it\n";
  }
  std::vector<double> errors;
  const HoldoutPoint* worst = nullptr;
  double worst_error = -1;
  int inside = 0;
  for (const auto& h : profile.holdout) {
    const double error = std::abs(std::log(h.predicted_us / h.measured_us));
    errors.push_back(error);
    inside += h.inside_interval ? 1 : 0;
    if (error > worst_error) {
      worst_error = error;
      worst = &h;
    }
  }
  std::sort(errors.begin(), errors.end());
  return fmt::format(
      "held out {} points: median |ln(predicted/measured)| {:.1f} %, worst {:.1f} % ({} {} {} B); "
      "{} of {} inside their 90 % interval\n",
      errors.size(), 100 * errors[errors.size() / 2], 100 * worst_error,
      to_string(worst->point.collective), worst->point.algorithm, format_size(worst->point.bytes),
      inside, errors.size());
}

namespace {

// One line of the table: |predicted / measured - 1| of the points of a group.
std::string errors_line(const std::string& name, std::vector<double> errors, int inside) {
  std::sort(errors.begin(), errors.end());
  const auto at = [&errors](double q) {
    const auto n = static_cast<double>(errors.size());
    return errors[static_cast<std::size_t>(std::min(n - 1, std::max(0.0, std::ceil(q * n) - 1)))];
  };
  return fmt::format("{:44} {:6} {:9.1f} % {:9.1f} % {:9.1f} % {:8}\n", name, errors.size(),
                     100 * at(0.5), 100 * at(0.95), 100 * errors.back(), inside);
}

}  // namespace

std::string render_errors(const CalibrationProfile& profile) {
  std::map<std::string, std::pair<std::vector<double>, int>> groups;
  std::vector<double> all;
  int all_inside = 0;
  for (const auto& h : profile.holdout) {
    const std::string name =
        fmt::format("{} {} {} {} ranks", to_string(h.point.collective), h.point.algorithm,
                    h.point.protocol, h.point.ranks);
    const double error = std::abs(h.predicted_us / h.measured_us - 1);
    auto& group = groups[name];
    group.first.push_back(error);
    group.second += h.inside_interval ? 1 : 0;
    all.push_back(error);
    all_inside += h.inside_interval ? 1 : 0;
  }
  if (all.empty()) return "nothing was predicted\n";
  std::string text = fmt::format("predicted without being fitted, |predicted/measured - 1|\n{:44} {:>6} {:>11} {:>11} {:>11} {:>8}\n",
                                 "", "points", "median", "p95", "largest", "inside");
  for (const auto& [name, group] : groups) text += errors_line(name, group.first, group.second);
  return text + errors_line("all", all, all_inside);
}

std::string this_command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string raw((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (raw.empty()) return "fabricast";
  std::string line;
  for (std::size_t begin = 0; begin < raw.size();) {
    const auto end = std::min(raw.find('\0', begin), raw.size());
    std::string word = raw.substr(begin, end - begin);
    if (begin == 0) word = word.substr(word.rfind('/') + 1);
    if (word.find_first_of(" \t'\"$\\") != std::string::npos) word = "'" + word + "'";
    line += (line.empty() ? "" : " ") + word;
    begin = end + 1;
  }
  return line;
}

}  // namespace fabricast
