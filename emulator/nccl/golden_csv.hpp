// A communicator as tables of text, in the columns of tests/golden/nccl: graphs, channels, model,
// selection. The first three are of the communicator; selection answers a question. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "emulator/nccl/choice.hpp"

namespace fabricast::nccl {

enum class CsvTable : std::uint8_t { graphs, channels, model, selection };
std::vector<std::string> csv_table_names();
// UsageError with a did-you-mean.
CsvTable csv_table_from_name(std::string_view name);

std::string csv_header(CsvTable table);

// What `selection` is asked. Collectives that NCCL chooses no algorithm for have no rows.
struct CsvQuestion {
  std::vector<Collective> collectives;
  std::vector<std::int64_t> sizes;
  DataType type = DataType::float32;
};
CsvQuestion golden_question();  // what tests/golden/nccl/selection.csv answers

// Rows without header; `topology` is the first column. Only selection reads the question.
std::string csv_rows(CsvTable table, const std::string& topology, const Communicator& communicator,
                     const CsvQuestion& question);

}  // namespace fabricast::nccl
