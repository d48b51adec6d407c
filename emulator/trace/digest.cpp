// The canonical encoding that content_digest hashes; docs/trace-format.md, "Content digest".

#include <algorithm>
#include <array>
#include <bit>

#include "emulator/trace/sha256.hpp"
#include "emulator/trace/table.hpp"

namespace fabricast {
namespace {

constexpr std::array<std::string_view, 17> covered_roots{"/config",
                                                         "/ensemble",
                                                         "/ensemble_members",
                                                         "/evidence",
                                                         "/holdout",
                                                         "/job_links",
                                                         "/jobs",
                                                         "/links",
                                                         "/machine",
                                                         "/profile",
                                                         "/profile_correlations",
                                                         "/rank_classes",
                                                         "/result_shares",
                                                         "/results",
                                                         "/step_coverage",
                                                         "/steps",
                                                         "/timeline"};

bool covered(std::string_view path) {
  return std::any_of(covered_roots.begin(), covered_roots.end(), [&](std::string_view root) {
    return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
  });
}

// Little-endian whatever the host.
void put(Sha256& hash, std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  hash.update(bytes.data(), bytes.size());
}

void put(Sha256& hash, std::string_view text) {
  put(hash, static_cast<std::uint64_t>(text.size()));
  hash.update(text);
}

struct PutValues {
  Sha256& hash;
  const Column& column;

  void operator()(const Column::Integers& values) const {
    put(hash, "int64");
    for (const std::int64_t v : values) put(hash, static_cast<std::uint64_t>(v));
  }
  void operator()(const Column::Reals& values) const {
    put(hash, "float64");
    for (const double v : values) put(hash, std::bit_cast<std::uint64_t>(v));
  }
  void operator()(const Column::Texts& values) const {
    put(hash, "text");
    for (const std::string& v : values) put(hash, std::string_view(v));
  }
  void operator()(const Column::Codes& values) const {
    put(hash, "code");
    put(hash, static_cast<std::uint64_t>(column.flag_meanings.size()));
    for (const std::string& meaning : column.flag_meanings) put(hash, std::string_view(meaning));
    hash.update(values.data(), values.size());
  }
};

void put_table(Sha256& hash, const Table& table) {
  put(hash, "table");
  put(hash, std::string_view(table.path));
  put(hash, static_cast<std::uint64_t>(table.columns.size()));
  put(hash, static_cast<std::uint64_t>(table.rows()));
  std::vector<const Column*> columns;
  for (const Column& column : table.columns) columns.push_back(&column);
  std::sort(columns.begin(), columns.end(),
            [](const Column* a, const Column* b) { return a->name < b->name; });
  for (const Column* column : columns) {
    put(hash, std::string_view(column->name));
    put(hash, std::string_view(column->units));
    std::visit(PutValues{hash, *column}, column->values);
  }
}

}  // namespace

std::string content_digest(const TraceContent& content) {
  Sha256 hash;
  put(hash, "fabricast-content-1");
  for (const auto& [path, text] : content.documents) {  // a map: already in byte order
    if (!covered(path)) continue;
    put(hash, "document");
    put(hash, std::string_view(path));
    put(hash, std::string_view(text));
  }
  std::vector<const Table*> tables;
  for (const Table& table : content.tables) {
    if (covered(table.path)) tables.push_back(&table);
  }
  std::sort(tables.begin(), tables.end(),
            [](const Table* a, const Table* b) { return a->path < b->path; });
  for (const Table* table : tables) put_table(hash, *table);
  return hash.finish();
}

}  // namespace fabricast
