// Numbers with an origin, as machine files write them:
//   bandwidth: {value: 900 GB/s, origin: datasheet, source: "vendor page, 2025-01"}
//   bandwidth: [900 GB/s, datasheet, "vendor page, 2025-01"]            (the same, compact)
// origin is measured | published | datasheet | assumed. Errors as in strict_yaml.hpp.
#pragma once

#include <cstdint>

#include "emulator/base/strict_yaml.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// The slowest link of a machine, 1 MB/s: what many lanes get of it is still a rate above zero.
constexpr double min_link_gb_per_s = 1e-3;

// A number with a unit, converted to `unit`.
Sourced read_sourced(const YamlCursor& at, Dimension dimension, std::string_view unit, Range range);

// A number without unit; `unit` is what it counts, for people ("ratio").
Sourced read_sourced_number(const YamlCursor& at, std::string_view unit, Range range);

// yes or no, as 1 or 0.
Sourced read_sourced_answer(const YamlCursor& at);

// A count; `unit` is what it counts, for people ("GPUs").
Sourced read_sourced_count(const YamlCursor& at, std::string_view unit, std::int64_t min,
                           std::int64_t max);

}  // namespace fabricast
