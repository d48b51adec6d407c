#include "emulator/flow/flow_sim.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {

bool FlowDriver::next(FlowStart&) { return false; }
void FlowDriver::ended(std::int64_t, std::int64_t, FlowSimulator&) {}
std::optional<FlowPath> FlowDriver::detour(std::int64_t, std::uint32_t, const FlowSimulator&) {
  return std::nullopt;
}
std::string FlowDriver::link_name(std::uint32_t link) const { return fmt::format("link {}", link); }
void FlowDriver::solved(std::int64_t, const FlowSimulator&) {}

FlowSimulator::FlowSimulator(std::vector<FlowRate> capacities, std::vector<CapacityChange> changes)
    : solver_(std::move(capacities)), changes_(std::move(changes)), carried_(solver_.links()) {
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const auto& a, const auto& b) { return a.time_ps < b.time_ps; });
}

void FlowSimulator::start(const FlowStart& flow) {
  FABRICAST_EXPECT(flow.start_ps >= now_ && flow.bytes >= 0, "a flow to come");
  pending_.push_back(flow);
  std::push_heap(pending_.begin(), pending_.end(), Later());
}

std::int64_t FlowSimulator::next_time(FlowDriver& driver) {
  if (!has_streamed_ && !stream_ended_) {
    has_streamed_ = driver.next(streamed_);
    stream_ended_ = !has_streamed_;
    FABRICAST_EXPECT(stream_ended_ || streamed_.start_ps >= now_, "flows in order of start");
  }
  std::int64_t time = never_ps;
  if (has_streamed_) time = std::min(time, streamed_.start_ps);
  if (!pending_.empty()) time = std::min(time, pending_.front().start_ps);
  if (!departures_.empty()) time = std::min(time, departures_.first().time);
  // Changes of capacity alone keep nothing going.
  if (next_change_ < changes_.size() && (time != never_ps || solver_.members() > 0)) {
    time = std::min(time, changes_[next_change_].time_ps);
  }
  return time;
}

std::int64_t FlowSimulator::run(FlowDriver& driver) {
  while (true) {
    std::int64_t time = next_time(driver);
    if (time == never_ps) break;
    now_ = std::max(now_, time);
    ++stats_.instants;
    do {
      apply_changes(driver);
      end_flows(driver);
      start_flows(driver);
      time = next_time(driver);
    } while (time <= now_);
    solver_.solve();
    settle();
    driver.solved(now_, *this);
    stats_.most_active = std::max(stats_.most_active, solver_.members());
  }
  if (solver_.members() > 0) stalled(driver);
  stats_.state_bytes = state_bytes();  // storage never shrinks while it runs
  return last_end_;
}

void FlowSimulator::apply_changes(FlowDriver& driver) {
  while (next_change_ < changes_.size() && changes_[next_change_].time_ps <= now_) {
    const CapacityChange& change = changes_[next_change_++];
    solver_.set_capacity(change.link, change.capacity);
    ++stats_.events;
    if (change.capacity == 0) detour(change.link, driver);
  }
}

void FlowSimulator::detour(std::uint32_t link, FlowDriver& driver) {
  auto members = solver_.members_of(link);
  std::sort(members.begin(), members.end(),
            [this](auto a, auto b) { return flows_[a].tag < flows_[b].tag; });
  for (const auto member : members) {
    const auto path = driver.detour(flows_[member].tag, link, *this);
    if (!path) continue;
    Flow flow = flows_[member];
    flow.left -= static_cast<FlowAmount>(flow.rate) * (now_ - flow.last_ps);
    if (flow.left <= 0) continue;  // it ends at this very time
    account(member, flow.on_path - flow.left);
    departures_.erase(member);
    solver_.remove(member);
    flow.on_path = flow.left;
    flow.rate = 0;
    enter(solver_.add(path->span()), flow);
  }
}

void FlowSimulator::account(MaxMin::Member member, FlowAmount amount) {
  for (const Crossing& at : solver_.crossings(member)) carried_[at.link] += amount * at.count;
}

// The queue gives equal times in the order of tags.
void FlowSimulator::end_flows(FlowDriver& driver) {
  while (!departures_.empty() && departures_.first().time <= now_) {
    const auto member = departures_.first().key;
    departures_.erase(member);
    const Flow flow = flows_[member];
    account(member, flow.on_path);
    solver_.remove(member);
    stats_.flows += flow.flows;
    stats_.events += flow.flows;
    last_end_ = now_;
    driver.ended(flow.tag, now_, *this);
  }
}

void FlowSimulator::start_flows(FlowDriver& driver) {
  while (next_time(driver) <= now_) {
    const bool is_pending = !pending_.empty() && pending_.front().start_ps <= now_ &&
                            (!has_streamed_ || Later()(streamed_, pending_.front()));
    FlowStart flow;
    if (is_pending) {
      std::pop_heap(pending_.begin(), pending_.end(), Later());
      flow = pending_.back();
      pending_.pop_back();
    } else if (has_streamed_ && streamed_.start_ps <= now_) {
      flow = streamed_;
      has_streamed_ = false;
    } else {
      return;  // an end or a change of capacity
    }
    stats_.events += flow.flows;
    if (flow.bytes > 0 && flow.path.size > 0) {
      begin(flow);
      continue;
    }
    stats_.flows += flow.flows;
    stats_.events += flow.flows;
    last_end_ = now_;
    driver.ended(flow.tag, now_, *this);
  }
}

void FlowSimulator::begin(const FlowStart& start) {
  Flow flow;
  flow.tag = start.tag;
  flow.flows = start.flows;
  flow.left = flow.on_path = flow_amount(start.bytes);
  enter(solver_.add(start.path.span()), flow);
}

void FlowSimulator::enter(MaxMin::Member member, Flow flow) {
  if (member >= flows_.size()) flows_.resize(std::max<std::size_t>(member + 1, 2 * flows_.size()));
  flow.last_ps = now_;
  flows_[member] = flow;
}

void FlowSimulator::settle() {
  for (const auto member : solver_.changed()) {
    Flow& flow = flows_[member];
    flow.left -= static_cast<FlowAmount>(flow.rate) * (now_ - flow.last_ps);
    flow.last_ps = now_;
    flow.rate = solver_.rate(member);
    const std::int64_t takes = time_to_move(flow.left, flow.rate);
    if (takes >= never_ps - now_) {
      departures_.erase(member);
    } else {
      departures_.set({now_ + takes, flow.tag, member});
    }
  }
}

void FlowSimulator::stalled(const FlowDriver& driver) const {
  for (std::uint32_t link = 0; link < solver_.links(); ++link) {
    const auto members = solver_.members_of(link);
    if (solver_.capacity(link) > 0 || members.empty()) continue;
    throw UsageError(fmt::format(
        "{} flows wait for ever: {} has no capacity and never recovers; let it recover, or choose "
        "a routing with another path",
        solver_.members(), driver.link_name(link)));
  }
  throw UsageError(fmt::format("{} flows would take longer than 100 days", solver_.members()));
}

std::vector<std::int64_t> FlowSimulator::carried_bytes() const {
  std::vector<std::int64_t> bytes;
  for (const FlowAmount amount : carried_) {
    bytes.push_back(static_cast<std::int64_t>(amount >> flow_rate_bits));
  }
  return bytes;
}

std::int64_t FlowSimulator::state_bytes() const {
  return solver_.state_bytes() + departures_.state_bytes() +
         static_cast<std::int64_t>(flows_.capacity() * sizeof(Flow) +
                                   pending_.capacity() * sizeof(FlowStart) +
                                   carried_.capacity() * sizeof(FlowAmount));
}

}  // namespace fabricast
