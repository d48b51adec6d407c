#include "emulator/profile/nccl_tests_row.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "emulator/profile/log_line.hpp"

namespace fabricast {
namespace {

// Of nccl-tests (src/common.cu, test_typenames) and rccl-tests, 1.x and 2.x.
constexpr std::array<std::string_view, 18> types{
    "int8",  "char",   "uint8",    "int32",  "int",    "uint32",   "int64",    "uint64", "half",
    "float", "double", "bfloat16", "f8e4m3", "f8e5m2", "fp8_e4m3", "fp8_e5m2", "float8", "uint"};
constexpr std::array<std::string_view, 7> redops{"sum", "prod",   "max", "min",
                                                 "avg", "mulsum", "none"};
constexpr std::size_t blank_timing = 30;  // white space that stands for a placement not run

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class Integer>
std::optional<Integer> integer(std::string_view word) {
  Integer value = 0;
  const auto* const end = word.data() + word.size();
  const auto [at, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc() || at != end || word.empty()) return std::nullopt;
  return value;
}

// The reduction a word begins with: NCCL's log may follow it without a space.
std::string_view redop_of(std::string_view word) {
  for (const auto name : redops) {
    if (word == name) return name;
  }
  return {};
}

// Numbers up to the first other word; a time stamp at the end of a line is left out.
void take_words(const std::vector<std::string_view>& words, std::size_t from, RowPieces& pieces) {
  for (std::size_t i = from; i < words.size(); ++i) {
    const auto word = printed_word(words[i]);
    if (!word) {
      const bool stamp = i + 2 == words.size() && words[i].size() == 10 && words[i][4] == '-';
      pieces.loose = !stamp;
      return;
    }
    pieces.words.push_back(*word);
  }
}

// How many words there are besides the timings, or none if the numbers do not add up.
struct Layout {
  std::size_t skipped = 0, per_timing = 4, placements = 2;
};
std::optional<Layout> layout_of(const RowPieces& pieces, const NcclTestsColumns& columns) {
  const std::size_t n = pieces.words.size();
  if (columns.known) {
    const std::size_t skipped = columns.root ? 1 : 0;
    if (n < skipped) return std::nullopt;
    for (std::size_t placements = columns.placements; placements > 0; --placements) {
      if (n - skipped == placements * columns.per_timing) {
        return Layout{skipped, columns.per_timing, placements};
      }
    }
    return std::nullopt;
  }
  for (const Layout& layout : {Layout{0, 4, 2}, Layout{1, 4, 2}, Layout{0, 8, 2}, Layout{1, 8, 2},
                               Layout{0, 4, 1}, Layout{1, 4, 1}}) {
    if (n == layout.skipped + layout.per_timing * layout.placements) return layout;
  }
  return std::nullopt;
}

}  // namespace

std::optional<PrintedWord> printed_word(std::string_view word) {
  if (word == "N/A") return PrintedWord{};
  const std::string_view digits = word.starts_with('-') ? word.substr(1) : word;
  if (digits == "nan" || digits == "inf") {
    return PrintedWord{PrintedNumber{std::numeric_limits<double>::infinity(), 0}};
  }
  if (digits.empty() || !is_digit(digits.front())) return std::nullopt;
  double value = 0;
  const auto* const end = word.data() + word.size();
  const auto [at, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc() || at != end || !std::isfinite(value)) return std::nullopt;
  const auto e = word.find_first_of("eE");
  const auto point = word.find('.');
  double unit = 1;
  if (point != std::string_view::npos) {
    const auto last = std::min(e, word.size());
    unit = std::pow(10.0, -static_cast<double>(last - point - 1));
  }
  if (e != std::string_view::npos) {
    const auto exponent = word.substr(word[e + 1] == '+' ? e + 2 : e + 1);
    unit *= std::pow(10.0, integer<int>(exponent).value_or(0));
  }
  return PrintedWord{PrintedNumber{value, unit / 2}};
}

std::optional<NcclTestsColumns> columns_of(std::string_view line) {
  const auto words = words_of(line);
  const auto has = [&](std::string_view name) {
    return std::find(words.begin(), words.end(), name) != words.end();
  };
  const bool sizes = has("size") || has("bytes");
  if (words.empty() || words.front() != "#" || !sizes || !has("algbw") || !has("busbw")) {
    return std::nullopt;
  }
  NcclTestsColumns columns;
  columns.known = true;
  columns.root = has("root");
  columns.counts_wrong = has("#wrong");
  columns.cpu_time = has("cputime");
  std::vector<std::size_t> times;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "time" || words[i] == "cputime") times.push_back(i);
  }
  std::size_t end = words.size();
  if (has("timestamp")) --end;
  if (times.empty()) return std::nullopt;
  columns.placements = std::min<std::size_t>(2, times.size());
  columns.per_timing = (times.size() > 1 ? times[1] : end) - times[0];
  if (columns.per_timing < 4) return std::nullopt;
  return columns;
}

std::optional<RowPieces> row_start(std::string_view line, const NcclTestsColumns& columns) {
  const auto words = words_of(line);
  if (words.size() < 3) return std::nullopt;
  const auto bytes = integer<std::int64_t>(words[0]);
  const auto count = integer<std::int64_t>(words[1]);
  const bool typed = std::find(types.begin(), types.end(), words[2]) != types.end();
  if (!bytes || !count || *bytes < 0 || *count < 0 || !typed) return std::nullopt;
  RowPieces pieces;
  pieces.row.bytes = *bytes;
  pieces.row.dtype = std::string(words[2]);
  std::size_t next = 3;
  if (next < words.size() && !redop_of(words[next]).empty()) {
    pieces.row.redop = std::string(redop_of(words[next++]));
  }
  // The words before the first time: count the white space behind them.
  const std::size_t before = next + (columns.known && columns.root ? 1 : 0);
  if (before < words.size() && before > 0) {
    const auto* const last = words[before - 1].data() + words[before - 1].size();
    pieces.gap = static_cast<std::size_t>(words[before].data() - last);
  }
  take_words(words, next, pieces);
  return pieces;
}

bool continue_row(std::string_view line, RowPieces& pieces) {
  const auto words = words_of(line);
  if (words.empty() || !printed_word(words.front())) return false;
  pieces.loose = false;
  take_words(words, 0, pieces);
  return true;
}

bool is_whole(const RowPieces& pieces, const NcclTestsColumns& columns) {
  if (!columns.known) {
    const auto layout = layout_of(pieces, columns);
    return layout && layout->placements == 2;
  }
  return pieces.words.size() >= (columns.root ? 1 : 0) + columns.placements * columns.per_timing;
}

std::string finish_row(RowPieces& pieces, const NcclTestsColumns& columns) {
  const auto layout = layout_of(pieces, columns);
  if (!layout) {
    return fmt::format("the row is not whole ({} numbers{})", pieces.words.size(),
                       pieces.loose ? ", then other text" : "");
  }
  if (layout->skipped > 0 && pieces.words.front().number) {
    const double root = pieces.words.front().number->value;
    if (!(root >= -1 && root < std::numeric_limits<std::int32_t>::max())) return "no such root";
    pieces.row.root = static_cast<std::int32_t>(root);
  }
  for (std::size_t k = 0; k < layout->placements; ++k) {
    const auto* const w = &pieces.words[layout->skipped + k * layout->per_timing];
    if (!w[0].number || !w[1].number || !w[2].number) return "a time or a bandwidth is missing";
    NcclTestsTiming timing;
    timing.in_place = k == 1 || (layout->placements == 1 && pieces.gap > blank_timing);
    timing.time_us = *w[0].number;
    timing.algbw = *w[1].number;
    timing.busbw = *w[2].number;
    // Without the head, a fraction is the older versions' error.
    const bool counted = columns.counts_wrong && w[3].number &&
                         (columns.known || w[3].number->value == std::floor(w[3].number->value));
    if (counted) timing.wrong = w[3].number->value;
    pieces.row.timings.push_back(timing);
  }
  return {};
}

}  // namespace fabricast
