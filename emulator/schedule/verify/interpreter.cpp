#include "emulator/schedule/verify/interpreter.hpp"

#include <algorithm>
#include <utility>

namespace fabricast {

template <class Value>
Interpreter<Value>::Interpreter(const LaneSource& source, const Settings& settings)
    : source_(source),
      schedule_(source.schedule()),
      settings_(settings),
      promise_(source.schedule(), source.placement(), settings.root),
      layout_{schedule_.chunks, schedule_.scratch_chunks, settings.loops, settings.in_place} {
  const std::int32_t ranks = source.ranks();
  const std::int32_t chunks = schedule_.chunks;
  for (std::int32_t rank = 0; rank < ranks; ++rank) {
    auto& output = output_.emplace_back();
    output.reserve(static_cast<std::size_t>(chunks) * static_cast<std::size_t>(settings.loops));
    for (std::int32_t loop = 0; loop < settings.loops; ++loop) {
      for (std::int32_t c = 0; c < chunks; ++c) {
        const bool filled =
            (settings.in_place || schedule_.starts_in_output) && promise_.has_input(rank, c);
        output.push_back(filled ? Value::of_input(loop, rank, c)
                                : Value::of_garbage(rank, layout_.slot(Buffer::output, c, loop)));
      }
    }
    auto& scratch = scratch_.emplace_back();
    for (std::int64_t c = 0; c < schedule_.scratch_chunks * settings.loops; ++c) {
      scratch.push_back(Value::of_garbage(rank, layout_.slot(Buffer::scratch, c, 0)));
    }
  }
  lanes_.resize(static_cast<std::size_t>(source.lanes()));
  if (settings.clocked > 0) {
    clocks_ =
        std::make_unique<LaneClocks>(source.lanes(), settings.first_clocked, settings.clocked);
  }
}

template <class Value>
Value Interpreter<Value>::load(std::int32_t rank, Buffer buffer, std::int32_t chunk,
                               std::int32_t loop) const {
  const auto r = static_cast<std::size_t>(rank);
  if (buffer == Buffer::scratch) {
    return scratch_[r][static_cast<std::size_t>(loop * schedule_.scratch_chunks + chunk)];
  }
  if (buffer == Buffer::input && !settings_.in_place) return Value::of_input(loop, rank, chunk);
  return output_[r][static_cast<std::size_t>(loop) * static_cast<std::size_t>(schedule_.chunks) +
                    static_cast<std::size_t>(chunk)];
}

template <class Value>
Value* Interpreter<Value>::store(std::int32_t rank, Buffer buffer, std::int32_t chunk,
                                 std::int32_t loop) {
  const auto r = static_cast<std::size_t>(rank);
  if (buffer == Buffer::scratch) {
    return &scratch_[r][static_cast<std::size_t>(loop * schedule_.scratch_chunks + chunk)];
  }
  if (buffer == Buffer::input && !settings_.in_place) return nullptr;
  return &output_[r][static_cast<std::size_t>(loop) * static_cast<std::size_t>(schedule_.chunks) +
                     static_cast<std::size_t>(chunk)];
}

template <class Value>
bool Interpreter<Value>::run() {
  for (std::int32_t lane = source_.lanes() - 1; lane >= 0; --lane) runnable_.push_back(lane);
  while (!runnable_.empty()) {
    const std::int32_t lane = runnable_.back();
    runnable_.pop_back();
    advance(lane);
  }
  return std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.finished; });
}

// Order of a lane: loops, bundles, slices, steps (semantics 2.2).
template <class Value>
void Interpreter<Value>::advance(std::int32_t number) {
  Lane& lane = lanes_[static_cast<std::size_t>(number)];
  lane.waits = LaneWait::For::nothing;
  while (!lane.finished) {
    if (lane.step >= lane.bundle.steps.size()) {
      if (!lane.bundle.steps.empty() && ++lane.slice < settings_.slices) {
        lane.step = 0;
        continue;
      }
      if (!fetch(number)) return;
    }
    if (!try_step(number)) return;
    ++lane.step;
    if (lane.loop == 0 && lane.slice == 0) ++steps_;
  }
}

// The next bundle, of the next loop if need be; false at the end.
template <class Value>
bool Interpreter<Value>::fetch(std::int32_t number) {
  Lane& lane = lanes_[static_cast<std::size_t>(number)];
  lane.slice = 0;
  lane.step = 0;
  for (;;) {
    const bool had = !lane.bundle.origins.empty();
    const std::int32_t before = had ? lane.bundle.origins.back().stage : -1;
    const bool more = source_.next_bundle(number, lane.cursor, lane.bundle);
    const std::int32_t now = more ? lane.bundle.origins.front().stage
                                  : static_cast<std::int32_t>(schedule_.stages.size());
    if (had && clocks_ && now > before) clocks_->end_stage(number, lane.loop, before);
    lane.stages_done = now - 1;
    if (more) {
      wake_waiters(lane);
      return true;
    }
    lane.bundle.steps.clear();
    lane.bundle.origins.clear();
    lane.cursor = {};
    if (++lane.loop >= settings_.loops) {
      lane.finished = true;
      wake_waiters(lane);
      return false;
    }
    lane.stages_done = -1;
    wake_waiters(lane);
  }
}

template <class Value>
void Interpreter<Value>::wake(std::int32_t& waiting) {
  if (waiting >= 0) runnable_.push_back(std::exchange(waiting, -1));
}

template <class Value>
void Interpreter<Value>::wake_waiters(Lane& lane) {
  for (const std::int32_t waiter : lane.waiters) runnable_.push_back(waiter);
  lane.waiters.clear();
}

template <class Value>
typename Interpreter<Value>::Connection& Interpreter<Value>::connection(std::int32_t source,
                                                                        std::int32_t destination,
                                                                        std::int32_t fifo) {
  const auto ranks = static_cast<std::uint64_t>(source_.ranks());
  const std::uint64_t key = (static_cast<std::uint64_t>(source) * ranks +
                             static_cast<std::uint64_t>(destination)) *
                                256 +
                            static_cast<std::uint64_t>(fifo);
  const auto [at, added] = connections_.try_emplace(key);
  if (added) {
    at->second.source = source;
    at->second.destination = destination;
    at->second.fifo = fifo;
  }
  return at->second;
}

// Semantics 2.7: the other lane has ended that stage in this loop.
template <class Value>
bool Interpreter<Value>::dependence_met(std::int32_t number, const StepExtra& extra) {
  if (extra.after_role < 0) return true;
  const Lane& lane = lanes_[static_cast<std::size_t>(number)];
  const std::int32_t other = number / schedule_.roles * schedule_.roles + extra.after_role;
  Lane& awaited = lanes_[static_cast<std::size_t>(other)];
  const bool met = awaited.finished || awaited.loop > lane.loop ||
                   (awaited.loop == lane.loop && awaited.stages_done >= extra.after_stage);
  if (!met) awaited.waiters.push_back(number);
  return met;
}

template <class Value>
bool Interpreter<Value>::try_step(std::int32_t number) {
  Lane& lane = lanes_[static_cast<std::size_t>(number)];
  const Step step = lane.bundle.steps[lane.step];
  const StepExtra extra = lane.bundle.extras[lane.step];
  const std::int32_t rank = number / schedule_.roles;
  const auto depth = static_cast<std::size_t>(schedule_.fifo_depth);
  if (!dependence_met(number, extra)) {
    lane.waits = LaneWait::For::lane;
    return false;
  }
  Connection* from = nullptr;
  Connection* to = nullptr;
  if ((step.action & action_recv) != 0) {
    from = &connection(static_cast<std::int32_t>(step.peer_in), rank, extra.fifo_in);
    from->receiving_lane = number;
    if (from->used == 0) {
      from->waiting_receiver = number;
      lane.waits = LaneWait::For::message;
      return false;
    }
  }
  if ((step.action & action_send) != 0) {
    to = &connection(rank, static_cast<std::int32_t>(step.peer_out), extra.fifo_out);
    to->sending_lane = number;
    if (to->used >= depth) {
      to->waiting_sender = number;
      lane.waits = LaneWait::For::room;
      return false;
    }
  }
  Message* out = nullptr;
  if (to != nullptr) {
    if (to->slots.size() < depth && to->used == to->slots.size()) {
      std::rotate(to->slots.begin(), to->slots.begin() + static_cast<std::ptrdiff_t>(to->head),
                  to->slots.end());
      to->head = 0;
      to->slots.emplace_back();
    }
    out = &to->slots[(to->head + to->used) % to->slots.size()];
    if (lane.loop == 0 && lane.slice == 0) ++messages_;
  }
  Message* in = from != nullptr ? &from->slots[from->head] : nullptr;
  if (clocks_) {
    if (in != nullptr) clocks_->join(number, in->clock);
    if (extra.after_role >= 0) {
      clocks_->join_stage(number, number / schedule_.roles * schedule_.roles + extra.after_role,
                          lane.loop, extra.after_stage);
    }
    clocks_->begin_step(number);
    if (lane.slice == 0 && clocks_->counts(number)) touch(number, step);
    if (out != nullptr) out->clock = clocks_->clock(number);
  }
  execute(number, step, in, out);
  if (from != nullptr) {
    from->head = (from->head + 1) % from->slots.size();
    --from->used;
    wake(from->waiting_sender);
  }
  if (to != nullptr) {
    ++to->used;
    wake(to->waiting_receiver);
  }
  return true;
}

// Semantics 2.4. Slices other than the first move the same way and carry no values.
template <class Value>
void Interpreter<Value>::execute(std::int32_t number, const Step& step, Message* in,
                                 Message* out) {
  const Lane& lane = lanes_[static_cast<std::size_t>(number)];
  const std::int32_t rank = number / schedule_.roles;
  if (out != nullptr) {
    out->values.clear();
    out->count = step.chunk_count;
  }
  if (lane.slice != 0) return;
  if (in != nullptr && in->count != step.chunk_count) {
    mismatches_.push_back({number, lane.bundle.origins[lane.step],
                           static_cast<std::int32_t>(step.peer_in), in->count,
                           static_cast<std::uint32_t>(step.chunk_count)});
  }
  for (std::uint32_t i = 0; i < step.chunk_count; ++i) {
    const auto source = chunk_in_message(schedule_, step.source_buffer(), step.source_chunk,
                                         step.stride_log2, i);
    const auto target = chunk_in_message(schedule_, step.target_buffer(), step.target_chunk,
                                         step.stride_log2, i);
    const bool reduces = (step.action & action_reduce) != 0;
    Value value;
    if (in != nullptr) {
      // A shorter message leaves the rest undefined; mismatches() reports it.
      value = i < in->values.size() ? in->values[i] : Value::of_garbage(rank, -1 - source);
      if (reduces) value.add(load(rank, step.source_buffer(), source, lane.loop));
    } else if (step.action != action_none) {
      value = load(rank, step.source_buffer(), source, lane.loop);
      if (reduces) value.add(load(rank, step.target_buffer(), target, lane.loop));
    }
    if ((step.action & action_copy) != 0) {
      Value* place = store(rank, step.target_buffer(), target, lane.loop);
      if (place != nullptr) *place = value;
    }
    if (out != nullptr) out->values.push_back(std::move(value));
  }
}

// The chunks a step reads and writes, for the order of accesses.
template <class Value>
void Interpreter<Value>::touch(std::int32_t number, const Step& step) {
  const Lane& lane = lanes_[static_cast<std::size_t>(number)];
  const std::int32_t rank = number / schedule_.roles;
  if (step.action == action_none) return;
  const bool receives = (step.action & action_recv) != 0;
  const bool reduces = (step.action & action_reduce) != 0;
  for (std::uint32_t i = 0; i < step.chunk_count; ++i) {
    const auto source = chunk_in_message(schedule_, step.source_buffer(), step.source_chunk,
                                         step.stride_log2, i);
    const auto target = chunk_in_message(schedule_, step.target_buffer(), step.target_chunk,
                                         step.stride_log2, i);
    const auto at = [&](Buffer buffer, std::int32_t chunk, bool writes) {
      clocks_->access(number, rank, layout_.slot(buffer, chunk, lane.loop), writes, unordered_);
    };
    if (!receives || reduces) at(step.source_buffer(), source, false);
    if (!receives && reduces) at(step.target_buffer(), target, false);
    if ((step.action & action_copy) != 0) at(step.target_buffer(), target, true);
  }
}

// The lane that would use this end, if it came to it; -1: none.
template <class Value>
std::int32_t Interpreter<Value>::lane_at(const Connection& connection, bool sending) const {
  const std::int32_t known = sending ? connection.sending_lane : connection.receiving_lane;
  if (known >= 0) return known;
  const std::int32_t rank = sending ? connection.source : connection.destination;
  const auto peer = static_cast<unsigned>(sending ? connection.destination : connection.source);
  LaneProgram bundle;
  for (std::int32_t lane = rank * schedule_.roles; lane < (rank + 1) * schedule_.roles; ++lane) {
    LaneSource::Cursor cursor;
    while (source_.next_bundle(lane, cursor, bundle)) {
      for (std::size_t i = 0; i < bundle.steps.size(); ++i) {
        const Step& step = bundle.steps[i];
        const unsigned wanted = sending ? action_send : action_recv;
        const unsigned fifo = sending ? bundle.extras[i].fifo_out : bundle.extras[i].fifo_in;
        if ((step.action & wanted) != 0 && (sending ? step.peer_out : step.peer_in) == peer &&
            static_cast<std::int32_t>(fifo) == connection.fifo) {
          return lane;
        }
      }
    }
  }
  return -1;
}

template <class Value>
std::vector<LaneWait> Interpreter<Value>::waits() const {
  std::vector<LaneWait> waits(lanes_.size());
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const Lane& lane = lanes_[i];
    if (lane.finished || lane.waits == LaneWait::For::nothing) continue;
    const Step step = lane.bundle.steps[lane.step];
    const auto rank = static_cast<std::int32_t>(i) / schedule_.roles;
    LaneWait& wait = waits[i];
    wait = {lane.waits, -1, -1, lane.bundle.origins[lane.step], lane.loop, lane.slice};
    const StepExtra extra = lane.bundle.extras[lane.step];
    if (lane.waits == LaneWait::For::lane) {
      wait.lane = rank * schedule_.roles + extra.after_role;
      wait.peer = rank;
      continue;
    }
    const bool message = lane.waits == LaneWait::For::message;
    wait.peer = static_cast<std::int32_t>(message ? step.peer_in : step.peer_out);
    for (const auto& [key, connection] : connections_) {
      const bool mine = message ? connection.waiting_receiver == static_cast<std::int32_t>(i)
                                : connection.waiting_sender == static_cast<std::int32_t>(i);
      if (mine) wait.lane = lane_at(connection, message);
    }
    if (wait.lane >= 0 && lanes_[static_cast<std::size_t>(wait.lane)].finished) wait.lane = -1;
  }
  return waits;
}

template <class Value>
std::vector<typename Interpreter<Value>::Leftover> Interpreter<Value>::leftovers() const {
  std::vector<Leftover> left;
  for (const auto& [key, connection] : connections_) {
    if (connection.used > 0) {
      left.push_back({connection.source, connection.destination, connection.fifo,
                      static_cast<std::int32_t>(connection.used)});
    }
  }
  std::sort(left.begin(), left.end(), [](const Leftover& a, const Leftover& b) {
    return std::tie(a.source, a.destination, a.fifo) < std::tie(b.source, b.destination, b.fifo);
  });
  return left;
}

template class Interpreter<Fingerprint>;
template class Interpreter<Contributions>;

}  // namespace fabricast
