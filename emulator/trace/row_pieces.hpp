// Rows of a trace that were produced piece by piece, and the trace they make together.
//
// A run produces its rows in an order that depends on processes, batches and interruptions; the
// finished trace must not. So every row of a *keyed* table (/results, /sample_conditions) carries its
// position, and merging sorts by it. Rows of tables that refer to a keyed one (/links: `result` is a
// row of /results) follow their rows, and their references are renumbered. All other tables (the
// profile) and documents are taken in the order of the pieces. Pure functions, O(rows log rows).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/trace/table.hpp"

namespace fabricast {

struct RowPiece {
  TraceContent content;  // references are local to the piece
  // Of each keyed table that `content` has: the position of every row, unique in the whole run.
  std::map<std::string, std::vector<std::int64_t>, std::less<>> positions;
  // Parts of the run whose frame (machine, profile, configuration) is in it.
  std::set<std::int64_t> frames;
};

// A column whose values are row numbers of another table.
struct RowReference {
  std::string_view table, column, target;
};
std::span<const RowReference> row_references();

// One piece from several. Documents of one path must be equal, but for /config, whose texts are
// joined as YAML documents. Throws CheckError when tables of one path differ in their columns, when
// a position is there twice, or when a reference points nowhere.
RowPiece merge(std::span<const RowPiece> pieces);

}  // namespace fabricast
