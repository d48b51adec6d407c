// The ways to judge the time model on published tables, and what each may know.
//
//   fit        all points of all tables; one parameter set per system, shared by priors
//   scale      of the system, one node and the smallest scales with 2 nodes or more that identify
//              its NICs (a size that is all latency, one that is all rate, where any of its tables
//              has such); larger ones are predicted. Other systems are known
//   transfer   other systems only (column `system` of the index)
//   datasheet  no table at all: priors from data sheets and published constants
//   engine     no table either: what `emulate -a auto` prints, schedules swept at its priors. Not
//              the time model, but judged beside it, at sizes where it does not matter that one
//              process called for all GPUs of a host
//
// Low-confidence tables are neither fitted nor scored. Times are microseconds.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "emulator/nccl/time_choice.hpp"
#include "emulator/validate/mechanism_fit.hpp"
#include "emulator/validate/published_tables.hpp"
#include "emulator/validate/table_machine.hpp"

namespace fabricast {

enum class Discipline : std::uint8_t { fit, scale, transfer, datasheet, engine };
inline constexpr std::array all_disciplines{Discipline::fit, Discipline::scale,
                                            Discipline::transfer, Discipline::datasheet,
                                            Discipline::engine};

std::string_view to_string(Discipline discipline);
// Throws UsageError.
Discipline discipline_from_name(std::string_view name);

struct JudgedPoint {
  double bytes = 0, measured_us = 0, predicted_us = 0;
  double sigma = 0;        // of ln(predicted), model error included
  double baseline_us = 0;  // the dumb baseline; 0: none
  TimeChoice choice;
};

struct JudgedTable {
  std::size_t table = 0;  // of the tables given
  Discipline discipline = Discipline::fit;
  std::vector<JudgedPoint> points;
};

struct SkippedTable {
  std::size_t table = 0;
  std::string reason;
};

struct Validation {
  std::vector<PublishedTable> tables;
  std::vector<TableMachine> machines;  // of the tables
  std::vector<JudgedTable> judged;
  std::vector<SkippedTable> skipped;
  std::vector<EffectReport> effects;  // of the fit to everything that may be fitted
};

// A row of the engine; sigma is that of ln(time).
struct EngineRow {
  double time_us = 0, sigma = 0;
};
using EngineRows = std::function<std::optional<EngineRow>(const TableMachine& machine,
                                                          Collective collective, double bytes)>;

struct ValidationRequest {
  std::vector<PublishedTable> fit;      // may be empty
  std::vector<PublishedTable> predict;  // empty: judge `fit` itself
  std::vector<Discipline> disciplines;  // with `predict`: what of it is known is the fit tables
  EngineRows engine{};                  // needed for Discipline::engine
};

Validation validate(const ValidationRequest& request);

}  // namespace fabricast
