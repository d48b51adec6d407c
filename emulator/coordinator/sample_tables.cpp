#include "emulator/coordinator/sample_tables.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "emulator/base/error.hpp"
#include "emulator/profile/inventory.hpp"
#include "emulator/trace/format.hpp"
#include "emulator/trace/table_rows.hpp"

namespace fabricast {
namespace {

constexpr const char* samples_path = "/samples";
constexpr const char* conditions_path = "/sample_conditions";
constexpr const char* environment_path = "/sample_environment";
constexpr const char* sources_path = "/sample_sources";
constexpr const char* device_path = "/sample_device";
// "collective", and its variants with other launches ("collective_graph" ...).
bool is_collective(const std::string& suite) { return suite.rfind("collective", 0) == 0; }

std::string unit_of(const Conditions& conditions) {
  if (is_collective(conditions.suite) || conditions.parameter.empty()) return "us";
  for (const auto& spec : parameter_inventory()) {
    if (spec.id == conditions.parameter) return spec.unit;
  }
  throw CheckError(
      fmt::format("samples of suite \"{}\" observe \"{}\", which is no parameter of the inventory",
                  conditions.suite, conditions.parameter));
}

Table conditions_table(const SampleSet& samples) {
  TableRows rows(conditions_path);
  for (const Conditions& c : samples.conditions) {
    const bool collective = is_collective(c.suite);
    rows.set("executor", to_string(c.executor))
        .set("machine", c.machine)
        .set("suite", c.suite)
        .set("collective", collective ? to_string(c.collective) : std::string_view())
        .set("algorithm", c.algorithm)
        .set("protocol", c.protocol)
        .set("ranks", c.ranks)
        .set("channels", c.channels)
        .set("bytes", c.bytes)
        .set("parameter", c.parameter)
        .set("unit", unit_of(c))
        .set("dtype", c.dtype)
        .set("in_place", c.in_place)
        .set("redop", c.redop)
        .end_row();
  }
  return rows.take();
}

Table samples_table(const SampleSet& samples) {
  TableRows rows(samples_path);
  for (const Sample& s : samples.samples) {
    rows.set("condition", s.condition)
        .set("iteration", s.iteration)
        .set("value", s.value)
        .set("discarded", s.discarded)
        .end_row();
  }
  return rows.take();
}

Table sources_table(const SampleSet& samples) {
  TableRows rows(sources_path);
  for (const SampleSource& source : samples.sources) {
    rows.set("sample", source.sample)
        .set("file", format::made_valid(source.file))
        .set("sha256", source.sha256)
        .set("line", source.line)
        .set("description", format::made_valid(source.description))
        .end_row();
  }
  return rows.take();
}

Table device_table(const SampleSet& samples) {
  TableRows rows(device_path);
  for (const DeviceState& state : samples.device_states) {
    rows.set("sm_clock_mhz", state.sm_mhz)
        .set("memory_clock_mhz", state.memory_mhz)
        .set("temperature_c", state.temperature_c)
        .set("power_w", state.power_w)
        .set("throttle", state.throttle)
        .set("discard", to_string(state.discard))
        .end_row();
  }
  return rows.take();
}

Table environment_table(const SampleSet& samples) {
  Column keys{"key", "", "what is described", Column::Texts{}, {}};
  Column values{"value", "", "its description when the samples were taken", Column::Texts{}, {}};
  for (const auto& [key, value] : samples.environment) {
    std::get<Column::Texts>(keys.values).push_back(format::made_valid(key));
    std::get<Column::Texts>(values.values).push_back(format::made_valid(value));
  }
  Table table{environment_path, "Where and how the samples were taken", {}};
  table.add(std::move(keys));
  table.add(std::move(values));
  return table;
}

// An integer of a column that must fit in 32 bits.
std::int32_t narrow(const Table& table, const char* column, std::size_t row) {
  const std::int64_t value = table.integers(column).at(row);
  if (value < 0 || value > std::numeric_limits<std::int32_t>::max()) {
    throw CheckError(
        fmt::format("{}/{} row {} is {}, out of range", table.path, column, row, value));
  }
  return static_cast<std::int32_t>(value);
}

DeviceState read_device_state(const Table& table, std::size_t row) {
  DeviceState state;
  state.sm_mhz = narrow(table, "sm_clock_mhz", row);
  state.memory_mhz = narrow(table, "memory_clock_mhz", row);
  state.temperature_c = narrow(table, "temperature_c", row);
  state.power_w = table.reals("power_w")[row];
  state.throttle = table.texts("throttle")[row];
  const std::string reason = table.meaning("discard", row);
  state.discard = reason == "disturbed"   ? DiscardReason::disturbed
                  : reason == "throttled" ? DiscardReason::throttled
                                          : DiscardReason::none;
  return state;
}

void expect_rows(const Table& table) {
  for (const Column& column : table.columns) {
    if (column.size() != table.rows()) {
      throw CheckError(fmt::format("{}: column {} has {} rows, others {}", table.path, column.name,
                                   column.size(), table.rows()));
    }
  }
}

Conditions read_condition(const Table& table, std::size_t row) {
  Conditions c;
  c.executor = executor_from_name(table.texts("executor")[row]);
  c.machine = table.texts("machine")[row];
  c.suite = table.texts("suite")[row];
  if (is_collective(c.suite)) {
    c.collective = collective_from_name(table.texts("collective")[row]);
  }
  c.algorithm = table.texts("algorithm")[row];
  c.protocol = table.texts("protocol")[row];
  c.ranks = narrow(table, "ranks", row);
  c.channels = narrow(table, "channels", row);
  c.bytes = table.integers("bytes")[row];
  c.parameter = table.texts("parameter")[row];
  c.dtype = table.texts("dtype")[row];
  c.in_place = table.meaning("in_place", row) == "yes";
  if (table.find("redop") != nullptr) c.redop = table.texts("redop")[row];
  return c;
}

void read_samples(const Table& table, SampleSet& set) {
  const auto& conditions = table.integers("condition");
  const auto& values = table.reals("value");
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto condition = conditions[row];
    if (condition < 0 || condition >= static_cast<std::int64_t>(set.conditions.size())) {
      throw CheckError(fmt::format("{} row {} refers to condition {}, there are {}", samples_path,
                                   row, condition, set.conditions.size()));
    }
    set.samples.push_back({static_cast<std::int32_t>(condition), narrow(table, "iteration", row),
                           values[row], table.meaning("discarded", row) == "yes"});
  }
}

void read_sources(const Table& table, SampleSet& set) {
  expect_rows(table);
  const auto& sample = table.integers("sample");
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (sample[row] < 0 || sample[row] >= static_cast<std::int64_t>(set.samples.size())) {
      throw CheckError(fmt::format("{} row {} refers to sample {}, there are {}", sources_path, row,
                                   sample[row], set.samples.size()));
    }
    set.sources.push_back({sample[row], table.texts("file")[row], table.texts("sha256")[row],
                           table.integers("line")[row], table.texts("description")[row]});
  }
}

}  // namespace

void add_sample_tables(const SampleSet& samples, TraceContent& content) {
  for (const char* path :
       {samples_path, conditions_path, environment_path, sources_path, device_path}) {
    if (content.find(path) != nullptr) {
      throw CheckError(fmt::format("the trace already has {} (a bug of its writer)", path));
    }
  }
  content.tables.push_back(conditions_table(samples));
  content.tables.push_back(samples_table(samples));
  content.tables.push_back(environment_table(samples));
  if (!samples.sources.empty()) content.tables.push_back(sources_table(samples));
  if (samples.device_states.empty()) return;
  if (samples.device_states.size() != samples.samples.size()) {
    throw CheckError("device states and samples differ in number (a bug of their recorder)");
  }
  content.tables.push_back(device_table(samples));
}

SampleSet read_sample_tables(const TraceContent& content) {
  SampleSet set;
  const Table* samples = content.find(samples_path);
  if (samples == nullptr) return set;
  const Table& conditions = content.at(conditions_path);
  expect_rows(conditions);
  expect_rows(*samples);
  try {
    for (std::size_t row = 0; row < conditions.rows(); ++row) {
      set.conditions.push_back(read_condition(conditions, row));
    }
  } catch (const UsageError& error) {  // an unknown name: in a file that is damage, not usage
    throw CheckError(fmt::format("{}: {}", conditions_path, error.what()));
  }
  read_samples(*samples, set);
  if (const Table* sources = content.find(sources_path)) read_sources(*sources, set);
  if (const Table* device = content.find(device_path)) {
    expect_rows(*device);
    if (device->rows() != samples->rows()) {
      throw CheckError(fmt::format("{} has {} rows, {} has {}", device_path, device->rows(),
                                   samples_path, samples->rows()));
    }
    for (std::size_t row = 0; row < device->rows(); ++row) {
      set.device_states.push_back(read_device_state(*device, row));
    }
  }
  if (const Table* environment = content.find(environment_path)) {
    expect_rows(*environment);
    for (std::size_t row = 0; row < environment->rows(); ++row) {
      set.environment[environment->texts("key")[row]] = environment->texts("value")[row];
    }
  }
  return set;
}

}  // namespace fabricast
