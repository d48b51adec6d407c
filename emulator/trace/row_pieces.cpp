#include "emulator/trace/row_pieces.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

constexpr std::array<RowReference, 12> references{{{"/samples", "condition", "/sample_conditions"},
                                                  {"/sample_sources", "sample", "/samples"},
                                                  {"/result_shares", "result", "/results"},
                                                  {"/links", "result", "/results"},
                                                  {"/timeline", "result", "/results"},
                                                  {"/steps", "result", "/results"},
                                                  {"/step_coverage", "result", "/results"},
                                                  {"/ensemble", "result", "/results"},
                                                  {"/ensemble_members", "result", "/results"},
                                                  {"/jobs", "result", "/results"},
                                                  {"/job_links", "result", "/results"},
                                                  {"/library_choice", "result", "/results"}}};
constexpr const char* config = "/config";

const RowReference* reference_of(std::string_view path) {
  const auto* found = std::find_if(references.begin(), references.end(),
                                   [&](const RowReference& r) { return r.table == path; });
  return found == references.end() ? nullptr : found;
}

// Appends the rows of `from`, whose columns must be the same ones.
void append(Table& to, const Table& from) {
  const bool alike = to.columns.size() == from.columns.size() &&
                     std::equal(to.columns.begin(), to.columns.end(), from.columns.begin(),
                                [](const Column& a, const Column& b) {
                                  return a.name == b.name && a.values.index() == b.values.index() &&
                                         a.flag_meanings == b.flag_meanings;
                                });
  if (!alike) {
    throw CheckError(fmt::format(
        "{}: its columns differ between the parts of this run (written by different versions?) start "
        "the run over with --force",
        to.path));
  }
  for (std::size_t i = 0; i < to.columns.size(); ++i) {
    std::visit(
        [&](auto& values) {
          const auto& more = std::get<std::decay_t<decltype(values)>>(from.columns[i].values);
          values.insert(values.end(), more.begin(), more.end());
        },
        to.columns[i].values);
  }
}

void permute(Table& table, const std::vector<std::size_t>& order) {
  for (Column& column : table.columns) {
    std::visit(
        [&](auto& values) {
          std::decay_t<decltype(values)> sorted;
          sorted.reserve(values.size());
          for (const std::size_t row : order) sorted.push_back(std::move(values[row]));
          values = std::move(sorted);
        },
        column.values);
  }
}

std::vector<std::size_t> order_by(const std::vector<std::int64_t>& keys) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  return order;
}

Table* find(TraceContent& content, std::string_view path) {
  const auto found = std::find_if(content.tables.begin(), content.tables.end(),
                                  [&](const Table& table) { return table.path == path; });
  return found == content.tables.end() ? nullptr : &*found;
}

class Merge {
 public:
  RowPiece run(std::span<const RowPiece> pieces) {
    for (const RowPiece& piece : pieces) take(piece);
    for (auto& [path, positions] : merged_.positions) sort_rows(path, positions);
    for (const RowReference& reference : references) follow(reference);
    return std::move(merged_);
  }

 private:
  void take(const RowPiece& piece) {
    for (const auto& [path, text] : piece.content.documents) add_document(path, text);
    for (const auto& [name, value] : piece.content.attributes) {
      merged_.content.attributes.try_emplace(name, value);
    }
    for (const Table& table : piece.content.tables) {
      Table copy = table;
      if (const RowReference* reference = reference_of(table.path)) shift(copy, *reference, piece);
      if (Table* known = find(merged_.content, table.path)) {
        append(*known, copy);
      } else {
        merged_.content.tables.push_back(std::move(copy));
      }
    }
    merged_.frames.insert(piece.frames.begin(), piece.frames.end());
    for (const auto& [path, positions] : piece.positions) {
      auto& all = merged_.positions[path];
      all.insert(all.end(), positions.begin(), positions.end());
    }
  }

  void add_document(const std::string& path, const std::string& text) {
    const auto [known, fresh] = merged_.content.documents.try_emplace(path, text);
    if (fresh) return;
    if (path == config) {
      known->second += "---\n" + text;
    } else if (known->second != text) {
      throw CheckError(fmt::format("{} is not the same in all parts of this run (it was changed "
                                   "meanwhile?) start the run over with --force",
                                   path));
    }
  }

  // Row numbers of the piece become row numbers of all rows taken so far.
  void shift(Table& table, const RowReference& reference, const RowPiece& piece) {
    const Table* target = piece.content.find(reference.target);
    const Table* before = merged_.content.find(reference.target);
    const auto rows = static_cast<std::int64_t>(target == nullptr ? 0 : target->rows());
    // The target may have been taken before this table or may come after it.
    const bool taken = before != nullptr && taken_before(piece, reference);
    const auto offset = static_cast<std::int64_t>(before == nullptr ? 0 : before->rows()) - (taken ? rows : 0);
    for (Column& column : table.columns) {
      if (column.name != reference.column) continue;
      auto* values = std::get_if<Column::Integers>(&column.values);
      if (values == nullptr) break;
      for (std::int64_t& value : *values) {
        if (value < 0 || value >= rows) {
          throw CheckError(fmt::format("{}/{} refers to row {} of {}, which has {}", table.path,
                                       column.name, value, reference.target, rows));
        }
        value += offset;
      }
      return;
    }
    throw CheckError(fmt::format("{} has no column {} of row numbers", table.path, reference.column));
  }

  static bool taken_before(const RowPiece& piece, const RowReference& reference) {
    for (const Table& table : piece.content.tables) {
      if (table.path == reference.target) return true;
      if (table.path == reference.table) return false;
    }
    return false;
  }

  void sort_rows(const std::string& path, std::vector<std::int64_t>& positions) {
    Table* table = find(merged_.content, path);
    if (table == nullptr || table->rows() != positions.size()) {
      throw CheckError(fmt::format("{}: {} rows, but {} positions", path,
                                   table == nullptr ? 0 : table->rows(), positions.size()));
    }
    const auto order = order_by(positions);
    auto& moved = moved_[path];
    moved.resize(order.size());
    std::vector<std::int64_t> sorted;
    for (std::size_t to = 0; to < order.size(); ++to) {
      moved[order[to]] = static_cast<std::int64_t>(to);
      sorted.push_back(positions[order[to]]);
    }
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
      throw CheckError(fmt::format("{}: a row is there twice", path));
    }
    permute(*table, order);
    positions = std::move(sorted);
  }

  void follow(const RowReference& reference) {
    Table* table = find(merged_.content, reference.table);
    const auto moved = moved_.find(reference.target);
    if (table == nullptr || moved == moved_.end()) return;
    for (Column& column : table->columns) {
      if (column.name != reference.column) continue;
      auto& values = std::get<Column::Integers>(column.values);
      for (std::int64_t& value : values) value = moved->second[static_cast<std::size_t>(value)];
      const auto order = order_by(std::vector<std::int64_t>(values));
      permute(*table, order);
      auto& own = moved_[std::string(reference.table)];  // other tables may refer to this one
      own.resize(order.size());
      for (std::size_t to = 0; to < order.size(); ++to) {
        own[order[to]] = static_cast<std::int64_t>(to);
      }
      return;
    }
  }

  RowPiece merged_;
  std::map<std::string, std::vector<std::int64_t>, std::less<>> moved_;  // new row of each old one
};

}  // namespace

std::span<const RowReference> row_references() { return references; }

RowPiece merge(std::span<const RowPiece> pieces) { return Merge().run(pieces); }

}  // namespace fabricast
