// Flows on links, event by event: a flow starts, shares its links max-min fairly with whoever is
// there, and ends when its bytes are through.
//
// Invariants: event times are integer picoseconds; what happens at one time happens together
// (changes of capacity, then ends, then starts, again until nothing is left at that time), ends and
// starts in the order of their tags, and rates are solved once for it: so results do not depend on
// the order in which flows were handed over. Between two times rates are constant. An end is
// rounded up to the next picosecond, nothing else in a flow's progress is rounded (flow_units.hpp).
// A flow on a link of capacity 0 waits, unless the driver knows a detour.
// Memory: O(links + flows that are active or were started ahead of their time). Cost of an event:
// that of MaxMin::solve() plus O(log active) per flow whose rate moves. Not thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "emulator/base/contracts.hpp"
#include "emulator/flow/departure_queue.hpp"
#include "emulator/flow/flow_units.hpp"
#include "emulator/flow/max_min.hpp"

namespace fabricast {

struct FlowPath {
  std::array<Crossing, MaxMin::max_crossings> crossings{};
  std::uint8_t size = 0;

  void add(std::uint32_t link, std::int32_t count = 1) {
    FABRICAST_EXPECT(size < MaxMin::max_crossings, "a path that fits");
    crossings[size++] = {link, count};
  }
  // Not of a temporary: a range-for would outlive it.
  std::span<const Crossing> span() const& { return {crossings.data(), size}; }
  std::span<const Crossing> span() const&& = delete;
};

struct FlowStart {
  std::int64_t tag = 0;  // the driver's name for it, unique
  std::int64_t start_ps = 0;
  std::int64_t bytes = 0;  // of each flow
  std::int64_t flows = 1;  // identical ones it stands for; what counts on a link is in the path
  FlowPath path;           // empty: ends when it starts
};

struct CapacityChange {
  std::int64_t time_ps = 0;
  std::uint32_t link = 0;
  FlowRate capacity = 0;
};

struct FlowStats {
  std::int64_t flows = 0;     // ended
  std::int64_t events = 0;    // starts, ends and changes of capacity; a start of n flows is n
  std::int64_t instants = 0;  // distinct times
  std::int64_t most_active = 0;
  std::int64_t state_bytes = 0;  // at the most
};

class FlowSimulator;

// Who starts flows and wants to know their ends.
class FlowDriver {
 public:
  virtual ~FlowDriver() = default;
  // The next flow in order of start; false: no more. Asked for only when its time may have come, so
  // that a million flows need not exist at once.
  virtual bool next(FlowStart& flow);
  // May start further flows (FlowSimulator::start), now or later.
  virtual void ended(std::int64_t tag, std::int64_t now_ps, FlowSimulator& simulator);
  // `link` of its path is down: another path for what is left of it, or none to wait.
  virtual std::optional<FlowPath> detour(std::int64_t tag, std::uint32_t link,
                                         const FlowSimulator& simulator);
  // For messages.
  virtual std::string link_name(std::uint32_t link) const;
  // All rates of an instant are solved: for tests and plots.
  virtual void solved(std::int64_t now_ps, const FlowSimulator& simulator);
};

class FlowSimulator {
 public:
  // `changes` in any order; of those of one link and time the last one listed counts.
  explicit FlowSimulator(std::vector<FlowRate> capacities,
                         std::vector<CapacityChange> changes = {});

  // Not before now.
  void start(const FlowStart& flow);
  // Until every flow has ended; returns when the last one did. Throws UsageError when flows are
  // left that wait on dead links for ever. Once per object.
  std::int64_t run(FlowDriver& driver);

  const MaxMin& solver() const { return solver_; }
  const FlowStats& stats() const { return stats_; }
  // Bytes that ended flows (and the parts of those that were detoured) moved over each link.
  std::vector<std::int64_t> carried_bytes() const;
  std::int64_t state_bytes() const;

 private:
  struct Flow {
    std::int64_t tag = 0, flows = 0;
    FlowAmount left = 0;     // as of last_ps
    FlowAmount on_path = 0;  // what was left when it entered its path
    std::int64_t last_ps = 0;
    FlowRate rate = 0;
  };
  struct Later {
    bool operator()(const FlowStart& a, const FlowStart& b) const {
      return a.start_ps != b.start_ps ? a.start_ps > b.start_ps : a.tag > b.tag;
    }
  };

  std::int64_t next_time(FlowDriver& driver);
  void apply_changes(FlowDriver& driver);
  void detour(std::uint32_t link, FlowDriver& driver);
  void end_flows(FlowDriver& driver);
  void start_flows(FlowDriver& driver);
  void begin(const FlowStart& flow);
  void enter(MaxMin::Member member, Flow flow);
  void settle();
  void account(MaxMin::Member member, FlowAmount amount);
  [[noreturn]] void stalled(const FlowDriver& driver) const;

  MaxMin solver_;
  std::vector<Flow> flows_;  // by MaxMin::Member
  DepartureQueue departures_;
  std::vector<FlowStart> pending_;  // heap: started ahead of their time
  FlowStart streamed_;
  bool has_streamed_ = false, stream_ended_ = false;
  std::vector<CapacityChange> changes_;
  std::size_t next_change_ = 0;
  std::int64_t now_ = 0, last_end_ = 0;
  std::vector<FlowAmount> carried_;
  FlowStats stats_;
};

}  // namespace fabricast
