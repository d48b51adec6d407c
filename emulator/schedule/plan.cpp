#include "emulator/schedule/plan.hpp"

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"

namespace fabricast {
namespace {

struct AlgorithmRow {
  const char* name;
  Collective collective;
};

constexpr AlgorithmRow algorithms[] = {
    {"ring", Collective::all_reduce},         {"tree", Collective::all_reduce},
    {"hierarchical", Collective::all_reduce}, {"ring", Collective::all_gather},
    {"hierarchical", Collective::all_gather}, {"ring", Collective::reduce_scatter},
    {"ring", Collective::broadcast},          {"pairwise", Collective::all_to_all},
};

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Bytes that one position's chunk sequence holds on one channel: the unit that is cut into loops.
struct Shares {
  std::int64_t unit = 0;         // largest message of a step if nothing were cut
  std::int64_t unit_chunks = 1;  // chunks in that message
};

Shares shares_of(Collective collective, const std::string& algorithm, const RankSpace& space,
                 std::int64_t bytes, std::int64_t channels) {
  const std::int64_t p = space.size();
  const std::int64_t block = ceil_div(ceil_div(bytes, p), channels);
  if (algorithm == "hierarchical") return {block * space.domains(), space.domains()};
  if (algorithm == "tree" || collective == Collective::broadcast) return {ceil_div(bytes, channels), 1};
  return {block, 1};
}

// Trees and chains pipeline over the schedule's own chunks; everything else over loops and slices.
bool pipelines_over_chunks(Collective collective, const std::string& algorithm) {
  return algorithm == "tree" || collective == Collective::broadcast;
}

Schedule build(Collective collective, const std::string& algorithm, const RankSpace& space,
               std::int32_t chunks, bool mirrored) {
  switch (collective) {
    case Collective::all_reduce:
      if (algorithm == "tree") return tree_all_reduce(space, chunks, mirrored);
      if (algorithm == "hierarchical") return hierarchical_all_reduce(space);
      return ring_all_reduce(space);
    case Collective::all_gather:
      return algorithm == "hierarchical" ? hierarchical_all_gather(space) : ring_all_gather(space);
    case Collective::reduce_scatter: return ring_reduce_scatter(space);
    case Collective::broadcast: return chain_broadcast(space, chunks);
    case Collective::all_to_all: return pairwise_all_to_all(space);
  }
  throw UsageError("unknown collective");
}

// Where a channel's positions sit. Rings start at a different GPU per channel and swap odd domains,
// so that each channel crosses domains on its own rail; tree channels come in pairs (two trees)
// whose chain heads move over the GPUs; the others use every GPU and NIC alike.
Placement place(Collective collective, const std::string& algorithm, const RankSpace& space,
                std::int32_t channel, std::int32_t channels, std::int32_t root) {
  const std::int32_t l = space.domain_size();
  const auto spread = [l](std::int64_t index, std::int64_t count) {
    return static_cast<std::int32_t>(index * l / count % l);
  };
  if (collective == Collective::broadcast) return Placement::rotated(space, root % l, false, root / l);
  if (algorithm == "tree") {
    return Placement::rotated(space, spread(channel / 2, (channels + 1) / 2), false);
  }
  if (algorithm == "ring") {
    return Placement::rotated(space, spread(channel, channels), space.domains() > 1);
  }
  return Placement::identity(space);
}

void require_known(Collective collective, const std::string& algorithm, const RankSpace& space) {
  const auto names = algorithm_names();
  if (std::find(names.begin(), names.end(), algorithm) == names.end()) {
    throw UsageError(unknown_name_message("algorithm", algorithm, names));
  }
  const auto offered = algorithms_of(collective);
  if (std::find(offered.begin(), offered.end(), algorithm) == offered.end()) {
    std::string message = "algorithm \"" + algorithm + "\" cannot do " +
                          std::string(to_string(collective)) + "; it can be done by:";
    for (const auto& name : offered) message += " " + name;
    throw UsageError(message);
  }
  if (!algorithm_applies(algorithm, collective, space)) {
    throw UsageError("algorithm \"" + algorithm + "\" needs at least two domains of at least two ranks (this "
                     "machine has " + std::to_string(space.domains()) + " of " +
                     std::to_string(space.domain_size()) + ") use ring instead");
  }
}

}  // namespace

std::vector<std::string> algorithm_names() { return {"ring", "tree", "hierarchical", "pairwise"}; }

std::vector<std::string> algorithms_of(Collective collective) {
  std::vector<std::string> names;
  for (const auto& row : algorithms) {
    if (row.collective == collective) names.emplace_back(row.name);
  }
  return names;
}

bool algorithm_applies(const std::string& algorithm, Collective collective, const RankSpace& space) {
  const auto offered = algorithms_of(collective);
  if (std::find(offered.begin(), offered.end(), algorithm) == offered.end()) return false;
  return algorithm != "hierarchical" || (space.domain_size() >= 2 && space.domains() >= 2);
}

ExecutionPlan make_plan(Collective collective, const std::string& algorithm, const RankSpace& space,
                        std::int64_t bytes, std::int32_t element_bytes, const PlanLimits& limits,
                        std::int32_t root) {
  require_known(collective, algorithm, space);
  ExecutionPlan plan;
  plan.collective = collective;
  plan.algorithm = algorithm;
  plan.space = space;
  plan.bytes = bytes;
  plan.element_bytes = element_bytes;

  std::int32_t channels = std::max(1, limits.channels);
  if (limits.min_bytes_per_channel > 0) {
    channels = static_cast<std::int32_t>(
        std::clamp<std::int64_t>(bytes / limits.min_bytes_per_channel, 1, channels));
  }
  const Shares shares = shares_of(collective, algorithm, space, bytes, channels);
  std::int32_t chunks = 1;
  if (pipelines_over_chunks(collective, algorithm)) {
    chunks = static_cast<std::int32_t>(std::max<std::int64_t>(1, ceil_div(shares.unit, limits.max_slice_bytes)));
    plan.slice_bytes = ceil_div(shares.unit, chunks);
  } else {
    // A pairwise exchange uses each connection in one repetition only: more slices, never loops.
    const bool exchange = collective == Collective::all_to_all;
    plan.loops = exchange ? 1 : static_cast<std::int32_t>(std::max<std::int64_t>(
                                    1, ceil_div(shares.unit, limits.max_chunk_bytes)));
    const std::int64_t chunk = ceil_div(shares.unit, plan.loops);
    const std::int64_t wanted = std::max<std::int64_t>(1, ceil_div(chunk, limits.max_slice_bytes));
    const std::int64_t bound = std::max(1, std::min(limits.max_slices, limits.fifo_depth - 1));
    plan.slices = static_cast<std::int32_t>(exchange ? wanted : std::min(wanted, bound));
    plan.slice_bytes = ceil_div(chunk, shares.unit_chunks * plan.slices);
  }
  plan.slice_bytes = ceil_div(plan.slice_bytes, element_bytes) * element_bytes;

  std::shared_ptr<const Schedule> schedules[2];
  for (std::int32_t c = 0; c < channels; ++c) {
    const std::size_t parity = algorithm == "tree" ? static_cast<std::size_t>(c % 2) : 0;
    if (!schedules[parity]) {
      auto schedule = build(collective, algorithm, space, chunks, parity == 1);
      schedule.fifo_depth = limits.fifo_depth;
      schedules[parity] = std::make_shared<const Schedule>(std::move(schedule));
    }
    plan.channels.push_back(
        {schedules[parity], place(collective, algorithm, space, c, channels, root)});
  }
  return plan;
}

}  // namespace fabricast
