#include "emulator/trace/segment_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "emulator/base/error.hpp"
#include "emulator/trace/input_file.hpp"
#include "emulator/trace/sha256.hpp"

namespace fabricast {
namespace {

constexpr const char* path_of_rows = "/segment_rows";
constexpr const char* frames_attribute = "segment_frames";

}  // namespace

TraceContent segment_content(const RowPiece& piece, const Manifest& manifest) {
  TraceContent content = piece.content;
  content.attributes = manifest.attributes;
  content.attributes["segment_of"] = manifest.trace;
  content.attributes[frames_attribute] = fmt::format("{}", fmt::join(piece.frames, " "));
  Column::Texts tables;
  Column::Integers values;
  for (const auto& [path, of_table] : piece.positions) {
    tables.insert(tables.end(), of_table.size(), path);
    values.insert(values.end(), of_table.begin(), of_table.end());
  }
  Table table{path_of_rows, "Where the rows of this segment belong in the finished trace", {}};
  table.add({"table", "", "table that the row belongs to", std::move(tables), {}});
  table.add({"position", "1", "rows are in ascending order of it", std::move(values), {}});
  content.tables.push_back(std::move(table));
  return content;
}

RowPiece piece_from(TraceContent content, const std::string& where) {
  const auto found = std::find_if(content.tables.begin(), content.tables.end(),
                                  [](const Table& table) { return table.path == path_of_rows; });
  const auto frames = content.attributes.find(frames_attribute);
  if (found == content.tables.end() || frames == content.attributes.end()) {
    throw CheckError(fmt::format("{}: it has no {} or no attribute {} (it is no segment)", where,
                                 path_of_rows, frames_attribute));
  }
  RowPiece piece;
  const auto& tables = found->texts("table");
  const auto& values = found->integers("position");
  for (std::size_t row = 0; row < std::min(tables.size(), values.size()); ++row) {
    piece.positions[tables[row]].push_back(values[row]);
  }
  std::istringstream words(frames->second);
  for (std::int64_t stage = 0; words >> stage;) piece.frames.insert(stage);
  content.tables.erase(found);
  content.attributes.clear();
  piece.content = std::move(content);
  return piece;
}

void describe_segment_file(const std::filesystem::path& folder, SegmentEntry& entry) {
  const auto path = folder / entry.file;
  InputFile file(path);
  Sha256 hash;
  std::array<char, 1 << 16> block;
  entry.bytes = 0;
  for (std::size_t count = 0; (count = file.read(block)) > 0;) {
    hash.update(block.data(), count);
    entry.bytes += count;
  }
  entry.sha256 = hash.finish();
}

}  // namespace fabricast
