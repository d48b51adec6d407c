// A schedule on shared links: its messages are flows, released when the sweep would release them.
//
// Semantics 3.1 to 3.7 with one clause replaced: where a static share says how long a port is busy
// (semantics 3.3), the message is a flow of its bytes that starts at max(port free, start of the
// step) and shares the links of its path with whatever else is there; the port is free when it
// ends. Lane time, latency, credits, slots and the order of lanes and messages are as in the sweep.
// While no link carries two flows at once, ends equal the sweep's for port = time_to_move(bytes,
// rate of the narrowest link): a property test. Several schedules (channels, jobs, groups) may run
// on one simulator.
//
// A step to a group (semantics 1.4) is no flow between two ranks: refused, but where all members do
// the same (FlowProgram::alike). There the step is one flow to the next member, of the bytes that
// it puts on each link for all of them: what others put on a member's links is what its own flow
// does. The message is ready at every member when the flow has ended; a group's messages are
// counted, not kept for each pair (group_fifo.hpp). Memory: O(lanes + connections + messages in
// flight), steps are made when their turn comes, and the cost rows of the repetitions that were
// reached; with declared dependences (semantics 2.7) also an entry per lane, loop and stage. Not
// thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "emulator/cost/step_costs.hpp"
#include "emulator/flow/flow_network.hpp"
#include "emulator/flow/flow_sim.hpp"
#include "emulator/flow/group_fifo.hpp"
#include "emulator/flow/short_queue.hpp"
#include "emulator/schedule/schedule.hpp"
#include "emulator/sim/flat_phases.hpp"
#include "emulator/sim/sweep.hpp"

namespace fabricast {

// One channel of a job.
struct FlowProgram {
  const Schedule* schedule = nullptr;
  const StepCosts* costs = nullptr;  // port rows are not read
  std::int32_t loops = 1, slices = 1;
  std::vector<RankId> ranks;  // at each position
  std::int32_t channel = 0;   // of the routing's hash
  std::int64_t start_ps = 0;
  bool alike = false;  // all steps are to or from groups, and the same for all members
  // Wire bytes of one message of a phase.
  std::function<std::int64_t(int stage, int group, int phase)> bytes;
};

class ScheduleFlows : public FlowDriver {
 public:
  // All must outlive this. Throws UsageError for what it refuses (see above).
  ScheduleFlows(const FlowNetwork& network, std::vector<FlowProgram> programs);

  // Runs to the end; throws UsageError naming lane and stage when a schedule deadlocks.
  void run(FlowSimulator& simulator);
  // Last end of a step of each program, start_ps included.
  const std::vector<std::int64_t>& ends() const { return ends_; }
  // First start and last end of the steps of each stage of a program.
  const std::vector<StageSpan>& stages(std::size_t program) const {
    return programs_[program].stages;
  }

  // Of lanes, connections and cost rows; storage never shrinks while it runs.
  std::int64_t state_bytes() const;

  void ended(std::int64_t tag, std::int64_t now_ps, FlowSimulator& simulator) override;
  std::optional<FlowPath> detour(std::int64_t tag, std::uint32_t link,
                                 const FlowSimulator& simulator) override;
  std::string link_name(std::uint32_t link) const override { return network_.link_name(link); }

 private:
  struct Groups {  // those of one fifo
    std::uint8_t fifo = 0;
    std::int32_t digit = 0;
    std::vector<std::int32_t> of;  // of each position, the group's number
  };
  struct Program {
    FlowProgram given;
    std::vector<FlatPhase> phases;
    std::vector<std::vector<CostBlock>> costs;  // [phase][repetition, or 0], filled when needed
    std::vector<StageSpan> stages;
    std::vector<Groups> groups;  // only of programs that are alike
    bool dependences = false;    // some lane waits for another one
    std::int32_t first_lane = 0;
  };
  struct Step {
    std::size_t phase = 0;
    std::int32_t loop = 0, stage = 0, repetition = 0, slice = 0;
  };
  struct Passed {  // a stage of a loop that a lane has ended
    std::int32_t loop = 0, stage = 0;
    std::int64_t end_ps = 0;
  };
  struct Way {  // by which a step receives or sends: neither number where it does not
    std::int32_t connection = -1, group = -1;
    std::int32_t member = 0;  // of the group, the step's own
    std::int32_t peer = 0;    // position; of a group the next member
  };
  struct Message {  // started by a step, on its way through the port
    Way way;
    std::int64_t step_start = 0, step_end = 0, latency = 0, bytes = 0;
  };
  struct Ends {
    RankId from, to;
    std::int32_t channel = 0;
  };
  struct Connection {  // messages and credits nobody has taken yet, in order
    std::int32_t sending_lane = -1, receiving_lane = -1;
    std::int64_t slots = 0;  // used so far, of those never used before
    ShortQueue<std::int64_t> ready, credits;
  };
  struct Lane {
    std::int32_t program = 0, position = 0, role = 0;
    Step next;
    bool done = false;
    bool port_busy = false;
    std::int64_t free_ps = 0, port_free_ps = 0;
    std::vector<Passed> passed;  // only with dependences, in order
    ShortQueue<Message> port;    // front: the one that flows, while port_busy
  };

  void add_lanes(std::int32_t program);
  void find_step(Lane& lane, bool advance) const;
  const CostBlock& costs_of(Program& program, const Step& step);
  std::int32_t connection_of(std::int32_t program, std::int32_t from, std::int32_t to,
                             std::uint8_t fifo);
  void add_groups(Program& program, const PeerMap& map);
  Way way_of(std::int32_t program, const PeerMap& map, std::int32_t x, std::int32_t k,
             bool receives);
  // When the messages, or the slots, of a step of `lane` are there; nothing while it is not known.
  std::optional<std::int64_t> messages_at(const Way& way, std::int32_t lane);
  std::optional<std::int64_t> slots_at(const Way& way, std::int32_t lane, std::int64_t depth);
  void take_messages(const Way& way, std::int64_t credit_ps);
  void take_slots(const Way& way, std::int64_t depth);
  std::optional<std::int64_t> end_of_awaited(const Program& program, const Lane& lane,
                                             const Awaited& awaited) const;
  void advance(Lane& lane);
  void wake(std::int32_t lane);
  void proceed(FlowSimulator& simulator);
  bool take_step(std::int32_t number, FlowSimulator& simulator);
  Ends ends_of(const Lane& lane) const;  // of the message that its port sends
  void send_next(std::int32_t number, FlowSimulator& simulator);
  void expect_done() const;

  const FlowNetwork& network_;
  std::vector<Program> programs_;
  std::vector<Lane> lanes_;
  std::unordered_map<std::uint64_t, std::int32_t> connection_index_;
  std::vector<Connection> connections_;
  std::vector<GroupFifo> groups_;
  std::vector<std::int32_t> runnable_;
  std::vector<std::int64_t> ends_;
};

}  // namespace fabricast
