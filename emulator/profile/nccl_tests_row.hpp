// A row of nccl-tests' table, from the words of its line.
//
//   size count type [redop] [root]  {time algbw busbw wrong [i_min i_max i_p99 i_cv]} x 1 or 2
//
// The columns came and went with the versions: `redop` with reductions, `root` with 2.13, the error
// became a count (`#wrong`) in 2.13, four figures of single iterations with -I, a time stamp with
// -S (src/common.cu, src/util.cu). The number of words decides where the table's head is missing.
// Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "emulator/profile/nccl_tests_run.hpp"

namespace fabricast {

// What the head of the table says.
struct NcclTestsColumns {
  std::size_t per_timing = 4;  // words of one placement
  std::size_t placements = 2;
  bool root = false;
  bool known = false;  // there was a head
  bool cpu_time = false;
  bool counts_wrong = true;  // `#wrong`; else an error whose tolerance is not printed
};

// The head's line of names ("#  size  count  type ..."), if this is it.
std::optional<NcclTestsColumns> columns_of(std::string_view line);

// "12.34", "1.2e+04"; "nan" and "inf" are infinite; "N/A" has no value. Empty: none of these.
struct PrintedWord {
  std::optional<PrintedNumber> number;
};
std::optional<PrintedWord> printed_word(std::string_view word);

// A row as far as it was printed: NCCL's log can come between its parts.
struct RowPieces {
  NcclTestsRow row;                // without timings
  std::vector<PrintedWord> words;  // after the root; the root first where the columns are unknown
  std::size_t gap = 0;             // white space before the first of them
  bool loose = false;              // other text followed: more of it may come
};

// The start of a row, or empty if the line is none.
std::optional<RowPieces> row_start(std::string_view line, const NcclTestsColumns& columns);
// Adds the numbers that `line` begins with; false if it begins with something else.
bool continue_row(std::string_view line, RowPieces& pieces);

// Are all words there?
bool is_whole(const RowPieces& pieces, const NcclTestsColumns& columns);
// The timings, or why they cannot be read.
std::string finish_row(RowPieces& pieces, const NcclTestsColumns& columns);

}  // namespace fabricast
