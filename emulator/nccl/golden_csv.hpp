// A communicator as tables of text, in the columns of tests/golden/nccl: graphs, channels, model,
// selection. Pure functions.
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
// Rows without header; `topology` is the first column.
std::string csv_rows(CsvTable table, const std::string& topology, const Communicator& communicator);

}  // namespace fabricast::nccl
