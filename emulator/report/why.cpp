#include "emulator/report/why.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/report/machine_citation.hpp"
#include "emulator/report/result_rows.hpp"
#include "emulator/report/sample_evidence.hpp"

namespace fabricast {
namespace {

constexpr std::size_t max_citations = 3;

std::string us(double value) { return fmt::format("{:.6g} us", value); }

// A standard deviation of a logarithm as people say it: "within a factor of 1.2".
std::string spread(double sigma_ln) {
  return sigma_ln > 0 ? fmt::format(", give or take a factor of {:.3g}", std::exp(sigma_ln))
                      : std::string(", taken as exact");
}

std::string distance(const char* what, double ratio) {
  if (ratio <= 0) return fmt::format("no sample of its {}", what);
  if (std::abs(ratio - 1) < 0.005) return fmt::format("the same {}", what);
  return fmt::format("{:.4g} x the {}", ratio, what);
}

std::string headline(const ResultRow& r) {
  std::string text = fmt::format("row {}: {} {} of {} on {}\n", r.row, r.collective, r.algorithm,
                                 size_text(r.bytes), r.machine);
  text += fmt::format("  conditions     {} ranks, channels {}, protocol {}, {}, executor {}\n",
                      r.ranks, r.channels, r.protocol, r.dtype, r.executor);
  text += fmt::format("  time           {}; interval {}: {} to {}\n", us(r.time_us), r.interval,
                      us(r.low_us), us(r.high_us));
  text += fmt::format("  bandwidth      algbw {:.4g} GB/s, busbw {:.4g} GB/s\n", r.algbw_gbps,
                      r.busbw_gbps);
  if (r.bound_us > 0) {
    text += fmt::format("  physical bound {} by bandwidth alone: the time is {:.4g} x that\n",
                        us(r.bound_us), r.time_us / r.bound_us);
  }
  text += fmt::format("  label          {}\n", r.label);
  if (!r.measured()) {
    text += r.evidence_ranks_ratio <= 0 && r.evidence_bytes_ratio <= 0
                ? "  evidence       no sample of its collective, algorithm, protocol and channels\n"
                : fmt::format("  evidence       {} and {} of the nearest sample\n",
                              distance("ranks", r.evidence_ranks_ratio),
                              distance("bytes", r.evidence_bytes_ratio));
  }
  text += fmt::format("  measured share {:.0f} % of the critical path\n", 100 * r.measured_share);
  return text + fmt::format("  limited by     {}\n", r.limiting_term);
}

std::string link_lines(const TraceContent& content, std::int64_t row) {
  const Table* links = content.find("/links");
  if (links == nullptr) return {};
  const auto& result = links->integers("result");
  std::string text;
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i] != row) continue;
    text += fmt::format("  {:<14} busiest of {} links: {} B at {:.4g} GB/s, {:.1f} % busy\n",
                        links->texts("link_class")[i], links->integers("links")[i],
                        links->integers("wire_bytes_max")[i], links->reals("capacity_gbps")[i],
                        100 * links->reals("utilization")[i]);
  }
  return text.empty() ? text : "\nLinks\n" + text;
}

struct Share {
  std::string parameter, origin;
  double share = 0;
};

std::vector<Share> shares_of(const TraceContent& content, std::int64_t row) {
  std::vector<Share> shares;
  const Table* table = content.find("/result_shares");
  if (table == nullptr) return shares;
  const auto& result = table->integers("result");
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i] != row) continue;
    shares.push_back(
        {table->texts("parameter")[i], table->texts("origin")[i], table->reals("share")[i]});
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const Share& a, const Share& b) { return a.share > b.share; });
  return shares;
}

std::string share_lines(const std::vector<Share>& shares) {
  if (shares.empty()) return "\nWhere the time goes\n  no shares in this trace\n";
  std::string text = "\nWhere the time goes (critical path by parameter)\n";
  for (const Share& s : shares) {
    text += fmt::format("  {:>5.1f} %  {:<28} {}\n", 100 * s.share, s.parameter, s.origin);
  }
  return text;
}

std::string sensitivity_lines(const TraceContent& content, std::int64_t row) {
  const Table& results = content.at("/results");
  std::string text;
  for (const char* top : {"top1_", "top2_", "top3_"}) {
    const auto index = static_cast<std::size_t>(row);
    const std::string& id = results.texts(std::string(top) + "id")[index];
    if (id.empty()) continue;
    text += fmt::format("  {:>5.3f}    {}\n", results.reals(std::string(top) + "share")[index], id);
  }
  return text.empty() ? text : "\nWhat it depends on most (|d ln time / d ln parameter|)\n" + text;
}

std::string machine_yaml(const TraceContent& content, const std::string& machine) {
  for (const std::string& path : {"/machine/" + machine, std::string("/machine")}) {
    const auto document = content.documents.find(path);
    if (document != content.documents.end()) return document->second;
  }
  return {};
}

// Row of /profile: that of the machine and executor if there is one, else of the executor alone.
std::size_t profile_row(const Table& profile, const std::string& id, const ResultRow& result) {
  const auto& ids = profile.texts("id");
  std::size_t found = ids.size();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != id || profile.texts("executor")[i] != result.executor) continue;
    if (profile.texts("machine")[i] == result.machine) return i;
    if (found == ids.size()) found = i;
  }
  return found;
}

std::string citation_lines(const std::string& yaml, const std::string& id,
                           const std::string& source) {
  const auto citations = find_citations(yaml, id, source);
  std::string text;
  for (std::size_t c = 0; c < citations.size() && c < max_citations; ++c) {
    text += fmt::format("    machine file {}, line {}\n", citations[c].key_path,
                        citations[c].first_line);
    int line = citations[c].first_line;
    for (const std::string& excerpt : citations[c].excerpt) {
      text += fmt::format("      {:>4} | {}\n", line++, excerpt);
    }
  }
  return text;
}

std::string parameter_lines(const TraceContent& content, const std::string& id,
                            const ResultRow& result) {
  const Table* profile = content.find("/profile");
  const std::size_t i = profile != nullptr ? profile_row(*profile, id, result) : 0;
  if (profile == nullptr || i == profile->rows()) {
    return fmt::format("  {}\n    not in /profile for executor {}\n", id, result.executor);
  }
  const auto text_of = [&](const char* name) { return profile->texts(name)[i]; };
  const std::string unit = text_of("unit") == "1" ? "" : " " + text_of("unit");
  std::string text = fmt::format("  {} = {:.6g}{}{}\n", id, profile->reals("value")[i], unit,
                                 spread(profile->reals("sigma_ln")[i]));
  const bool moved = text_of("source") != text_of("prior_source") ||
                     profile->reals("value")[i] != profile->reals("prior_value")[i];
  if (moved) text += fmt::format("    value        {}: {}\n", text_of("origin"), text_of("source"));
  text +=
      fmt::format("    scope        {}; {}\n", text_of("scope"), profile->meaning("identified", i));
  text += fmt::format("    prior        {:.6g}{}{}, {}: {}\n", profile->reals("prior_value")[i],
                      unit, spread(profile->reals("prior_sigma_ln")[i]), text_of("prior_origin"),
                      text_of("prior_source"));
  if (!text_of("transfer_rule").empty()) {
    text += fmt::format("    transferred  by rule {}\n", text_of("transfer_rule"));
  }
  text += citation_lines(machine_yaml(content, text_of("machine")), id, text_of("prior_source"));
  return text + parameter_evidence(content, id, result.executor, profile->integers("samples")[i]);
}

std::string parameter_section(const TraceContent& content, const ResultRow& result,
                              const std::vector<Share>& shares) {
  std::vector<std::string> ids;
  std::set<std::string> seen;
  const auto want = [&](const std::string& id) {
    if (!id.empty() && seen.insert(id).second) ids.push_back(id);
  };
  for (const Share& share : shares) want(share.parameter);
  for (const char* top : {"top1_id", "top2_id", "top3_id"}) {
    want(content.at("/results").texts(top)[static_cast<std::size_t>(result.row)]);
  }
  std::string text;
  for (const std::string& id : ids) text += parameter_lines(content, id, result);
  return text.empty() ? text : "\nParameters\n" + text;
}

}  // namespace

std::string render_why(const TraceContent& content, std::int64_t row) {
  const std::vector<ResultRow> rows = result_rows(content);
  if (row < 0 || row >= static_cast<std::int64_t>(rows.size())) {
    throw UsageError(
        fmt::format("no row {} (/results has rows 0 to {}) the last column of "
                    "`fabricast report` is the row",
                    row, static_cast<std::int64_t>(rows.size()) - 1));
  }
  const ResultRow& result = rows[static_cast<std::size_t>(row)];
  std::string text = headline(result);
  if (result.measured()) return text + measured_evidence(content, result);
  const std::vector<Share> shares = shares_of(content, row);
  return text + link_lines(content, row) + share_lines(shares) + sensitivity_lines(content, row) +
         parameter_section(content, result, shares);
}

}  // namespace fabricast
