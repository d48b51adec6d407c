// /ensemble and /ensemble_members: how a result varies from run to run, as rows; and as text.
//
// Pure but for the tables they fill. O(members log members).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "emulator/trace/table.hpp"

namespace fabricast {

// `members` is in picoseconds by member, per result; results are numbered from 0. Nothing is added
// for empty ensembles.
void add_ensembles(const std::vector<std::vector<std::int64_t>>& members, TraceContent& content);

// A line per row of /ensemble that belongs to these rows of /results, under a heading; empty
// without any.
std::string render_ensembles(const TraceContent& content, const std::set<std::int64_t>& shown);

}  // namespace fabricast
