// A trace that is well formed, sealed and digested, and says something else: values at the edges of
// their types, columns, tables, documents or rows missing, twice, or of another type. What a
// careless program could write, and what no checksum can see. A pure function of (seed, case).
#pragma once

#include <cstdint>

#include "emulator/trace/table.hpp"

namespace fabricast {

TraceContent mutated_content(TraceContent content, std::uint64_t seed, std::uint64_t number);

}  // namespace fabricast
