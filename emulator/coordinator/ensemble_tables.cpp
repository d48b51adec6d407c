#include "emulator/coordinator/ensemble_tables.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "emulator/sim/order_statistics.hpp"
#include "emulator/trace/table_rows.hpp"

namespace fabricast {
namespace {

struct NamedQuantile {
  const char* name;
  double p;
};
constexpr std::array<NamedQuantile, 3> quantiles{{{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}};

double microseconds(std::int64_t ps) { return static_cast<double>(ps) / 1e6; }

}  // namespace

void add_ensembles(const std::vector<std::vector<std::int64_t>>& members, TraceContent& content) {
  TableRows rows("/ensemble"), each("/ensemble_members");
  for (std::size_t r = 0; r < members.size(); ++r) {
    if (members[r].empty()) continue;
    const auto result = static_cast<std::int64_t>(r);
    auto ascending = members[r];
    std::sort(ascending.begin(), ascending.end());
    std::int64_t sum = 0;
    for (std::size_t m = 0; m < members[r].size(); ++m) {
      sum += members[r][m];
      each.set("result", result).set("member", static_cast<std::int64_t>(m));
      each.set("time_ps", members[r][m]).end_row();
    }
    const auto count = static_cast<std::int64_t>(ascending.size());
    rows.set("result", result).set("members", count).set("mean_us", microseconds(sum / count));
    for (const auto& [name, p] : quantiles) {
      const auto q = sample_quantile(ascending, p);
      rows.set(fmt::format("{}_us", name), microseconds(q.value));
      rows.set(fmt::format("{}_low_us", name), microseconds(q.low.value_or(0)));
      rows.set(fmt::format("{}_high_us", name), microseconds(q.high.value_or(0)));
    }
    rows.end_row();
  }
  if (rows.rows() == 0) return;
  content.tables.push_back(rows.take());
  content.tables.push_back(each.take());
}

std::string render_ensembles(const TraceContent& content, const std::set<std::int64_t>& shown) {
  const Table* table = content.find("/ensemble");
  if (table == nullptr) return "";
  const auto is_shown = [&](std::int64_t row) { return shown.contains(row); };
  const auto& of_row = table->integers("result");
  if (std::none_of(of_row.begin(), of_row.end(), is_shown)) return "";
  const auto integers = [&](const std::string& name) -> const Column::Integers& {
    return std::get<Column::Integers>(table->find(name)->values);
  };
  const auto reals = [&](const std::string& name) -> const Column::Reals& {
    return std::get<Column::Reals>(table->find(name)->values);
  };
  std::string text = fmt::format(
      "# jitter: time (us) over members, [90 % interval], - where so few members do not bound it\n"
      "# {:>4} {:>8} {:>30} {:>30} {:>30}\n",
      "row", "members", "p50", "p95", "p99");
  for (std::size_t i = 0; i < table->rows(); ++i) {
    if (!is_shown(of_row[i])) continue;
    text += fmt::format("# {:>4} {:>8}", integers("result")[i], integers("members")[i]);
    for (const auto& [name, p] : quantiles) {
      const double low = reals(fmt::format("{}_low_us", name))[i];
      const double high = reals(fmt::format("{}_high_us", name))[i];
      text += fmt::format(" {:>30}",
                          fmt::format("{:.6g} [{}, {}]", reals(fmt::format("{}_us", name))[i],
                                      low > 0 ? fmt::format("{:.6g}", low) : "-",
                                      high > 0 ? fmt::format("{:.6g}", high) : "-"));
    }
    text += '\n';
  }
  return text;
}

}  // namespace fabricast
