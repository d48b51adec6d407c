#include "emulator/trace/schema.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/trace/ensemble_rules.hpp"
#include "emulator/trace/job_rules.hpp"
#include "emulator/trace/library_rules.hpp"
#include "emulator/trace/step_rules.hpp"

namespace fabricast {
namespace {

constexpr auto integer = ColumnType::integer;
constexpr auto real = ColumnType::real;
constexpr auto text = ColumnType::text;
constexpr auto code = ColumnType::code;

const std::vector<std::string_view> no_yes{"no", "yes"};
const std::vector<std::string_view> origins{"measured", "published", "datasheet", "assumed"};

TableRule samples() {
  return {"/samples",
          "One row per timed iteration; never part of the content digest",
          {{"condition", integer, "1", "row of /sample_conditions"},
           {"iteration", integer, "1", "iteration after warm-up, from 0"},
           {"value", real, "by_row", "what was measured, in the unit of its condition"},
           {"discarded", code, "1", "left out by the harness's own rule", no_yes}},
          {"/sample_conditions"}};
}

TableRule sample_conditions() {
  return {"/sample_conditions",
          "The fixed conditions that timed iterations were taken under",
          {{"executor", text, "", "who ran it: host, mpi, cuda or nccl"},
           {"machine", text, "", "machine it ran on"},
           {"suite", text, "", "suite of collectives or of micro-benchmarks"},
           {"collective", text, "", "collective, for suites of collectives"},
           {"algorithm", text, "", "algorithm; \"nccl\" when the library chose"},
           {"protocol", text, "", "ll, ll128, simple, none or auto"},
           {"ranks", integer, "1", "number of ranks"},
           {"channels", integer, "1", "number of channels"},
           {"bytes", integer, "B", "nccl-tests size, or bytes moved by a micro-benchmark"},
           {"parameter", text, "", "inventory id that a micro-benchmark observes directly"},
           {"unit", text, "", "unit of the samples' values: us for suites of collectives"},
           {"dtype", text, "", "element type"},
           {"in_place", code, "1", "send and receive buffer are the same", no_yes},
           {"redop", text, "", "reduction, \"none\" without one; empty: not known", {}, true}}};
}

TableRule sample_environment() {
  return {"/sample_environment",
          "Where and how the samples were taken; never part of the content digest",
          {{"key", text, "", "what is described"},
           {"value", text, "", "its description when the samples were taken"}}};
}

TableRule sample_sources() {
  return {"/sample_sources",
          "Where imported samples were read; never part of the content digest",
          {{"sample", integer, "1", "row of /samples"},
           {"file", text, "", "name of the file, without its folder"},
           {"sha256", text, "", "SHA-256 of the file"},
           {"line", integer, "1", "line of the file, from 1"},
           {"description", text, "", "who wrote it, and how it was measured"}},
          {"/samples"}};
}

TableRule sample_device() {
  return {
      "/sample_device",
      "The GPU right after each sample, row by row of /samples; never part of the digest",
      {{"sm_clock_mhz", integer, "MHz", "clock of the multiprocessors; 0: not reported"},
       {"memory_clock_mhz", integer, "MHz", "clock of the memory; 0: not reported"},
       {"temperature_c", integer, "degC", "temperature; 0: not reported"},
       {"power_w", real, "W", "power draw; 0: not reported"},
       {"throttle", text, "",
        "why clocks were held down, \"+\" between reasons; empty: they were not"},
       {"discard", code, "1", "why the sample is not fitted", {"none", "disturbed", "throttled"}}},
      {"/samples"}};
}

TableRule profile() {
  return {
      "/profile",
      "One row per parameter: prior, posterior and where both come from",
      {{"id", text, "", "inventory id of the parameter"},
       {"machine", text, "", "machine the profile is for"},
       {"scope", text, "", "what the value belongs to"},
       {"unit", text, "", "unit of prior_value and value"},
       {"executor", text, "", "executor the profile belongs to"},
       {"prior_value", real, "by_row", "value before any sample"},
       {"prior_sigma_ln", real, "1", "standard deviation of ln(prior_value)"},
       {"prior_origin", text, "", "where prior_value comes from", origins},
       {"prior_source", text, "", "citation of the prior"},
       {"origin", text, "", "where `value` comes from", origins},
       {"source", text, "", "citation of `value`: the samples, or the prior's"},
       {"value", real, "by_row", "posterior value, used by the predictions"},
       {"sigma_ln", real, "1", "standard deviation of ln(value)"},
       {"identified", code, "1", "what the samples say about it", {"prior", "weak", "identified"}},
       {"samples", integer, "1", "measured conditions that informed it"},
       {"transfer_rule", text, "", "named rule that carried it across a scope, or empty"}}};
}

TableRule profile_correlations() {
  return {"/profile_correlations",
          "What a fit knows of two parameters together; pairs without a row are independent",
          {{"machine", text, "", "machine the profile is for"},
           {"executor", text, "", "executor the profile belongs to"},
           {"a", text, "", "inventory id of one parameter"},
           {"b", text, "", "inventory id of the other"},
           {"correlation", real, "1", "posterior correlation of ln(a) and ln(b)"}},
          {"/profile"}};
}

TableRule evidence() {
  return {"/evidence",
          "Conditions that a profile rests on, those of other machines included",
          {{"machine", text, "", "machine the profile is for"},
           {"executor", text, "", "executor the profile belongs to"},
           {"sampled_machine", text, "", "machine the samples were taken on"},
           {"sampled_executor", text, "", "whose model it is of"},
           {"collective", text, "", "collective"},
           {"algorithm", text, "", "algorithm; where the library chose, as the model resolved it"},
           {"protocol", text, "", "protocol; where the library chose, as the model resolved it"},
           {"channels", integer, "1", "number of channels; 0: the executor's own rule"},
           {"ranks", integer, "1", "number of ranks"},
           {"bytes", integer, "B", "nccl-tests size"}},
          {"/profile"}};
}

TableRule holdout() {
  return {"/holdout",
          "Conditions left out of the fit, predicted and measured",
          {{"executor", text, "", "whose model it is of"},
           {"machine", text, "", "machine it ran on"},
           {"collective", text, "", "collective"},
           {"algorithm", text, "", "algorithm"},
           {"protocol", text, "", "protocol"},
           {"channels", integer, "1", "number of channels; 0: the executor's own rule"},
           {"ranks", integer, "1", "number of ranks"},
           {"bytes", integer, "B", "nccl-tests size"},
           {"predicted_us", real, "us", "predicted time"},
           {"measured_us", real, "us", "median of the samples"},
           {"error_ln", real, "1", "ln(predicted_us / measured_us)"},
           {"inside_interval", code, "1", "the measurement lies inside the interval", no_yes}}};
}

TableRule results() {
  return {"/results",
          "One row per prediction or measured collective",
          {{"machine", text, "", "machine"},
           {"executor", text, "", "executor whose profile was used, or who ran it"},
           {"collective", text, "", "collective"},
           {"algorithm", text, "", "algorithm"},
           {"protocol", text, "", "protocol"},
           {"channels", integer, "1", "number of channels"},
           {"ranks", integer, "1", "number of ranks"},
           {"bytes", integer, "B", "nccl-tests size"},
           {"dtype", text, "", "element type"},
           {"redop", text, "", "reduction, \"none\" without one"},
           {"time_ps", integer, "ps", "time, exact as the engine has it"},
           {"time_us", real, "us", "time"},
           {"algbw_gbps", real, "GB/s", "bytes / time, 1 GB = 1e9 B"},
           {"busbw_gbps", real, "GB/s", "algbw x the nccl-tests factor of the collective"},
           {"low_us", real, "us", "lower end of the interval of the time"},
           {"high_us", real, "us", "upper end of the interval of the time"},
           {"interval", text, "", "what the interval covers, such as \"90 %\""},
           {"label",
            code,
            "1",
            "how far the row rests on measurements",
            {"measured", "calibrated", "extrapolated"}},
           {"evidence_ranks_ratio", real, "1",
            "ranks / ranks of the nearest sample of its regime; 0: none"},
           {"evidence_bytes_ratio", real, "1",
            "bytes / bytes of the nearest sample of its regime; 0: none"},
           {"measured_share", real, "1", "part of the critical path with measured parameters"},
           {"limiting_term", text, "", "what the time is mostly spent on"},
           {"top1_id", text, "", "parameter with the largest d ln T / d ln parameter"},
           {"top1_share", real, "1", "that derivative, absolute"},
           {"top2_id", text, "", "second parameter, empty if there is none"},
           {"top2_share", real, "1", "its derivative, absolute; 0 if there is none"},
           {"top3_id", text, "", "third parameter, empty if there is none"},
           {"top3_share", real, "1", "its derivative, absolute; 0 if there is none"},
           {"bound_us", real, "us",
            "bandwidth bound of the schedule: bytes over the busiest link / its capacity"},
           {"engine", text, "", "what produced the row", {"sweep", "flow", "measured"}},
           {"classes", integer, "1", "folded rank classes, or ranks when not folded"}},
          {"/config", "/machine", "/profile", "/result_shares", "/links"}};
}

TableRule result_shares() {
  return {"/result_shares",
          "Critical path of each result by parameter",
          {{"result", integer, "1", "row of /results"},
           {"parameter", text, "", "inventory id"},
           {"share", real, "1", "fraction of the critical path"},
           {"origin", text, "", "origin of the parameter's value", origins}},
          {"/results", "/profile"}};
}

TableRule links() {
  return {"/links",
          "Load of the busiest link of each class, per result",
          {{"result", integer, "1", "row of /results"},
           {"link_class", text, "", "name of the link class in the machine"},
           {"links", integer, "1", "directed links of this class"},
           {"wire_bytes_max", integer, "B", "bytes over the busiest link of the class"},
           {"utilization", real, "1", "wire_bytes_max / (time x capacity), at most 1"},
           {"capacity_gbps", real, "GB/s", "capacity of one link and direction"}},
          {"/results"}};
}

TableRule rank_classes() {
  return {"/rank_classes",
          "Symmetric ranks that behave identically",
          {{"machine", text, "", "machine"},
           {"algorithm", text, "", "algorithm"},
           {"channel", integer, "1", "channel"},
           {"class", integer, "1", "class, from 0"},
           {"members", integer, "1", "ranks in the class"},
           {"representative", integer, "1", "lowest rank of the class"}}};
}

TableRule timeline() {
  return {"/timeline",
          "When each stage runs, on the channel that ends last",
          {{"result", integer, "1", "row of /results"},
           {"channel", integer, "1", "slowest channel; of several alike the first"},
           {"stage", text, "", "stage of the schedule"},
           {"start_ps", integer, "ps", "first start of any lane, after the launch"},
           {"end_ps", integer, "ps", "last end of any lane, after the launch"}},
          {"/results"}};
}

std::string_view type_of(const Column& column) {
  return to_string(static_cast<ColumnType>(column.values.index()));
}

class Checker {
 public:
  explicit Checker(const TraceContent& content) : content_(content) {}

  std::vector<TraceProblem> run() {
    if (!content_.find("/results") && !content_.find("/samples")) {
      add("/", "neither /results nor /samples");
    }
    for (const Table& table : content_.tables) {
      if (const TableRule* rule = find_rule(table.path)) check_table(table, *rule);
    }
    return std::move(found_);
  }

 private:
  void add(std::string where, std::string what) {
    found_.push_back({std::move(where), std::move(what)});
  }

  bool present(std::string_view path) const {
    const std::string folder = std::string(path) + "/";
    return content_.find(path) != nullptr ||
           std::any_of(content_.documents.begin(), content_.documents.end(), [&](const auto& d) {
             return d.first == path || d.first.starts_with(folder);
           });
  }

  // Measured results stand on their own: no machine file, no profile.
  static bool only_measured(const Table& table) {
    const Column* engine = table.path == "/results" ? table.find("engine") : nullptr;
    const auto* names = engine != nullptr ? std::get_if<Column::Texts>(&engine->values) : nullptr;
    return names != nullptr && std::all_of(names->begin(), names->end(),
                                           [](const std::string& n) { return n == "measured"; });
  }

  void check_table(const Table& table, const TableRule& rule) {
    for (const std::string_view needed : rule.needs) {
      if (!only_measured(table) && !present(needed))
        add(table.path, fmt::format("needs {}, which is missing", needed));
    }
    for (const ColumnRule& wanted : rule.columns) {
      const std::string where = fmt::format("{}/{}", table.path, wanted.name);
      const Column* column = table.find(wanted.name);
      if (column == nullptr) {
        if (!wanted.later) add(where, "required column is missing");
      } else {
        check_column(*column, wanted, where);
      }
    }
  }

  void check_column(const Column& column, const ColumnRule& wanted, const std::string& where) {
    if (type_of(column) != to_string(wanted.type)) {
      return add(where, fmt::format("is {}, must be {}", type_of(column), to_string(wanted.type)));
    }
    if (column.units != wanted.units) {
      add(where, fmt::format("units \"{}\", must be \"{}\"", column.units, wanted.units));
    }
    if (wanted.type == code) {
      if (!std::equal(column.flag_meanings.begin(), column.flag_meanings.end(),
                      wanted.values.begin(), wanted.values.end())) {
        add(where, fmt::format("flag meanings must be \"{}\"", fmt::join(wanted.values, " ")));
      }
    } else if (!wanted.values.empty()) {
      for (const std::string& value : std::get<Column::Texts>(column.values)) {
        if (std::find(wanted.values.begin(), wanted.values.end(), value) != wanted.values.end()) {
          continue;
        }
        return add(where,
                   fmt::format("\"{}\" is none of: {}", value, fmt::join(wanted.values, ", ")));
      }
    }
  }

  const TraceContent& content_;
  std::vector<TraceProblem> found_;
};

}  // namespace

std::string_view to_string(ColumnType type) {
  constexpr std::array<std::string_view, 4> names{"int64", "float64", "text", "code"};
  return names[static_cast<std::size_t>(type)];
}

std::span<const TableRule> trace_schema() {
  static const std::vector<TableRule> rules{samples(),
                                            sample_conditions(),
                                            sample_environment(),
                                            sample_sources(),
                                            sample_device(),
                                            profile(),
                                            profile_correlations(),
                                            evidence(),
                                            holdout(),
                                            results(),
                                            result_shares(),
                                            links(),
                                            rank_classes(),
                                            timeline(),
                                            steps_rule(),
                                            step_coverage_rule(),
                                            ensemble_rule(),
                                            ensemble_members_rule(),
                                            jobs_rule(),
                                            job_links_rule(),
                                            library_choice_rule()};
  return rules;
}

const TableRule* find_rule(std::string_view path) {
  for (const TableRule& rule : trace_schema()) {
    if (rule.path == path) return &rule;
  }
  return nullptr;
}

Table empty_table(std::string_view path) {
  const TableRule* rule = find_rule(path);
  if (rule == nullptr) {
    throw CheckError(
        fmt::format("no table {} in trace format 1 (a bug of its writer) please report "
                    "it",
                    path));
  }
  Table table{std::string(path), std::string(rule->title), {}};
  for (const ColumnRule& wanted : rule->columns) {
    Column column{
        std::string(wanted.name), std::string(wanted.units), std::string(wanted.long_name), {}, {}};
    switch (wanted.type) {
      case integer:
        column.values = Column::Integers{};
        break;
      case real:
        column.values = Column::Reals{};
        break;
      case text:
        column.values = Column::Texts{};
        break;
      case code:
        column.values = Column::Codes{};
        column.flag_meanings.assign(wanted.values.begin(), wanted.values.end());
        break;
    }
    table.add(std::move(column));
  }
  return table;
}

std::vector<TraceProblem> schema_problems(const TraceContent& content) {
  return Checker(content).run();
}

}  // namespace fabricast
