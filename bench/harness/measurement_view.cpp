#include "bench/harness/measurement_view.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kernels/data_type.hpp"

namespace fabricast {
namespace {

std::string redop_of(Collective collective, const std::string& op) {
  return reduces(collective) ? op : "none";
}

int root_of(Collective collective) { return has_root(collective) ? 0 : -1; }

// nccl-tests counts the elements of one rank's block where blocks are equal, else of the message.
std::int64_t count_of(const Conditions& c) {
  const std::int64_t elements = c.bytes / size_of(data_type_from_name(c.dtype));
  return has_rank_blocks(c.collective) ? elements / c.ranks : elements;
}

struct Rates {
  double time_us = 0, algbw = 0, busbw = 0;
};

Rates rates_of(const Conditions& c, double time_us) {
  const double algbw = algbw_gb_per_s(c.bytes, time_us);
  return {time_us, algbw, algbw * busbw_factor(c.collective, c.ranks)};
}

constexpr const char* block_header =
    "#                                                              out-of-place"
    "                       in-place\n"
    "#       size         count      type   redop    root     time   algbw   busbw #wrong     time"
    "   algbw   busbw #wrong\n"
    "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)"
    "  (GB/s)  (GB/s)\n";
constexpr const char* no_columns = "      N/A     N/A     N/A    N/A";

std::string wrong_text(const CaseReport& entry) {
  return entry.wrong < 0 ? "N/A" : fmt::format("{}", entry.wrong);
}

std::string side(const CaseReport& entry, const SampleSet::Summary& summary) {
  if (summary.count == 0) {
    return fmt::format("      N/A     N/A     N/A {:>6}", wrong_text(entry));
  }
  const Rates rates = rates_of(entry.conditions, summary.median);
  return fmt::format(" {:>8.2f} {:>7.2f} {:>7.2f} {:>6}", rates.time_us, rates.algbw, rates.busbw,
                     wrong_text(entry));
}

bool same_block(const Conditions& a, const Conditions& b) {
  return a.collective == b.collective && a.algorithm == b.algorithm && a.protocol == b.protocol;
}

std::string block_title(const Conditions& c) {
  return fmt::format("# {} {}, protocol {}, {} executor, {} ranks on {}\n", to_string(c.collective),
                     c.algorithm, c.protocol, to_string(c.executor), c.ranks, c.machine);
}

}  // namespace

std::string render_measurements(const MeasureReport& report, const std::string& op) {
  std::string text;
  double busbw_sum = 0;
  int rows = 0;
  const Conditions* previous = nullptr;
  for (std::size_t i = 0; i < report.cases.size(); ++i) {
    const CaseReport& entry = report.cases[i];
    const Conditions& c = entry.conditions;
    if (!entry.skipped.empty()) continue;
    if (previous == nullptr || !same_block(*previous, c)) text += block_title(c) + block_header;
    previous = &c;
    // Measured conditions come first and in the order of the sample set.
    const auto summary = i < report.samples.conditions.size()
                             ? report.samples.summarize(static_cast<std::int32_t>(i))
                             : SampleSet::Summary{};
    text += fmt::format("{:>12} {:>13} {:>9} {:>7} {:>7}", c.bytes, count_of(c), c.dtype,
                        redop_of(c.collective, op), root_of(c.collective));
    const std::string columns = side(entry, summary);
    text += c.in_place ? no_columns + columns : columns + no_columns;
    text += '\n';
    if (summary.count > 0) {
      busbw_sum += rates_of(c, summary.median).busbw;
      ++rows;
    }
  }
  for (const auto& note : report.notes) text += "# note: " + note + "\n";
  if (rows > 0) text += fmt::format("# Avg bus bandwidth    : {:.6g}\n", busbw_sum / rows);
  return text;
}

std::string measurements_json(const MeasureReport& report, const std::string& op) {
  nlohmann::ordered_json document;
  document["environment"] = report.samples.environment;
  document["results"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < report.cases.size(); ++i) {
    const CaseReport& entry = report.cases[i];
    const Conditions& c = entry.conditions;
    nlohmann::ordered_json row{{"collective", to_string(c.collective)},
                               {"algorithm", c.algorithm},
                               {"protocol", c.protocol},
                               {"executor", to_string(c.executor)},
                               {"machine", c.machine},
                               {"ranks", c.ranks},
                               {"channels", c.channels},
                               {"size", c.bytes},
                               {"count", count_of(c)},
                               {"type", c.dtype},
                               {"redop", redop_of(c.collective, op)},
                               {"root", root_of(c.collective)},
                               {"in_place", c.in_place},
                               {"stop_reason", entry.stop_reason}};
    if (!entry.skipped.empty()) row["skipped"] = entry.skipped;
    if (entry.wrong >= 0) row["nwrong"] = entry.wrong;
    if (entry.iterations > 0) {
      const auto summary = report.samples.summarize(static_cast<std::int32_t>(i));
      const Rates rates = rates_of(c, summary.median);
      row["time"] = rates.time_us;
      row["alg_bw"] = rates.algbw;
      row["bus_bw"] = rates.busbw;
      row["p05_us"] = summary.p05;
      row["p95_us"] = summary.p95;
      row["p99_us"] = summary.p99;
      row["iterations"] = entry.iterations;
      row["discarded"] = entry.discarded;
    }
    document["results"].push_back(std::move(row));
  }
  document["notes"] = report.notes;
  // A foreign environment value may hold any bytes; JSON must stay JSON.
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace fabricast
