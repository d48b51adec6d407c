// The step interpreter: executes the steps of one or more lanes, as docs/semantics.md says.
//
// run_lanes() is called by every thread of a group (a CTA; on the host one thread). Its leader
// looks at the group's lanes in turn and picks one whose next step can go (message there, slot
// free, lanes it comes after far enough); all threads move its data; the leader then passes the
// message on, returns the credit and advances the cursor. A group with one lane is NCCL's CTA; a
// group with all lanes of a rank multiplexes them cooperatively, so that a rank needs one core.
//
// Port gives has_message/front/pop and has_room/back/push (fifo.hpp; MPI has its own; line_port.hpp
// for messages that carry their own flags). Visibility: data are written before group.sync(), then
// published by the leader's release; data are read after the leader's acquire and the barrier
// inside group.share(). With lines every thread publishes and awaits its own data, and the barriers
// order what is before and after the step. No allocation, no exceptions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/host_device.hpp"
#include "kernels/lane/move_message.hpp"
#include "kernels/lane/program.hpp"
#include "kernels/lane/stall.hpp"

namespace fabricast::lane {

// What the next step of a lane waits for (semantics 3.1); Wait::none: it can go. Leader only.
template <class Port>
FABRICAST_HOST_DEVICE inline Wait waits_for(const LaneView& lane, const LaneCursor& at, Port& port,
                                            const RunControl& control) {
  const std::uint8_t action = lane.steps[at.step].action;
  const StepLinks links = lane.links[at.step];
  if (links.after >= 0) {  // semantics 2.7
    const LaneDependency& on = lane.dependencies[links.after];
    if (!control.has_done(on.lane, on.steps_before(at.loop))) return Wait::lane;
  }
  if ((action & action_recv) != 0 && !port.has_message(links.in)) return Wait::message;
  if ((action & action_send) != 0 && !port.has_room(links.out)) return Wait::room;
  return Wait::none;
}

namespace detail {
inline constexpr std::int32_t all_finished = -1;
inline constexpr std::int32_t run_stopped = -2;

// Leader: the next lane that can go, from `first` on in turn; waits until there is one.
template <class Port, class Pause>
FABRICAST_HOST_DEVICE inline std::int32_t pick_lane(const LaneView* lanes,
                                                    const LaneCursor* cursors, std::int32_t count,
                                                    std::int32_t first, Port& port,
                                                    const RunControl& control, Pause& pause) {
  StallWatch watch;
  pause.reset();
  for (;;) {
    bool unfinished = false;
    for (std::int32_t i = 0; i < count; ++i) {
      const std::int32_t l = first + i < count ? first + i : first + i - count;
      if (cursors[l].finished) continue;
      unfinished = true;
      if (waits_for(lanes[l], cursors[l], port, control) == Wait::none) return l;
    }
    if (!unfinished) return all_finished;
    const auto verdict = watch.look(control, pause());
    if (verdict == StallWatch::Verdict::stopped) return run_stopped;
    if (verdict == StallWatch::Verdict::stalled) {
      for (std::int32_t l = 0; l < count; ++l) {
        if (cursors[l].finished) continue;
        const Wait wait = waits_for(lanes[l], cursors[l], port, control);
        if (wait == Wait::none) return l;  // it came this very moment
        report_stall(cursors[l], lanes[l].index, wait, control);
        return run_stopped;
      }
    }
  }
}
}  // namespace detail

// Runs `count` lanes to their end, whatever their order here. False: stopped by a stall somewhere,
// see control.stall. `cursors` must be shared by the threads of the group.
template <class Port, class Group, class Pause>
FABRICAST_HOST_DEVICE inline bool run_lanes(const LaneView* lanes, LaneCursor* cursors,
                                            std::int32_t count, std::int32_t group_index,
                                            Port& port, const RunData& data,
                                            const RunControl& control, const Group& group,
                                            Pause& pause) {
  std::int32_t next = 0;
  for (;;) {
    const std::int32_t picked = group.share(
        [&] { return detail::pick_lane(lanes, cursors, count, next, port, control, pause); });
    if (picked < 0) return picked == detail::all_finished && !control.stopped();
    const LaneView& lane = lanes[picked];
    const LaneCursor at = cursors[picked];
    const std::int64_t bytes = move_message(lane, at, port, data, control, group, pause);
    group.sync();
    if (group.leader()) {
      const std::uint8_t action = lane.steps[at.step].action;
      if ((action & action_send) != 0) port.push(lane.links[at.step].out, bytes);
      if ((action & action_recv) != 0) port.pop(lane.links[at.step].in);
      cursors[picked] = lane.after(at);
      control.publish_step(lane.index);
      control.count_step(group_index);
    }
    next = picked + 1 < count ? picked + 1 : 0;
  }
}

}  // namespace fabricast::lane
