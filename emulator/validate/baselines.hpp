// What a prediction must beat: rules that know nothing of mechanisms.
#pragma once

#include <vector>

#include "emulator/validate/disciplines.hpp"

namespace fabricast {

// Each size from its neighbours in the table itself, straight in log-log.
void add_interpolation_baseline(JudgedTable& judged);
// busbw at each size as in the largest known table of the same system and collective.
void add_constant_rate_baseline(const Validation& validation, JudgedTable& judged,
                                const std::vector<std::size_t>& known);
// Mean over known tables of the same class and collective of ln(busbw) at each size.
void add_class_mean_baseline(const Validation& validation, JudgedTable& judged,
                             const std::vector<std::size_t>& known);
// Bytes of the ring over the nominal rate of the slowest link.
void add_nominal_rate_baseline(const Validation& validation, JudgedTable& judged);

}  // namespace fabricast
