#include "topologies/model/machine_cost.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace fabricast {
namespace {

// Of ranks in domains of one kind.
struct Part {
  const CostSpec& cost;
  const GpuModel& gpu;
  std::int64_t ranks;
};

std::vector<Part> parts_of(const MachineSpec& spec, std::int64_t ranks) {
  const auto size = static_cast<std::int64_t>(spec.domain.size.value);
  std::vector<Part> parts;
  const auto take = [&](const CostSpec& cost, const GpuModel& gpu, std::int64_t domains) {
    const std::int64_t here = std::min(ranks, domains * size);
    if (here > 0) parts.push_back({cost, gpu, here});
    ranks -= here;
  };
  take(spec.cost, spec.gpu, spec.first_domains());
  for (const DomainPart& part : spec.others) {
    take(part.cost, part.gpu, static_cast<std::int64_t>(part.domains.value));
  }
  return parts;
}

void add_once(std::vector<std::string>& words, const std::string& word) {
  if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
}

}  // namespace

// What some part does not say is not known of the machine; all parts are counted on one basis.
RunningCost running_cost(const MachineSpec& spec, std::int64_t ranks) {
  const std::vector<Part> parts = parts_of(spec, ranks);
  const auto all = [&parts](auto says) { return std::all_of(parts.begin(), parts.end(), says); };
  const bool by_domain =
      all([](const Part& part) { return part.cost.domain_power_kw.has_value(); });
  const bool by_gpu = all([](const Part& part) { return part.gpu.power_w.value > 0; });
  const bool priced = all([](const Part& part) { return part.cost.usd_per_gpu_hour.has_value(); });
  const bool built = all([](const Part& part) { return part.cost.usd_per_gpu.has_value(); });
  RunningCost result;
  std::vector<std::string> counts, dates;
  if (by_domain) counts.push_back(spec.domain.noun + "s");
  if (!by_domain && by_gpu) counts.emplace_back("GPUs only");
  for (const Part& part : parts) {
    const CostSpec& cost = part.cost;
    const auto count = static_cast<double>(part.ranks);
    const double overhead = cost.facility_overhead ? cost.facility_overhead->value : 1;
    if (by_domain) {
      // Of a domain: a part of one is charged in proportion.
      result.watts +=
          cost.domain_power_kw->value * 1000 * count / spec.domain.size.value * overhead;
    } else if (by_gpu) {
      result.watts += part.gpu.power_w.value * count * overhead;
    }
    if (overhead > 1) add_once(counts, fmt::format("facility overhead {:.4g}", overhead));
    if (priced) {
      result.usd_per_hour += cost.usd_per_gpu_hour->value * count;
      add_once(dates, cost.date);
    }
    if (built) result.capital_usd += cost.usd_per_gpu->value * count;
  }
  if (result.watts > 0) result.counts = fmt::format("{}", fmt::join(counts, ", "));
  result.price_date = fmt::format("{}", fmt::join(dates, ", "));
  return result;
}

double joules(const RunningCost& cost, double seconds) { return cost.watts * seconds; }

double dollars(const RunningCost& cost, double seconds) {
  return cost.usd_per_hour * seconds / 3600;
}

}  // namespace fabricast
