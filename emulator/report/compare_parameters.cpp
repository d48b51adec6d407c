#include "emulator/report/compare_parameters.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

namespace fabricast {
namespace {

struct Parameter {
  std::string unit, source;
  double value = 0,
         variance = 0;  // of ln(value), 0 without samples: then it was decided, not fitted
};
using ParameterKey = std::tuple<std::string, std::string, std::string>;  // machine, executor, id

std::map<ParameterKey, Parameter> parameters_of(const TraceContent& content) {
  std::map<ParameterKey, Parameter> found;
  const Table* profile = content.find("/profile");
  if (profile == nullptr) return found;
  const auto& machine = profile->texts("machine");
  const auto& executor = profile->texts("executor");
  const auto& id = profile->texts("id");
  const auto& unit = profile->texts("unit");
  const auto& source = profile->texts("source");
  const auto& value = profile->reals("value");
  const auto& sigma = profile->reals("sigma_ln");
  const auto& samples = profile->integers("samples");
  for (std::size_t i = 0; i < profile->rows(); ++i) {
    found[{machine[i], executor[i], id[i]}] = {unit[i], source[i], value[i],
                                               samples[i] > 0 ? sigma[i] * sigma[i] : 0};
  }
  return found;
}

// |d ln T / d ln id| of a row, 0 when the trace does not say.
double derivative(const TraceContent& content, std::int64_t result, const std::string& id) {
  const Table& results = content.at("/results");
  const auto row = static_cast<std::size_t>(result);
  for (const char* top : {"top1", "top2", "top3"}) {
    if (results.texts(fmt::format("{}_id", top))[row] == id) {
      return results.reals(fmt::format("{}_share", top))[row];
    }
  }
  const Table* shares = content.find("/result_shares");
  if (shares == nullptr) return 0;
  const auto& results_of = shares->integers("result");
  const auto& parameter = shares->texts("parameter");
  const auto [first, last] = std::equal_range(results_of.begin(), results_of.end(), result);
  for (auto it = first; it != last; ++it) {
    const auto i = static_cast<std::size_t>(it - results_of.begin());
    if (parameter[i] == id) return shares->reals("share")[i];
  }
  return 0;
}

}  // namespace

std::vector<ParameterChange> changed_parameters(const TraceContent& base, const TraceContent& fresh,
                                                std::vector<std::string>& warnings) {
  const auto before = parameters_of(base);
  const auto after = parameters_of(fresh);
  std::vector<ParameterChange> changes;
  const auto one_sided = [&](const ParameterKey& key, const char* side) {
    const auto& [machine, executor, id] = key;
    warnings.push_back(fmt::format("parameter {} of {} for executor {} is only in {}", id, machine,
                                   executor, side));
  };
  for (const auto& [key, now] : after) {
    const auto old = before.find(key);
    if (old == before.end()) {
      if (!before.empty()) one_sided(key, "the new trace");
      continue;
    }
    if (old->second.value == now.value) continue;
    const auto& [machine, executor, id] = key;
    changes.push_back({id, machine, executor, now.unit, old->second.value, now.value,
                       std::sqrt(old->second.variance + now.variance), old->second.source,
                       now.source});
  }
  for (const auto& [key, old] : before) {
    if (!after.empty() && !after.contains(key)) one_sided(key, "the base");
  }
  return changes;
}

std::vector<Explanation> explain(const TraceContent& fresh, const RowKey& key, std::int64_t result,
                                 const std::vector<ParameterChange>& changes) {
  std::vector<Explanation> found;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const ParameterChange& change = changes[i];
    if (change.machine != key.machine || change.executor != key.executor) continue;
    if (!(change.base > 0 && change.fresh > 0)) continue;
    const double share = derivative(fresh, result, change.id);
    const double effect = share * std::abs(std::log(change.fresh / change.base));
    if (effect > 0) found.push_back({i, share, effect});
  }
  std::stable_sort(found.begin(), found.end(), [](const Explanation& a, const Explanation& b) {
    return a.effect_ln > b.effect_ln;
  });
  return found;
}

double fit_noise(const std::vector<Explanation>& explanations,
                 const std::vector<ParameterChange>& changes) {
  double variance = 0;
  for (const Explanation& e : explanations) {
    const double noise = e.share * changes[e.parameter].noise_ln;
    variance += noise * noise;
  }
  return std::sqrt(variance);
}

}  // namespace fabricast
