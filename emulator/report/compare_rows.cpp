#include "emulator/report/compare_rows.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/report/result_rows.hpp"

namespace fabricast {
namespace {

RowKey key_of_condition(const Table& conditions, std::size_t row) {
  RowKey key;
  key.machine = conditions.texts("machine")[row];
  key.executor = conditions.texts("executor")[row];
  key.collective = conditions.texts("collective")[row];
  key.algorithm = conditions.texts("algorithm")[row];
  key.protocol = conditions.texts("protocol")[row];
  key.channels = conditions.integers("channels")[row];
  key.ranks = conditions.integers("ranks")[row];
  key.bytes = conditions.integers("bytes")[row];
  key.dtype = conditions.texts("dtype")[row];
  key.in_place = conditions.meaning("in_place", row) == "yes";
  if (conditions.find("redop") != nullptr) key.redop = conditions.texts("redop")[row];
  key.measured = true;
  return key;
}

RowKey key_of_result(const ResultRow& result) {
  RowKey key;
  key.machine = result.machine;
  key.executor = result.executor;
  key.collective = result.collective;
  key.algorithm = result.algorithm;
  key.protocol = result.protocol;
  key.channels = result.channels;
  key.ranks = result.ranks;
  key.bytes = result.bytes;
  key.dtype = result.dtype;
  key.redop = result.redop;
  if (result.engine == "flow") key.engine = result.engine;
  return key;
}

// Names of jobs by row of /results.
std::map<std::int64_t, std::string> job_names(const TraceContent& content) {
  std::map<std::int64_t, std::string> names;
  const Table* jobs = content.find("/jobs");
  for (std::size_t i = 0; jobs != nullptr && i < jobs->rows(); ++i) {
    names[jobs->integers("result")[i]] = jobs->texts("job")[i];
  }
  return names;
}

// What a run's /config left for the model to choose.
struct OpenChoices {
  bool algorithm = false, protocol = false, channels = false;
};

OpenChoices open_choices(const TraceContent& content) {
  const auto config = content.documents.find("/config");
  if (config == content.documents.end()) return {};
  // Several scenarios: open only what all of them leave open.
  const auto all_say = [&text = config->second](const std::string& key, const std::string& value) {
    bool any = false;
    for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
      if (at > 0 && text[at - 1] != '\n' && text[at - 1] != ' ') continue;
      if (text.compare(at + key.size(), value.size(), value) != 0) return false;
      any = true;
    }
    return any;
  };
  return {all_say("algorithms: ", "[auto]\n"), all_say("protocols: ", "[]\n"),
          all_say("channels: ", "0\n")};
}

// Are there samples of a measured row of /results? Its buffers are not known, and samples may not
// know the reduction.
bool has_samples(const TraceRows& found, RowKey key) {
  for (const std::string& redop : {key.redop, std::string()}) {
    for (const bool in_place : {false, true}) {
      key.redop = redop;
      key.in_place = in_place;
      if (found.rows.contains(key)) return true;
    }
  }
  return false;
}

// Has a condition samples that were read from a log?
std::vector<bool> imported_conditions(const TraceContent& content, const Table& samples,
                                      std::size_t conditions) {
  std::vector<bool> imported(conditions);
  const Table* sources = content.find("/sample_sources");
  if (sources == nullptr) return imported;
  const auto& condition = samples.integers("condition");
  for (const std::int64_t sample : sources->integers("sample")) {
    if (sample < 0 || static_cast<std::size_t>(sample) >= condition.size()) {
      throw CheckError(fmt::format("/sample_sources refers to sample {}, there are {}", sample,
                                   condition.size()));
    }
    imported[static_cast<std::size_t>(condition[static_cast<std::size_t>(sample)])] = true;
  }
  return imported;
}

// Kept samples per condition.
std::vector<std::vector<double>> kept_samples(const Table& samples, std::size_t conditions) {
  std::vector<std::vector<double>> kept(conditions);
  const auto& condition = samples.integers("condition");
  const auto& value = samples.reals("value");
  for (std::size_t i = 0; i < condition.size(); ++i) {
    if (condition[i] < 0 || static_cast<std::size_t>(condition[i]) >= conditions) {
      throw CheckError(fmt::format("/samples row {} refers to condition {}, there are {}", i,
                                   condition[i], conditions));
    }
    if (samples.meaning("discarded", i) == "no") {
      kept[static_cast<std::size_t>(condition[i])].push_back(value[i]);
    }
  }
  return kept;
}

void add_measured(const TraceContent& content, TraceRows& found) {
  const Table* samples = content.find("/samples");
  if (samples == nullptr) return;
  const Table& conditions = content.at("/sample_conditions");
  auto kept = kept_samples(*samples, conditions.rows());
  const auto imported = imported_conditions(content, *samples, conditions.rows());
  for (std::size_t i = 0; i < conditions.rows(); ++i) {
    if (conditions.texts("suite")[i] != "collective") {
      ++found.micro_benchmarks;
    } else {
      TraceRow& row = found.rows[key_of_condition(conditions, i)];
      row.runs.push_back(std::move(kept[i]));
      row.of_logs = row.of_logs || imported[i];
    }
  }
}

}  // namespace

TraceRows comparable_rows(const TraceContent& content) {
  TraceRows found;
  add_measured(content, found);
  if (content.find("/results") == nullptr) return found;
  const OpenChoices open = open_choices(content);
  const auto jobs = job_names(content);
  for (const ResultRow& result : result_rows(content)) {
    RowKey key = key_of_result(result);
    if (result.measured()) {
      key.measured = true;
      if (!has_samples(found, key)) {
        ++found.measured_without_samples;
        found.rows[key];  // without a run: named, and never judged
      }
      continue;
    }
    if (const auto job = jobs.find(result.row); job != jobs.end()) key.job = job->second;
    TakenChoice taken{key.algorithm, key.protocol, key.channels};
    if (open.algorithm) key.algorithm = "auto";
    if (open.protocol) key.protocol = "auto";
    if (open.channels) key.channels = 0;
    TraceRow& row = found.rows[key];
    row.taken = std::move(taken);
    if (row.result < 0) row.result = result.row;
    row.times_us.push_back(result.time_us);
  }
  return found;
}

bool lacks_reductions(const TraceRows& rows) {
  return std::any_of(rows.rows.begin(), rows.rows.end(),
                     [](const auto& row) { return row.first.measured && row.first.redop.empty(); });
}

void drop_reductions(TraceRows& rows) {
  const auto without = [](RowKey key) {
    key.redop.clear();
    return key;
  };
  std::map<RowKey, int> reductions;
  for (const auto& [key, row] : rows.rows) {
    if (key.measured) ++reductions[without(key)];
  }
  std::map<RowKey, TraceRow> kept;
  for (auto& [key, row] : rows.rows) {
    const bool one = key.measured && reductions.at(without(key)) == 1;
    kept.emplace(one ? without(key) : key, std::move(row));
  }
  rows.rows = std::move(kept);
}

std::vector<std::string> differences(const RowKey& a, const RowKey& b) {
  std::vector<std::string> all;
  const auto add = [&all](std::string_view name, const auto& here, const auto& there) {
    if (here != there) all.push_back(fmt::format("{} ({}, {})", name, here, there));
  };
  const auto said = [](const std::string& text) { return text.empty() ? "none" : text; };
  const auto kind = [](bool measured) -> std::string {
    return measured ? "measured" : "predicted";
  };
  const auto engine = [](const std::string& name) { return name.empty() ? "sweep" : name; };
  const auto buffers = [](bool in_place) -> std::string {
    return in_place ? "in place" : "out of place";
  };
  add("kind", kind(a.measured), kind(b.measured));
  add("machine", said(a.machine), said(b.machine));
  add("executor", said(a.executor), said(b.executor));
  add("collective", said(a.collective), said(b.collective));
  add("algorithm", said(a.algorithm), said(b.algorithm));
  add("protocol", said(a.protocol), said(b.protocol));
  add("channels", a.channels, b.channels);
  add("ranks", a.ranks, b.ranks);
  add("bytes", a.bytes, b.bytes);
  add("type", said(a.dtype), said(b.dtype));
  add("reduction", said(a.redop), said(b.redop));
  add("engine", engine(a.engine), engine(b.engine));
  add("job", said(a.job), said(b.job));
  add("buffers", buffers(a.in_place), buffers(b.in_place));
  return all;
}

}  // namespace fabricast
