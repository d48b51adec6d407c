#include "emulator/trace/summary.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace fabricast::hdf5 {
namespace {

struct Source {
  const char* member;
  const char* column;
};
// Units as in /results: us, GB/s, B. Short names, because people type them.
constexpr std::array<Source, 13> sources{{{"machine", "machine"},
                                          {"executor", "executor"},
                                          {"collective", "collective"},
                                          {"algorithm", "algorithm"},
                                          {"protocol", "protocol"},
                                          {"ranks", "ranks"},
                                          {"bytes", "bytes"},
                                          {"time_us", "time_us"},
                                          {"algbw", "algbw_gbps"},
                                          {"busbw", "busbw_gbps"},
                                          {"low", "low_us"},
                                          {"high", "high_us"},
                                          {"label", "label"}}};

// Values of a column as they lie in a row; a code becomes its meaning.
struct Packed {
  MemberType type = MemberType::text;
  std::vector<std::string> cells;  // raw bytes
};

template <class Number>
std::string raw(Number value) {
  std::string bytes(sizeof(Number), '\0');
  std::memcpy(bytes.data(), &value, sizeof(Number));
  return bytes;
}

Packed pack(const Table& table, const Column& column) {
  Packed packed;
  if (const auto* integers = std::get_if<Column::Integers>(&column.values)) {
    packed.type = MemberType::integer;
    for (const std::int64_t v : *integers) packed.cells.push_back(raw(v));
  } else if (const auto* reals = std::get_if<Column::Reals>(&column.values)) {
    packed.type = MemberType::real;
    for (const double v : *reals) packed.cells.push_back(raw(v));
  } else if (const auto* texts = std::get_if<Column::Texts>(&column.values)) {
    packed.cells = *texts;
  } else {
    for (std::size_t row = 0; row < column.size(); ++row) {
      packed.cells.push_back(table.meaning(column.name, row));
    }
  }
  return packed;
}

}  // namespace

Summary build_summary(const Table& results) {
  Summary summary;
  summary.rows = results.rows();
  std::vector<Packed> packed(1);
  packed[0].type = MemberType::integer;
  for (std::size_t row = 0; row < summary.rows; ++row) {
    packed[0].cells.push_back(raw(static_cast<std::int64_t>(row)));
  }
  summary.members.push_back({"row", MemberType::integer, 0, 8});
  for (const Source& source : sources) {
    const Column* column = results.find(source.column);
    if (column == nullptr) continue;
    packed.push_back(pack(results, *column));
    SummaryMember member{source.member, packed.back().type, 0, 8};
    if (member.type == MemberType::text) {
      member.bytes = 1;
      for (const std::string& cell : packed.back().cells) {
        member.bytes = std::max(member.bytes, cell.size());
      }
    }
    summary.members.push_back(member);
  }
  for (SummaryMember& member : summary.members) {
    member.offset = summary.row_bytes;
    summary.row_bytes += member.bytes;
  }
  summary.data.assign(summary.rows * summary.row_bytes, '\0');
  for (std::size_t m = 0; m < summary.members.size(); ++m) {
    for (std::size_t row = 0; row < summary.rows; ++row) {
      const std::string& cell = packed[m].cells[row];
      char* target = summary.data.data() + row * summary.row_bytes + summary.members[m].offset;
      std::copy(cell.begin(), cell.end(), target);
    }
  }
  return summary;
}

}  // namespace fabricast::hdf5
