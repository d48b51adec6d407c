#include "emulator/report/table_view.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>

namespace fabricast {
namespace {

enum class Side { left, right };

struct ColumnStyle {
  const char* title;
  const char* unit;
  std::size_t width;  // at least; nccl-tests' widths where the column is theirs
  Side side;
};

constexpr std::array<ColumnStyle, 17> styles{{{"size", "(B)", 12, Side::right},
                                              {"count", "(elements)", 12, Side::right},
                                              {"type", "", 8, Side::right},
                                              {"redop", "", 6, Side::right},
                                              {"root", "", 6, Side::right},
                                              {"time", "(us)", 9, Side::right},
                                              {"algbw", "(GB/s)", 7, Side::right},
                                              {"busbw", "(GB/s)", 7, Side::right},
                                              {"low", "(us)", 8, Side::right},
                                              {"high", "(us)", 8, Side::right},
                                              {"label", "", 5, Side::left},
                                              {"meas", "(%)", 4, Side::right},
                                              {"algorithm", "", 4, Side::left},
                                              {"protocol", "", 4, Side::left},
                                              {"ch", "", 2, Side::right},
                                              {"limiting term", "", 4, Side::left},
                                              {"row", "", 3, Side::right}}};
using Cells = std::array<std::string, styles.size()>;

// nccl-tests: two decimals, fewer as the number grows, so that the width stays.
std::string time_text(double us) {
  return us >= 10'000 ? fmt::format("{:.0f}", us)
         : us >= 100  ? fmt::format("{:.1f}", us)
                      : fmt::format("{:.2f}", us);
}

Cells cells_of(const ResultRow& r) {
  return {fmt::format("{}", r.bytes),
          fmt::format("{}", count_of(r)),
          type_name(r.dtype),
          r.redop,
          fmt::format("{}", root_of(r)),
          time_text(r.time_us),
          fmt::format("{:.2f}", r.algbw_gbps),
          fmt::format("{:.2f}", r.busbw_gbps),
          time_text(r.low_us),
          time_text(r.high_us),
          r.label,
          fmt::format("{:.0f}", 100 * r.measured_share),
          r.algorithm,
          r.protocol,
          fmt::format("{}", r.channels),
          r.limiting_term,
          fmt::format("{}", r.row)};
}

std::string line(const Cells& cells, const std::array<std::size_t, styles.size()>& widths,
                 bool comment) {
  std::string text;
  for (std::size_t i = 0; i < styles.size(); ++i) {
    std::size_t width = widths[i];
    if (i == 0) {
      text = comment ? "#" : "";
      width -= comment ? 1 : 0;
    } else {
      text += "  ";
    }
    text += styles[i].side == Side::right ? fmt::format("{:>{}}", cells[i], width)
                                          : fmt::format("{:<{}}", cells[i], width);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

std::string group_title(const std::vector<ResultRow>& rows, const std::string& shown) {
  const ResultRow& first = rows.front();
  const bool none_measured = std::all_of(rows.begin(), rows.end(),
                                         [](const ResultRow& r) { return r.measured_share == 0; });
  return fmt::format("# {} on {}, {} ranks, executor {}, {}{}\n", first.collective, first.machine,
                     first.ranks, first.executor, shown,
                     none_measured ? ", measured share 0 %" : "");
}

// A larger message that is predicted to take less time looks like an error. It is not where the row
// is cut otherwise than the one before it, so what changed is named (README.md says whose rule that
// is).
std::string faster_though_larger(const std::vector<ResultRow>& rows) {
  const auto cut = [](const ResultRow& r) {
    return fmt::format("{} {} {} ch", r.algorithm, r.protocol, r.channels);
  };
  std::string text;
  const ResultRow* before = nullptr;
  for (const ResultRow& row : rows) {
    if (row.measured()) continue;
    if (before != nullptr && row.bytes > before->bytes && row.time_ps < before->time_ps) {
      text += fmt::format("# less time for more: {} after {} ({} -> {})\n", size_text(row.bytes),
                          size_text(before->bytes), cut(*before), cut(row));
    }
    before = &row;
  }
  return text;
}

std::string render_group(std::vector<ResultRow> rows, const std::string& shown) {
  std::stable_sort(rows.begin(), rows.end(), [](const ResultRow& a, const ResultRow& b) {
    return std::make_tuple(a.bytes, !a.measured()) < std::make_tuple(b.bytes, !b.measured());
  });
  Cells titles, units;
  std::array<std::size_t, styles.size()> widths{};
  for (std::size_t i = 0; i < styles.size(); ++i) {
    titles[i] = styles[i].title;
    units[i] = styles[i].unit;
    widths[i] = std::max(styles[i].width, titles[i].size());
  }
  std::vector<Cells> lines;
  double busbw = 0;
  for (const ResultRow& row : rows) {
    lines.push_back(cells_of(row));
    busbw += row.busbw_gbps;
    for (std::size_t i = 0; i < styles.size(); ++i) {
      widths[i] = std::max(widths[i], lines.back()[i].size());
    }
  }
  std::string text =
      group_title(rows, shown) + line(titles, widths, true) + line(units, widths, true);
  for (const Cells& cells : lines) text += line(cells, widths, false);
  return text + faster_though_larger(rows) +
         fmt::format("# Avg bus bandwidth    : {:.6g}\n", busbw / static_cast<double>(rows.size()));
}

std::vector<ResultRow> rows_of(const TraceContent& content, const TableOptions& options) {
  std::vector<ResultRow> rows = result_rows(content, options.filter);
  return options.best ? fastest_rows(rows) : rows;
}

}  // namespace

std::set<std::int64_t> shown_rows(const TraceContent& content, const TableOptions& options) {
  std::set<std::int64_t> shown;
  for (const ResultRow& row : rows_of(content, options)) shown.insert(row.row);
  return shown;
}

std::string what_if_of(const TraceContent& content) {
  const auto found = content.attributes.find("what_if");
  return found == content.attributes.end() ? "" : found->second;
}

std::string what_if_line(const TraceContent& content) {
  const std::string changed = what_if_of(content);
  return changed.empty() ? "" : fmt::format("# what-if: {}\n", changed);
}

std::string render_table(const TraceContent& content, const TableOptions& options) {
  std::vector<ResultRow> rows = rows_of(content, options);
  if (rows.empty()) return "# no results\n";
  const Table* choices = content.find("/library_choice");
  const bool chosen = choices != nullptr && choices->rows() == content.at("/results").rows();
  const bool together = options.best || chosen;
  const auto key = [&](const ResultRow& r) {
    return std::make_tuple(r.machine, r.executor, r.collective, together ? "" : r.algorithm,
                           r.ranks);
  };
  std::vector<std::vector<ResultRow>> groups;  // in the order of first appearance
  for (ResultRow& row : rows) {
    const auto group = std::find_if(groups.begin(), groups.end(),
                                    [&](const auto& g) { return key(g.front()) == key(row); });
    if (group == groups.end()) {
      groups.push_back({std::move(row)});
    } else {
      group->push_back(std::move(row));
    }
  }
  std::string text;
  for (auto& group : groups) {
    const std::string shown = chosen         ? "the library's own choice per size"
                              : options.best ? "fastest algorithm per size"
                                             : "algorithm " + group.front().algorithm;
    text += (text.empty() ? "" : "#\n") + render_group(std::move(group), shown);
  }
  return text;
}

}  // namespace fabricast
