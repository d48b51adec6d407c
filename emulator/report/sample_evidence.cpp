#include "emulator/report/sample_evidence.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include <fmt/format.h>

namespace fabricast {
namespace {

constexpr std::size_t max_lines = 12;

struct Evidence {
  std::vector<double> kept;
  std::int64_t discarded = 0;

  double median() {
    if (kept.empty()) return 0;
    std::sort(kept.begin(), kept.end());
    const std::size_t half = kept.size() / 2;
    return kept.size() % 2 == 1 ? kept[half] : (kept[half - 1] + kept[half]) / 2;
  }
};

// Samples per condition; an empty vector when the trace has none.
std::vector<Evidence> evidence_by_condition(const TraceContent& content) {
  const Table* conditions = content.find("/sample_conditions");
  const Table* samples = content.find("/samples");
  std::vector<Evidence> evidence(conditions != nullptr ? conditions->rows() : 0);
  if (samples == nullptr) return evidence;
  const auto& condition = samples->integers("condition");
  const auto& value = samples->reals("value");
  for (std::size_t i = 0; i < condition.size(); ++i) {
    const auto c = static_cast<std::size_t>(condition[i]);
    if (c >= evidence.size()) continue;
    if (samples->meaning("discarded", i) == "yes") {
      ++evidence[c].discarded;
    } else {
      evidence[c].kept.push_back(value[i]);
    }
  }
  return evidence;
}

std::string condition_line(const Table& conditions, std::size_t i, Evidence& evidence) {
  const std::string& suite = conditions.texts("suite")[i];
  const std::string what =
      suite == "collective"
          ? fmt::format("{} {} {}", conditions.texts("collective")[i],
                        conditions.texts("algorithm")[i], conditions.texts("protocol")[i])
          : suite;
  return fmt::format("      {} on {}, {} ranks, {}: median {:.6g} {} of {} kept, {} discarded\n",
                     what, conditions.texts("machine")[i], conditions.integers("ranks")[i],
                     size_text(conditions.integers("bytes")[i]), evidence.median(),
                     conditions.texts("unit")[i], evidence.kept.size(), evidence.discarded);
}

std::string limited(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t i = 0; i < lines.size() && i < max_lines; ++i) text += lines[i];
  if (lines.size() > max_lines) {
    text += fmt::format(
        "      ... and {} more conditions (fabricast report --csv /sample_conditions)\n",
        lines.size() - max_lines);
  }
  return text;
}

// Collectives that a parameter was fitted with jointly, one line per kind rather than per size.
std::string joint_lines(const Table& conditions, const std::string& executor,
                        const std::vector<Evidence>& evidence) {
  struct Family {
    std::int64_t low = INT64_MAX, high = 0;
    std::size_t conditions = 0, samples = 0;
  };
  std::map<std::tuple<std::string, std::string, std::string, std::int64_t>, Family> families;
  for (std::size_t i = 0; i < conditions.rows(); ++i) {
    if (conditions.texts("executor")[i] != executor ||
        conditions.texts("suite")[i] != "collective" || evidence[i].kept.empty()) {
      continue;
    }
    Family& family = families[{conditions.texts("machine")[i], conditions.texts("collective")[i],
                               conditions.texts("algorithm")[i], conditions.integers("ranks")[i]}];
    const std::int64_t bytes = conditions.integers("bytes")[i];
    family.low = std::min(family.low, bytes);
    family.high = std::max(family.high, bytes);
    ++family.conditions;
    family.samples += evidence[i].kept.size();
  }
  std::vector<std::string> lines;
  for (const auto& [key, family] : families) {
    const auto& [machine, collective, algorithm, ranks] = key;
    lines.push_back(
        fmt::format("      {} {} on {}, {} ranks, {} to {}: {} conditions, {} samples\n",
                    collective, algorithm, machine, ranks, size_text(family.low),
                    size_text(family.high), family.conditions, family.samples));
  }
  return limited(lines);
}

}  // namespace

std::string parameter_evidence(const TraceContent& content, const std::string& id,
                               const std::string& executor, std::int64_t samples) {
  if (samples <= 0) return "    samples      none: it is its prior\n";
  const Table* conditions = content.find("/sample_conditions");
  if (conditions == nullptr) {
    return fmt::format("    samples      {}, not stored in this trace\n", samples);
  }
  std::vector<Evidence> evidence = evidence_by_condition(content);
  std::vector<std::string> direct;
  for (std::size_t i = 0; i < conditions->rows(); ++i) {
    if (conditions->texts("parameter")[i] == id) {
      direct.push_back(condition_line(*conditions, i, evidence[i]));
    }
  }
  if (!direct.empty()) {
    return fmt::format("    samples      {}, observed directly\n", samples) + limited(direct);
  }
  const std::string joint = joint_lines(*conditions, executor, evidence);
  if (joint.empty()) {
    return fmt::format("    samples      {}, taken elsewhere (none of executor {} in this trace)\n",
                       samples, executor);
  }
  return fmt::format("    samples      {}, fitted jointly; in this trace\n", samples) + joint;
}

std::string measured_evidence(const TraceContent& content, const ResultRow& result) {
  const Table* conditions = content.find("/sample_conditions");
  std::vector<Evidence> evidence = evidence_by_condition(content);
  std::vector<std::string> lines;
  for (std::size_t i = 0; conditions != nullptr && i < conditions->rows(); ++i) {
    if (conditions->texts("suite")[i] == "collective" &&
        conditions->texts("machine")[i] == result.machine &&
        conditions->texts("executor")[i] == result.executor &&
        conditions->texts("collective")[i] == result.collective &&
        conditions->texts("algorithm")[i] == result.algorithm &&
        conditions->texts("protocol")[i] == result.protocol &&
        conditions->integers("ranks")[i] == result.ranks &&
        conditions->integers("channels")[i] == result.channels &&
        conditions->integers("bytes")[i] == result.bytes) {
      lines.push_back(condition_line(*conditions, i, evidence[i]));
    }
  }
  return lines.empty() ? "\nMeasured; its samples are not in this trace\n"
                       : "\nMeasured\n" + limited(lines);
}

}  // namespace fabricast
