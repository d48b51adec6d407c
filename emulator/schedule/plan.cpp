#include "emulator/schedule/plan.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/schedule/catalogue.hpp"

namespace fabricast {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Chunks in the largest message of a step.
std::int64_t largest_step(const Schedule& schedule) {
  std::int64_t most = 1;
  for (const Stage& stage : schedule.stages) {
    for (const PhaseGroup& group : stage.groups) {
      for (const Phase& phase : group.phases)
        most = std::max<std::int64_t>(most, phase.chunk.count);
    }
  }
  return most;
}

// Where a channel's positions sit.
Placement place(Seat seat, const RankSpace& space, std::int32_t channel, std::int32_t channels,
                std::int32_t root) {
  const std::int32_t l = space.domain_size();
  const auto spread = [l](std::int64_t index, std::int64_t count) {
    return static_cast<std::int32_t>(index * l / count % l);
  };
  switch (seat) {
    case Seat::identity:
      break;
    case Seat::level_tree:
      return Placement::transposed(space);
    case Seat::head:
      return Placement::rotated(space, spread(channel, channels), false);
    case Seat::ring:
    case Seat::rooted_ring:
      return Placement::rotated(space, spread(channel, channels), space.domains() > 1);
    case Seat::tree:
      return Placement::rotated(space, spread(channel / 2, (channels + 1) / 2), false);
    case Seat::root:
      return Placement::rotated(space, root % l, false, root / l);
  }
  return Placement::identity(space);
}

// Rings in given orders. Across domains each channel's order is turned so that the channels enter
// and leave a domain through all of its members alike.
class OrderedRings {
 public:
  OrderedRings(const RankSpace& space, const std::vector<std::vector<std::int32_t>>& orders)
      : space_(space),
        orders_(orders),
        first_(static_cast<std::size_t>(space.domain_size()), 0),
        last_(first_) {}

  Placement next() {
    std::vector<std::int32_t> order = orders_[channel_++ % orders_.size()];
    if (space_.domains() == 1) return Placement::ordered(space_, std::move(order), false);
    const std::size_t l = order.size();
    std::size_t start = 0;
    const auto used = [&](std::size_t at) {
      const auto first = static_cast<std::size_t>(order[at]);
      const auto last = static_cast<std::size_t>(order[(at + l - 1) % l]);
      return std::pair{std::max(first_[first], last_[last]), first_[first] + last_[last]};
    };
    for (std::size_t at = 1; at < l; ++at) {
      if (used(at) < used(start)) start = at;
    }
    std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(start), order.end());
    ++first_[static_cast<std::size_t>(order.front())];
    ++last_[static_cast<std::size_t>(order.back())];
    return Placement::ordered(space_, std::move(order), true);
  }

 private:
  const RankSpace& space_;
  const std::vector<std::vector<std::int32_t>>& orders_;
  std::vector<std::int32_t> first_, last_;  // channels that enter and leave by this member
  std::size_t channel_ = 0;
};

const AlgorithmEntry& require(Collective collective, const std::string& algorithm,
                              const RankSpace& space) {
  const auto names = algorithm_names();
  if (std::find(names.begin(), names.end(), algorithm) == names.end()) {
    throw UsageError(unknown_name_message("algorithm", algorithm, names));
  }
  const AlgorithmEntry* entry = find_algorithm(algorithm, collective);
  if (entry == nullptr) {
    std::string message = "algorithm \"" + algorithm + "\" cannot do " +
                          std::string(to_string(collective)) + "; it can be done by:";
    for (const auto& name : algorithms_of(collective)) message += " " + name;
    throw UsageError(message);
  }
  const std::string reason = why_not(*entry, space);
  if (!reason.empty()) {
    throw UsageError("algorithm \"" + algorithm + "\" " + reason + " use another one");
  }
  return *entry;
}

// Chunks, loops and slices of a plan (Cut), from the bytes of one channel.
void cut_message(ExecutionPlan& plan, const AlgorithmEntry& entry, const PlanLimits& limits,
                 std::int64_t channels, ScheduleShape& shape) {
  const bool blocks = has_rank_blocks(plan.collective);
  const auto ranks = static_cast<std::int64_t>(plan.ranks());
  if (entry.cut == Cut::chunks) {
    const std::int64_t share = ceil_div(plan.bytes, channels);
    shape.chunks = static_cast<std::int32_t>(
        std::max<std::int64_t>(1, ceil_div(share, limits.max_slice_bytes)));
    plan.slice_bytes = ceil_div(share, shape.chunks);
    return;
  }
  const Schedule schedule = entry.build(shape);
  const std::int64_t chunks = blocks ? ranks * schedule.block_parts : schedule.chunks;
  const std::int64_t together = largest_step(schedule);
  const std::int64_t largest = ceil_div(ceil_div(plan.bytes, chunks), channels) * together;
  const bool once = entry.cut == Cut::slices;
  plan.loops = once ? 1
                    : static_cast<std::int32_t>(
                          std::max<std::int64_t>(1, ceil_div(largest, limits.max_chunk_bytes)));
  const std::int64_t chunk = ceil_div(largest, plan.loops);
  const std::int64_t wanted = std::max<std::int64_t>(1, ceil_div(chunk, limits.max_slice_bytes));
  const std::int64_t bound = std::max(1, std::min(limits.max_slices, limits.fifo_depth - 1));
  plan.slices = static_cast<std::int32_t>(once ? wanted : std::min(wanted, bound));
  plan.slice_bytes = ceil_div(chunk, together * plan.slices);
  if (entry.cut == Cut::pieces) {
    shape.chunks = static_cast<std::int32_t>(
        std::clamp<std::int64_t>(plan.slice_bytes / limits.min_piece_bytes, 1, limits.max_pieces));
    plan.slice_bytes = ceil_div(plan.slice_bytes, shape.chunks);
  }
}

// Loops that cut a chunk of `elements` into equal parts of at most `most` elements where its
// divisors allow; not more than four times as many as needed.
std::int32_t equal_loops(std::int64_t elements, std::int64_t most) {
  if (elements <= most) return 1;
  const std::int64_t wanted = ceil_div(elements, std::max<std::int64_t>(1, most));
  for (std::int64_t loops = wanted; loops <= std::min(4 * wanted, elements); ++loops) {
    if (elements % loops == 0) return static_cast<std::int32_t>(loops);
  }
  for (std::int64_t loops = wanted; loops > 1; --loops) {
    if (elements % loops == 0) return static_cast<std::int32_t>(loops);
  }
  return 1;
}

// Loops over parts that may differ by one element.
std::int32_t even_loops(std::int64_t elements, std::int64_t most) {
  return static_cast<std::int32_t>(
      std::max<std::int64_t>(1, ceil_div(elements, std::max<std::int64_t>(1, most))));
}

}  // namespace

ExecutionPlan plan_of(std::shared_ptr<const Schedule> schedule, std::int64_t bytes,
                      std::int32_t element_bytes, const PlanLimits& limits) {
  const std::int64_t unit =
      schedule->moves_chunks ? std::int64_t{schedule->chunks} * element_bytes : element_bytes;
  if (bytes % unit != 0) {
    const std::int64_t below = bytes / unit * unit;
    throw UsageError(
        fmt::format("{} bytes do not cut into {} equal chunks of {}-byte elements (schedule \"{}\" "
                    "moves chunks "
                    "to each other's places, so they must be equal) use {}{} bytes",
                    bytes, schedule->chunks, element_bytes, schedule->algorithm,
                    below > 0 ? fmt::format("{} or ", below) : "", below + unit));
  }
  if (schedule->fifo_depth != limits.fifo_depth) {
    Schedule other = *schedule;
    other.fifo_depth = limits.fifo_depth;
    schedule = std::make_shared<const Schedule>(std::move(other));
  }
  ExecutionPlan plan;
  plan.collective = schedule->collective;
  plan.algorithm = schedule->algorithm;
  plan.space = schedule->space;
  plan.bytes = bytes;
  plan.element_bytes = element_bytes;
  const std::int64_t elements = ceil_div(bytes / element_bytes, schedule->chunks);
  if (schedule->scratch_chunks == 0) {
    const std::int64_t most = limits.max_chunk_bytes / element_bytes / largest_step(*schedule);
    plan.loops = schedule->moves_chunks ? equal_loops(elements, most) : even_loops(elements, most);
  }
  plan.slice_bytes = ceil_div(elements, plan.loops) * element_bytes;
  plan.channels.push_back({schedule, Placement::identity(schedule->space)});
  return plan;
}

std::vector<std::string> algorithm_names() {
  std::vector<std::string> names;
  for (const auto& entry : algorithm_catalogue()) {
    if (std::find(names.begin(), names.end(), entry.name) == names.end()) {
      names.emplace_back(entry.name);
    }
  }
  return names;
}

std::vector<std::string> algorithms_of(Collective collective) {
  std::vector<std::string> names;
  for (const auto& entry : algorithm_catalogue()) {
    if (entry.collective == collective) names.emplace_back(entry.name);
  }
  return names;
}

bool algorithm_applies(const std::string& algorithm, Collective collective,
                       const RankSpace& space) {
  const AlgorithmEntry* entry = find_algorithm(algorithm, collective);
  return entry != nullptr && why_not(*entry, space).empty();
}

ExecutionPlan make_plan(Collective collective, const std::string& algorithm, const RankSpace& space,
                        std::int64_t bytes, std::int32_t element_bytes, const PlanLimits& limits,
                        std::int32_t root) {
  const AlgorithmEntry& entry = require(collective, algorithm, space);
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
  ScheduleShape shape{space};
  cut_message(plan, entry, limits, channels, shape);
  plan.slice_bytes = ceil_div(plan.slice_bytes, element_bytes) * element_bytes;

  std::optional<OrderedRings> ordered;
  const bool rings = entry.seat == Seat::ring || entry.seat == Seat::rooted_ring;
  if (rings && limits.ring_orders) ordered.emplace(space, *limits.ring_orders);
  const bool two_trees = entry.seat == Seat::tree || entry.seat == Seat::level_tree;
  std::shared_ptr<const Schedule> schedules[2];
  for (std::int32_t c = 0; c < channels; ++c) {
    const std::size_t parity = two_trees ? static_cast<std::size_t>(c % 2) : 0;
    if (!schedules[parity]) {
      shape.mirrored = parity == 1;
      auto schedule = entry.build(shape);
      schedule.fifo_depth = limits.fifo_depth;
      schedules[parity] = std::make_shared<const Schedule>(std::move(schedule));
    }
    // A schedule may have a space of its own; level trees transpose the plan's.
    const RankSpace& seats = entry.seat == Seat::level_tree ? space : schedules[parity]->space;
    Placement placement = ordered ? ordered->next() : place(entry.seat, seats, c, channels, root);
    if (entry.seat == Seat::rooted_ring) placement = placement.starting_at(root);
    plan.channels.push_back({schedules[parity], std::move(placement)});
  }
  return plan;
}

}  // namespace fabricast
