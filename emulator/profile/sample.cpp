#include "emulator/profile/sample.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"

namespace fabricast {
namespace {

constexpr std::array kinds{ExecutorKind::host, ExecutorKind::mpi, ExecutorKind::cuda,
                           ExecutorKind::nccl, ExecutorKind::peers};

// Linear interpolation between order statistics (the default of R and NumPy). `sorted` not empty.
double quantile(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double fraction = position - static_cast<double>(below);
  return sorted[below] + fraction * (sorted[above] - sorted[below]);
}

}  // namespace

std::string_view to_string(ExecutorKind kind) {
  switch (kind) {
    case ExecutorKind::host:
      return "host";
    case ExecutorKind::mpi:
      return "mpi";
    case ExecutorKind::cuda:
      return "cuda";
    case ExecutorKind::nccl:
      return "nccl";
    case ExecutorKind::peers:
      return "peers";
  }
  return "?";
}

ExecutorKind executor_from_name(std::string_view name) {
  std::vector<std::string> known;
  for (const ExecutorKind kind : kinds) {
    if (to_string(kind) == name) return kind;
    known.emplace_back(to_string(kind));
  }
  throw UsageError(unknown_name_message("executor", name, known));
}

ExecutorKind model_of(const Conditions& c) {
  const bool between_gpus = c.suite == "collective_peers" || c.suite == "collective_multimem";
  return c.executor == ExecutorKind::cuda && between_gpus ? ExecutorKind::peers : c.executor;
}

bool is_modeled_collective(const Conditions& c) {
  return c.suite == "collective" || model_of(c) == ExecutorKind::peers;
}

std::string_view to_string(DiscardReason reason) {
  switch (reason) {
    case DiscardReason::none:
      return "none";
    case DiscardReason::disturbed:
      return "disturbed";
    case DiscardReason::throttled:
      return "throttled";
  }
  return "?";
}

SampleSet::Summary SampleSet::summarize(std::int32_t condition) const {
  FABRICAST_EXPECT(condition >= 0 && condition < static_cast<std::int32_t>(conditions.size()),
                   "a condition of this set");
  std::vector<double> kept;
  for (const Sample& sample : samples) {
    if (sample.condition == condition && !sample.discarded) kept.push_back(sample.value);
  }
  if (kept.empty()) return {};
  std::sort(kept.begin(), kept.end());
  Summary summary;
  summary.count = static_cast<int>(kept.size());
  summary.median = quantile(kept, 0.5);
  summary.p05 = quantile(kept, 0.05);
  summary.p95 = quantile(kept, 0.95);
  summary.p99 = quantile(kept, 0.99);
  double sum = 0;
  for (const double value : kept) sum += value;
  summary.mean = sum / static_cast<double>(kept.size());
  double squares = 0;
  for (const double value : kept) squares += (value - summary.mean) * (value - summary.mean);
  if (kept.size() > 1) {
    summary.stdev = std::sqrt(squares / static_cast<double>(kept.size() - 1));
  }
  return summary;
}

void append(SampleSet& whole, const SampleSet& part) {
  const auto first_condition = static_cast<std::int32_t>(whole.conditions.size());
  const auto first_sample = static_cast<std::int64_t>(whole.samples.size());
  const bool states = !whole.device_states.empty() || !part.device_states.empty();
  if (states) whole.device_states.resize(whole.samples.size());
  whole.conditions.insert(whole.conditions.end(), part.conditions.begin(), part.conditions.end());
  for (Sample sample : part.samples) {
    sample.condition += first_condition;
    whole.samples.push_back(sample);
  }
  for (SampleSource source : part.sources) {
    source.sample += first_sample;
    whole.sources.push_back(std::move(source));
  }
  whole.device_states.insert(whole.device_states.end(), part.device_states.begin(),
                             part.device_states.end());
  if (states) whole.device_states.resize(whole.samples.size());
  for (const auto& [key, value] : part.environment) {
    const auto [known, added] = whole.environment.try_emplace(key, value);
    if (!added && known->second != value) known->second += " | " + value;
  }
}

}  // namespace fabricast
