// Which parameters of /profile differ between two traces, and what each does to a predicted row.
//
// Pure functions, O(parameters log parameters + shares). Throws CheckError when columns are
// missing.
#pragma once

#include <vector>

#include "emulator/report/compare.hpp"
#include "emulator/trace/table.hpp"

namespace fabricast {

// Parameters in both with another value; those in one trace only are named in `warnings`.
std::vector<ParameterChange> changed_parameters(const TraceContent& base, const TraceContent& fresh,
                                                std::vector<std::string>& warnings);

// Effects on row `result` of the fresh trace's /results, largest first, to first order: the
// derivative d ln T / d ln parameter (top1..3_share, else the row of /result_shares) times the
// change of ln parameter.
std::vector<Explanation> explain(const TraceContent& fresh, const RowKey& key, std::int64_t result,
                                 const std::vector<ParameterChange>& changes);

// One standard error of ln(time) that the samples behind the changed parameters leave.
double fit_noise(const std::vector<Explanation>& explanations,
                 const std::vector<ParameterChange>& changes);

}  // namespace fabricast
