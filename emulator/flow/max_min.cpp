#include "emulator/flow/max_min.hpp"

#include <algorithm>
#include <utility>

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

// A link visited so often in one solve says that the order of visits was unlucky.
constexpr std::int32_t most_visits = 64;
// Where most members are new or gone, filling from scratch is the shorter way.
constexpr std::int64_t few_changes = 64;

}  // namespace

MaxMin::MaxMin(std::vector<FlowRate> capacities)
    : links_(capacities.size()), left_(capacities.size()), open_flows_(capacities.size()) {
  for (std::size_t i = 0; i < capacities.size(); ++i) {
    FABRICAST_EXPECT(capacities[i] >= 0 && capacities[i] <= unlimited_rate, "a capacity");
    links_[i].capacity = capacities[i];
  }
}

FlowRate MaxMin::own_limit(const MemberState& state) const {
  FlowRate limit = open;
  for (std::size_t i = 0; i < state.size; ++i) {
    const Crossing& at = state.crossings[i];
    const FlowRate capacity = links_[at.link].capacity;
    limit = std::min(limit, at.count == 1 ? capacity : capacity / at.count);
  }
  return limit;
}

FlowRate MaxMin::lowest_level(const MemberState& state, std::uint32_t except) const {
  FlowRate lowest = state.own_limit;
  for (std::size_t i = 0; i < state.size; ++i) {
    const std::uint32_t link = state.crossings[i].link;
    if (link != except) lowest = std::min(lowest, links_[link].level);
  }
  return lowest;
}

MaxMin::Member MaxMin::add(std::span<const Crossing> crossings) {
  FABRICAST_EXPECT(!crossings.empty() && crossings.size() <= max_crossings, "links of a flow");
  if (free_.empty()) {
    free_.push_back(static_cast<Member>(members_.size()));
    members_.emplace_back();
  }
  const Member member = free_.back();
  free_.pop_back();
  MemberState& state = members_[member];
  state.size = static_cast<std::uint8_t>(crossings.size());
  for (std::uint32_t i = 0; i < state.size; ++i) {
    FABRICAST_EXPECT(crossings[i].link < links_.size() && crossings[i].count > 0, "a crossing");
    Link& link = links_[crossings[i].link];
    state.crossings[i] = crossings[i];
    state.places[i] = static_cast<std::uint32_t>(link.places.size());
    if (link.places.empty()) {
      link.used_at = static_cast<std::uint32_t>(used_.size());
      used_.push_back(crossings[i].link);
    }
    link.places.push_back({member, i});
    link.flows += crossings[i].count;
  }
  state.own_limit = own_limit(state);
  ++active_;
  const auto nowhere = static_cast<std::uint32_t>(links_.size());
  state.rate = 0;
  state.rate_before = -1;  // reported as changed in any case
  if (!state.marked) touched_.push_back(member);
  state.marked = true;
  ++changes_;
  set_rate(member, lowest_level(state, nowhere), nowhere);
  for (const Crossing& at : crossings) {
    const Link& link = links_[at.link];
    if (link.level == open && link.load + link.flows <= link.capacity) continue;
    // One member more lowers a level, but not below the equal share of all.
    mark_dirty(at.link, link.capacity / link.flows);
  }
  return member;
}

void MaxMin::remove(Member member) {
  MemberState& state = members_[member];
  FABRICAST_EXPECT(state.size > 0, "an active member");
  for (std::size_t i = 0; i < state.size; ++i) {
    const Crossing& at = state.crossings[i];
    Link& link = links_[at.link];
    link.load -= static_cast<FlowAmount>(state.rate) * at.count;
    link.flows -= at.count;
    const Place last = link.places.back();
    link.places[state.places[i]] = last;
    members_[last.member].places[last.crossing] = state.places[i];
    link.places.pop_back();
    if (link.places.empty()) {
      links_[used_.back()].used_at = link.used_at;
      used_[link.used_at] = used_.back();
      used_.pop_back();
    }
    if (link.level != open) mark_dirty(at.link, link.level);
  }
  state.size = 0;
  ++changes_;
  free_.push_back(member);
  --active_;
}

void MaxMin::set_capacity(std::uint32_t id, FlowRate capacity) {
  FABRICAST_EXPECT(capacity >= 0 && capacity <= unlimited_rate, "a capacity");
  Link& link = links_[id];
  link.capacity = capacity;
  const auto nowhere = static_cast<std::uint32_t>(links_.size());
  for (const Place place : link.places) {
    MemberState& state = members_[place.member];
    state.own_limit = own_limit(state);
    set_rate(place.member, lowest_level(state, nowhere), id);
  }
  mark_dirty(id, 0);
}

void MaxMin::mark_dirty(std::uint32_t id, FlowRate key) {
  Link& link = links_[id];
  if (link.dirty && link.key <= key) return;
  link.dirty = true;
  link.key = key;
  const auto later = [](const Entry& a, const Entry& b) {
    return a.key != b.key ? a.key > b.key : a.link > b.link;
  };
  queue_.push_back({key, id});
  std::push_heap(queue_.begin(), queue_.end(), later);
}

bool MaxMin::pop_dirty(std::uint32_t& id) {
  const auto later = [](const Entry& a, const Entry& b) {
    return a.key != b.key ? a.key > b.key : a.link > b.link;
  };
  while (!queue_.empty()) {
    const Entry entry = queue_.front();
    std::pop_heap(queue_.begin(), queue_.end(), later);
    queue_.pop_back();
    if (!links_[entry.link].dirty || links_[entry.link].key != entry.key) continue;
    id = entry.link;
    return true;
  }
  return false;
}

// A changed rate matters to a link whose level lies above the old or the new one, unless the link
// has room for all its flows: then it freezes nowhere, rounding included.
void MaxMin::set_rate(Member member, FlowRate rate, std::uint32_t except) {
  MemberState& state = members_[member];
  const FlowRate before = state.rate;
  if (before == rate) return;
  if (!state.marked) {
    state.marked = true;
    state.rate_before = before;
    touched_.push_back(member);
  }
  state.rate = rate;
  const FlowRate low = std::min(before, rate);
  for (std::size_t i = 0; i < state.size; ++i) {
    const Crossing& at = state.crossings[i];
    Link& link = links_[at.link];
    link.load += static_cast<FlowAmount>(rate - before) * at.count;
    if (at.link == except || link.level <= low) continue;
    if (link.level == open && link.load + link.flows <= link.capacity) continue;
    mark_dirty(at.link, low);
  }
}

// Smallest x = floor((capacity - sum of what is below x) / flows at x or above), given what each
// member could have without this link (left in limits_). The iteration rises from the equal share
// and cannot pass it.
FlowRate MaxMin::level_of(std::uint32_t id) {
  const Link& link = links_[id];
  const std::size_t n = link.places.size();
  limits_.resize(n);
  counts_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const Place place = link.places[i];
    const MemberState& state = members_[place.member];
    limits_[i] = state.rate < link.level ? state.rate : lowest_level(state, id);
    counts_[i] = state.crossings[place.crossing].count;
  }
  ++stats_.link_visits;
  stats_.flow_visits += static_cast<std::int64_t>(n);
  if (n == 0) return open;
  FlowRate level = link.capacity / link.flows;
  while (true) {
    FlowRate below = 0;
    std::int64_t above = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const bool is_below = limits_[i] < level;
      below += is_below ? limits_[i] * counts_[i] : 0;
      above += is_below ? 0 : counts_[i];
    }
    if (above == 0) return open;
    const FlowRate share = (link.capacity - below) / above;
    if (share <= level) return level;
    level = share;
  }
}

void MaxMin::visit(std::uint32_t id) {
  Link& link = links_[id];
  link.dirty = false;
  const FlowRate level = level_of(id);
  if (level == link.level) return;
  link.level = level;
  for (std::size_t i = 0; i < link.places.size(); ++i) {
    set_rate(link.places[i].member, std::min(limits_[i], level), id);
  }
}

void MaxMin::solve() {
  changed_.clear();
  ++stats_.solves;
  if (changes_ > few_changes && changes_ > active_ / 2) {
    refill();
    return;
  }
  std::uint32_t id = 0;
  while (pop_dirty(id)) {
    Link& link = links_[id];
    if (link.visited_in != stats_.solves) {
      link.visited_in = stats_.solves;
      link.visits = 0;
    }
    if (++link.visits > most_visits) {
      link.dirty = false;  // no longer in the queue
      link.level = open;
      refill();
      return;
    }
    visit(id);
  }
  finish_solve();
}

void MaxMin::finish_solve() {
  changes_ = 0;
  for (const Member member : touched_) {
    MemberState& state = members_[member];
    state.marked = false;
    if (state.size > 0 && state.rate != state.rate_before) changed_.push_back(member);
  }
  stats_.rate_changes += static_cast<std::int64_t>(changed_.size());
  touched_.clear();
}

void MaxMin::refill() {
  ++stats_.refills;
  changed_.clear();
  for (const Entry& entry : queue_) {
    links_[entry.link].dirty = false;
    links_[entry.link].level = open;  // where nobody is left on it
  }
  queue_.clear();
  const std::vector<FlowRate> rates = filled_rates();
  for (const std::uint32_t id : used_) links_[id].load = 0;
  for (Member member = 0; member < members_.size(); ++member) {
    MemberState& state = members_[member];
    if (state.size == 0) continue;
    if (!state.marked && state.rate != rates[member]) {
      state.marked = true;
      state.rate_before = state.rate;
      touched_.push_back(member);
    }
    state.rate = rates[member];
    for (std::size_t i = 0; i < state.size; ++i) {
      links_[state.crossings[i].link].load +=
          static_cast<FlowAmount>(state.rate) * state.crossings[i].count;
    }
  }
  finish_solve();
}

// The definition, step by step. Shares only grow, so an old one in the heap is a lower bound.
std::vector<FlowRate> MaxMin::filled_rates() {
  constexpr FlowRate unset = -1;
  std::vector<FlowRate> rates(members_.size(), unset);
  auto& left = left_;
  auto& flows = open_flows_;
  std::vector<std::pair<FlowRate, std::uint32_t>> heap;
  for (const std::uint32_t id : used_) {
    Link& link = links_[id];
    link.level = open;
    left[id] = link.capacity;
    flows[id] = link.flows;
    heap.emplace_back(link.capacity / link.flows, id);
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  std::vector<std::uint32_t> frozen;
  while (!heap.empty()) {
    FlowRate level = open;
    frozen.clear();
    while (!heap.empty() && heap.front().first <= level) {
      const auto [old, id] = heap.front();
      std::pop_heap(heap.begin(), heap.end(), std::greater<>());
      heap.pop_back();
      if (flows[id] == 0) continue;
      const FlowRate share = left[id] / flows[id];
      if (share > old) {
        heap.emplace_back(share, id);
        std::push_heap(heap.begin(), heap.end(), std::greater<>());
        continue;
      }
      level = share;
      frozen.push_back(id);
    }
    for (const std::uint32_t id : frozen) links_[id].level = level;
    for (const std::uint32_t id : frozen) {
      ++stats_.link_visits;
      for (const Place place : links_[id].places) {
        ++stats_.flow_visits;
        if (rates[place.member] != unset) continue;
        rates[place.member] = level;
        const MemberState& state = members_[place.member];
        for (std::size_t i = 0; i < state.size; ++i) {
          const Crossing& at = state.crossings[i];
          left[at.link] -= level * at.count;
          flows[at.link] -= at.count;
        }
      }
    }
  }
  return rates;
}

std::vector<MaxMin::Member> MaxMin::members_of(std::uint32_t link) const {
  std::vector<Member> members;
  for (const Place place : links_[link].places) members.push_back(place.member);
  return members;
}

std::int64_t MaxMin::state_bytes() const {
  std::size_t bytes =
      links_.capacity() * sizeof(Link) + members_.capacity() * sizeof(MemberState) +
      free_.capacity() * sizeof(Member) + queue_.capacity() * sizeof(Entry) +
      (touched_.capacity() + changed_.capacity()) * sizeof(Member) +
      limits_.capacity() * sizeof(FlowRate) + counts_.capacity() * sizeof(std::int32_t) +
      used_.capacity() * sizeof(std::uint32_t) + left_.capacity() * sizeof(FlowRate) +
      open_flows_.capacity() * sizeof(std::int64_t);
  for (const Link& link : links_) bytes += link.places.capacity() * sizeof(Place);
  return static_cast<std::int64_t>(bytes);
}

}  // namespace fabricast
