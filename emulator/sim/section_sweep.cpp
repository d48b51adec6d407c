#include "emulator/sim/section_sweep.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <span>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/sim/flat_phases.hpp"
#include "emulator/sim/lane_stream.hpp"
#include "emulator/sim/uniform_run.hpp"
#include "emulator/sim/wired_program.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t nothing_started = std::numeric_limits<std::int64_t>::max();
// Columns whose rows stay in the second-level cache.
constexpr std::int32_t section_tile_columns = 2048;

template <class Stages, class Visit>
void for_phases(Stages& stages, const Section& section, Visit visit) {
  for (std::int32_t s = section.first; s < section.end; ++s) {
    for (auto& group : stages[static_cast<std::size_t>(s)].groups) {
      for (auto& phase : group.phases) visit(phase);
    }
  }
}

// Stage `s` alone, if its messages go along one digit to peers that stay the same.
std::optional<Section> section_of(const Schedule& schedule, std::int32_t s) {
  if (schedule.stages[static_cast<std::size_t>(s)].repeat < 1) return std::nullopt;
  Section section{s, s + 1};
  std::set<std::int32_t> digits;
  bool known = true;
  for_phases(schedule.stages, section, [&](const Phase& phase) {
    for (const PeerMap* map : {&phase.peer_in, &phase.peer_out}) {
      if (!map->exists()) continue;
      const bool level = map->kind == PeerMap::Kind::tree && map->level;
      known = known && (level || map->kind == PeerMap::Kind::digit) && !map->varies();
      section.tree = section.tree || level;
      digits.insert(map->digit);
    }
    const bool shaped = phase.active.kind == Active::Kind::level_tree_shape;
    known = known && (shaped || phase.active.kind == Active::Kind::all);
    if (shaped) digits.insert(phase.active.first);
  });
  if (!known || digits.size() != 1) return std::nullopt;
  section.digit = *digits.begin();
  return section;
}

std::set<int> fifos_of(const Schedule& schedule, const Section& section) {
  std::set<int> fifos;
  for_phases(schedule.stages, section, [&](const Phase& phase) {
    if (phase.peer_in.exists()) fifos.insert(phase.peer_in.fifo);
    if (phase.peer_out.exists()) fifos.insert(phase.peer_out.fifo);
  });
  return fifos;
}

bool share_connections(const Schedule& schedule, const Section& a, const Section& b) {
  if (a.digit != b.digit) return false;
  const std::set<int> of_a = fifos_of(schedule, a), of_b = fifos_of(schedule, b);
  return std::any_of(of_a.begin(), of_a.end(), [&](int fifo) { return of_b.contains(fifo); });
}

// Do lanes wait for the last stage of the section before and no other, with their first step in
// this one?
bool waits_at_its_begin(const Schedule& schedule, const Section& section) {
  bool known = true;
  std::set<int> begun;  // roles
  const auto everybody_executes = [](const Phase& phase) {
    return phase.active.kind == Active::Kind::all && phase.peer_in.kind != PeerMap::Kind::tree &&
           phase.peer_out.kind != PeerMap::Kind::tree;
  };
  for_phases(schedule.stages, section, [&](const Phase& phase) {
    const bool first = begun.insert(phase.role).second;
    if (!phase.after) return;
    known = known && first && everybody_executes(phase);
    for (std::int32_t x = 0; known && x < schedule.positions(); ++x) {
      const Awaited awaited = awaited_by(phase, x);
      known = awaited.role < 0 || awaited.stage == section.first - 1;
    }
  });
  return known;
}

// The section on `space`: of some fibres, or one.
Schedule part_of(const Schedule& schedule, const Section& section, const RankSpace& space) {
  Schedule part = schedule;
  part.space = space;
  part.stages.assign(schedule.stages.begin() + section.first,
                     schedule.stages.begin() + section.end);
  for_phases(part.stages, {0, section.end - section.first}, [&](Phase& phase) {
    phase.after = {};
    if (space.digits() > 1) return;
    phase.peer_in.digit = phase.peer_out.digit = 0;
    if (phase.active.kind == Active::Kind::level_tree_shape) phase.active.first = 0;
  });
  return part;
}

class Run {
 public:
  Run(const Schedule& schedule, const StepCosts& costs, std::int32_t slices, InstructionSet set)
      : schedule_(schedule),
        costs_(costs),
        slices_(slices),
        set_(set),
        flat_(flatten(schedule)),
        positions_(static_cast<std::size_t>(schedule.positions())),
        lane_(positions_ * static_cast<std::size_t>(schedule.roles), 0),
        port_(lane_.size(), 0) {
    outcome_.stages.assign(schedule.stages.size(), {nothing_started, 0});
  }

  bool advance(const Section& section) {
    await_others(section);
    return section.tree ? advance_trees(section) : advance_rows(section);
  }
  EngineOutcome outcome() &&;

 private:
  // Costs of a section's rows, as they are at the positions of a tile.
  class TileCosts;

  void await_others(const Section& section);
  bool advance_rows(const Section& section);
  bool advance_trees(const Section& section);
  std::vector<WiredCosts> costs_of_trees(const Section& section, const WiredSegment& segment);
  void note(std::size_t stage, const StageSpan& span);
  void note_bytes(std::int64_t bytes) {
    outcome_.state_bytes = std::max(
        outcome_.state_bytes,
        bytes + static_cast<std::int64_t>((lane_.size() + port_.size()) * sizeof(lane_[0])));
  }
  std::size_t clock_of(std::int32_t role, std::size_t x) const {
    return static_cast<std::size_t>(role) * positions_ + x;
  }
  std::int32_t radix(std::int32_t digit) const { return schedule_.space.radix(digit); }

  const Schedule& schedule_;
  const StepCosts& costs_;
  std::int32_t slices_;
  InstructionSet set_;
  std::vector<FlatPhase> flat_;
  std::size_t positions_;
  std::vector<std::int64_t> lane_, port_;  // [role][position]
  EngineOutcome outcome_;
};

// A lane that is awaited does nothing more until the section begins: its clock is when it ended.
void Run::await_others(const Section& section) {
  std::vector<std::int64_t> ended;  // before anybody waits
  for_phases(schedule_.stages, section, [&](const Phase& phase) {
    if (!phase.after) return;
    if (ended.empty()) ended = lane_;
    for (std::size_t x = 0; x < positions_; ++x) {
      const Awaited awaited = awaited_by(phase, static_cast<std::int32_t>(x));
      if (awaited.role < 0) continue;
      std::int64_t& lane = lane_[clock_of(phase.role, x)];
      lane = std::max(lane, ended[clock_of(awaited.role, x)]);
    }
  });
}

void Run::note(std::size_t stage, const StageSpan& span) {
  StageSpan& known = outcome_.stages[stage];
  known.start_ps = std::min(known.start_ps, span.start_ps);
  known.end_ps = std::max(known.end_ps, span.end_ps);
}

// A tile holds the fibres [first, first + count) of the section's digit: its positions come in
// stretches that are contiguous in the whole.
class Run::TileCosts final : public StepCosts {
 public:
  TileCosts(const Run& run, const Section& section) : run_(run), section_(section) {
    for (const FlatPhase& phase : run.flat_) {
      if (phase.stage < section.first || phase.stage >= section.end) continue;
      phases_.push_back(phase);
      rows_.emplace_back(run.positions_);
      rows_.back().fill(run.costs_, phase, 0);
    }
  }

  void move_to(std::int32_t first, std::int32_t count) {
    first_ = first;
    count_ = count;
  }
  RankSpace space() const {
    const std::int32_t own = run_.radix(section_.digit);
    return section_.digit == 0 ? RankSpace{own, count_} : RankSpace{count_, own};
  }
  // Visits (first in the tile, first in the whole, length).
  template <class Visit>
  void for_stretches(Visit visit) const {
    const auto first = static_cast<std::size_t>(first_), count = static_cast<std::size_t>(count_);
    const auto own = static_cast<std::size_t>(run_.radix(section_.digit));
    if (section_.digit == 0) return visit(std::size_t{0}, first * own, count * own);
    const auto fibres = static_cast<std::size_t>(run_.radix(0));
    for (std::size_t i = 0; i < own; ++i) visit(i * count, i * fibres + first, count);
  }

  void fill(int stage, int group, int phase, std::int32_t, CostRows rows) const override {
    const auto found = std::find_if(phases_.begin(), phases_.end(), [&](const FlatPhase& each) {
      return each.stage == stage + section_.first && each.group == group && each.index == phase;
    });
    FABRICAST_ASSERT(found != phases_.end(), "a phase of the section");
    const CostBlock& from = rows_[static_cast<std::size_t>(found - phases_.begin())];
    for_stretches([&](std::size_t to, std::size_t x, std::size_t length) {
      const auto copy = [&](const std::vector<std::int64_t>& all, std::span<std::int64_t> row) {
        std::copy_n(all.data() + x, length, row.data() + to);
      };
      copy(from.lane, rows.lane);
      copy(from.port, rows.port);
      copy(from.latency, rows.latency);
      copy(from.credit, rows.credit);
    });
  }

  std::int64_t bytes() const {
    return static_cast<std::int64_t>(rows_.size() * run_.positions_ * sizeof(WiredCosts));
  }

 private:
  const Run& run_;
  Section section_;
  std::vector<FlatPhase> phases_;
  std::vector<CostBlock> rows_;
  std::int32_t first_ = 0, count_ = 0;
};

bool Run::advance_rows(const Section& section) {
  TileCosts costs(*this, section);
  const std::int32_t fibres = radix(1 - section.digit);
  const std::int32_t together = std::clamp(section_tile_columns / radix(section.digit), 1, fibres);
  for (std::int32_t first = 0; first < fibres; first += together) {
    costs.move_to(first, std::min(together, fibres - first));
    const Schedule part = part_of(schedule_, section, costs.space());
    std::string reason;
    UniformProgram program = compile_uniform(part, costs, 1, slices_, reason);
    if (!reason.empty()) return false;
    UniformRun run(program, costs, 1, slices_, set_, false);
    const auto for_clocks = [&](auto visit) {
      for (std::int32_t role = 0; role < schedule_.roles; ++role) {
        costs.for_stretches([&](std::size_t at, std::size_t x, std::size_t length) {
          visit(lane_.data() + clock_of(role, x), run.lane(role).data() + at, length);
          visit(port_.data() + clock_of(role, x), run.port(role).data() + at, length);
        });
      }
    };
    for_clocks([](std::int64_t* ours, std::int64_t* its, std::size_t length) {
      std::copy_n(ours, length, its);
    });
    if (!run.run()) return false;
    for_clocks([](std::int64_t* ours, const std::int64_t* its, std::size_t length) {
      std::copy_n(its, length, ours);
    });
    const EngineOutcome done = run.outcome();
    outcome_.updates += done.updates;
    for (std::size_t s = 0; s < done.stages.size(); ++s) {
      note(static_cast<std::size_t>(section.first) + s, done.stages[s]);
    }
    note_bytes(costs.bytes() + done.state_bytes);
  }
  return true;
}

// [fibre][step], phase by phase, so that whole rows of one phase only are there at a time.
std::vector<WiredCosts> Run::costs_of_trees(const Section& section, const WiredSegment& segment) {
  const auto fibres = static_cast<std::size_t>(radix(1 - section.digit));
  const auto weight = static_cast<std::size_t>(schedule_.space.weight(section.digit));
  const auto between = static_cast<std::size_t>(schedule_.space.weight(1 - section.digit));
  const auto roles = static_cast<std::size_t>(schedule_.roles);
  struct Step {
    std::size_t step, place;  // its number, the first fibre's position
  };
  std::vector<WiredCosts> costs(fibres * segment.steps.size());
  CostBlock rows(positions_);
  std::size_t phase = 0;  // in the section
  for (const FlatPhase& flat : flat_) {
    if (flat.stage < section.first || flat.stage >= section.end) continue;
    std::vector<Step> steps;
    for (std::size_t lane = 0; lane + 1 < segment.begin.size(); ++lane) {
      for (std::int32_t s = segment.begin[lane]; s < segment.begin[lane + 1]; ++s) {
        const auto step = static_cast<std::size_t>(s);
        if (segment.phase_of[step] == phase) steps.push_back({step, lane / roles * weight});
      }
    }
    ++phase;
    if (steps.empty()) continue;
    rows.fill(costs_, flat, 0);
    for (std::size_t f = 0; f < fibres; ++f) {
      WiredCosts* of_fibre = costs.data() + f * segment.steps.size();
      for (const Step& step : steps) {
        const std::size_t x = step.place + f * between;
        of_fibre[step.step] = {rows.lane[x], rows.port[x], rows.latency[x], rows.credit[x]};
      }
    }
  }
  return costs;
}

bool Run::advance_trees(const Section& section) {
  // Which step costs what is looked up afterwards.
  class NoCosts final : public StepCosts {
    void fill(int, int, int, std::int32_t, CostRows) const override {}
  };
  const std::int32_t nodes = radix(section.digit), fibres = radix(1 - section.digit);
  const WiredProgram program = wire(part_of(schedule_, section, RankSpace{nodes}), NoCosts{});
  if (!LaneStream::applies(program)) return false;
  const WiredSegment& segment = program.segments.front();
  const std::vector<WiredCosts> costs = costs_of_trees(section, segment);
  const auto weight = static_cast<std::size_t>(schedule_.space.weight(section.digit));
  const auto between = static_cast<std::size_t>(schedule_.space.weight(1 - section.digit));
  OwnTurns kernel;
  for (std::int32_t f = 0; f < fibres; ++f) {
    const auto fibre = static_cast<std::size_t>(f);
    LaneStream lanes(program, 1, slices_, 1, kernel);
    lanes.set_costs(std::span(costs).subspan(fibre * segment.steps.size(), segment.steps.size()));
    const auto for_clocks = [&](auto visit) {
      std::size_t lane = 0;
      for (std::size_t node = 0; node < static_cast<std::size_t>(nodes); ++node) {
        for (std::int32_t role = 0; role < schedule_.roles; ++role, ++lane) {
          const std::size_t ours = clock_of(role, node * weight + fibre * between);
          visit(lane_[ours], lanes.lane()[lane]);
          visit(port_[ours], lanes.port()[lane]);
        }
      }
    };
    for_clocks([](std::int64_t ours, std::int64_t& its) { its = ours; });
    lanes.run();
    for_clocks([](std::int64_t& ours, std::int64_t its) { ours = its; });
    outcome_.updates += lanes.updates();
    if (lanes.first_start_ps() < nothing_started) {
      note(static_cast<std::size_t>(section.first), {lanes.first_start_ps(), lanes.last_end_ps()});
    }
    // With one phase's rows, which the costs were taken from.
    note_bytes(static_cast<std::int64_t>((costs.size() + positions_) * sizeof(WiredCosts)) +
               lanes.state_bytes());
  }
  return true;
}

EngineOutcome Run::outcome() && {
  outcome_.makespan_ps = *std::max_element(lane_.begin(), lane_.end());
  for (StageSpan& span : outcome_.stages) {
    if (span.start_ps == nothing_started) span = {};
  }
  return std::move(outcome_);
}

}  // namespace

std::vector<Section> sections_of(const Schedule& schedule) {
  if (schedule.space.digits() != 2) return {};
  std::vector<Section> sections;
  for (std::int32_t s = 0; s < static_cast<std::int32_t>(schedule.stages.size()); ++s) {
    const auto section = section_of(schedule, s);
    if (!section) return {};
    if (!sections.empty() && sections.back().digit == section->digit) {
      sections.back().end = s + 1;
      sections.back().tree = sections.back().tree || section->tree;
    } else {
      sections.push_back(*section);
    }
  }
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (!waits_at_its_begin(schedule, sections[i])) return {};
    if (sections[i].tree && sections[i].end - sections[i].first > 1) return {};
    for (std::size_t j = 0; j < i; ++j) {
      if (share_connections(schedule, sections[i], sections[j])) return {};
    }
  }
  if (sections.size() < 2) return {};
  return sections;
}

std::optional<EngineOutcome> section_sweep(const Schedule& schedule, const StepCosts& costs,
                                           std::int32_t slices, InstructionSet set) {
  const std::vector<Section> sections = sections_of(schedule);
  if (sections.empty()) return std::nullopt;
  Run run(schedule, costs, slices, set);
  for (const Section& section : sections) {
    if (!run.advance(section)) return std::nullopt;
  }
  return std::move(run).outcome();
}

}  // namespace fabricast
