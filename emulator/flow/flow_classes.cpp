#include "emulator/flow/flow_classes.hpp"

#include <algorithm>
#include <unordered_map>

#include "emulator/base/counter_rng.hpp"

namespace fabricast {
namespace {

constexpr std::size_t most_counts = std::size_t{1} << 24;  // of the table that checks the partition

std::uint64_t word(std::int64_t value) { return static_cast<std::uint64_t>(value); }

std::uint64_t flow_colour(const FlowStart& flow, const std::vector<std::uint64_t>& link_colours) {
  std::uint64_t colour =
      mix64(mix64(mix64(word(flow.start_ps)) ^ word(flow.bytes)) ^ word(flow.flows));
  for (const Crossing& at : flow.path.span()) {
    colour += mix64(link_colours[at.link] + word(at.count));  // in any order
  }
  return mix64(colour);
}

std::size_t distinct(std::vector<std::uint64_t> values) {
  std::sort(values.begin(), values.end());
  return static_cast<std::size_t>(std::unique(values.begin(), values.end()) - values.begin());
}

class Folding {
 public:
  Folding(const FlowList& list, std::span<const FlowRate> capacities,
          std::span<const CapacityChange> changes)
      : list_(list), capacities_(capacities), changes_(changes), colours_(capacities.size()) {}

  std::optional<FlowQuotient> run() {
    refine();
    if (!number_flows()) return std::nullopt;
    number_links();
    if (quotient_.capacities.size() * quotient_.flows.size() > most_counts) return std::nullopt;
    if (!check()) return std::nullopt;
    finish();
    return std::move(quotient_);
  }

 private:
  void refine();
  bool number_flows();
  void number_links();
  bool same_shape(const FlowStart& flow, const FlowStart& representative) const;
  bool same_changes() const;
  bool check();
  void finish();
  std::size_t class_of(const FlowStart& flow) const {
    return classes_.at(flow_colour(flow, colours_));
  }
  using Shape = std::vector<std::pair<std::uint32_t, std::int32_t>>;
  Shape shape_of(const FlowStart& flow) const;

  const FlowList& list_;
  std::span<const FlowRate> capacities_;
  std::span<const CapacityChange> changes_;
  std::vector<std::uint64_t> colours_;                      // by link
  std::unordered_map<std::uint64_t, std::size_t> classes_;  // flow colour -> index
  std::vector<std::int64_t> sizes_;                         // flows of each class
  std::vector<std::uint32_t> front_;                        // a link of each link class
  std::vector<std::int64_t> counts_;                        // [link class][flow class] on one link
  FlowQuotient quotient_;
};

void Folding::refine() {
  for (std::size_t link = 0; link < colours_.size(); ++link) {
    colours_[link] = mix64(word(capacities_[link]));
  }
  for (const CapacityChange& change : changes_) {
    colours_[change.link] =
        mix64(mix64(colours_[change.link] ^ word(change.time_ps)) ^ word(change.capacity));
  }
  for (std::size_t known = distinct(colours_);;) {
    std::vector<std::uint64_t> next(colours_.size());
    for (std::size_t link = 0; link < next.size(); ++link) next[link] = mix64(colours_[link]);
    for (std::int64_t i = 0; i < list_.size(); ++i) {
      const FlowStart flow = list_.flow(i);
      const std::uint64_t colour = flow_colour(flow, colours_);
      for (const Crossing& at : flow.path.span()) next[at.link] += mix64(colour + word(at.count));
    }
    ++quotient_.rounds;
    const std::size_t found = distinct(next);
    colours_ = std::move(next);
    if (found == known) return;
    known = found;
  }
}

bool Folding::number_flows() {
  for (std::int64_t i = 0; i < list_.size(); ++i) {
    const FlowStart flow = list_.flow(i);
    const auto [found, is_new] =
        classes_.try_emplace(flow_colour(flow, colours_), quotient_.flows.size());
    if (!is_new) {
      ++sizes_[found->second];
      continue;
    }
    quotient_.flows.push_back(flow);
    sizes_.push_back(1);
    if (static_cast<std::int64_t>(classes_.size()) > list_.size() / 2) return false;
  }
  return true;
}

void Folding::number_links() {
  std::vector<char> used(colours_.size(), 0);
  for (std::int64_t i = 0; i < list_.size(); ++i) {
    const FlowStart flow = list_.flow(i);
    for (const Crossing& at : flow.path.span()) used[at.link] = 1;
  }
  std::unordered_map<std::uint64_t, std::uint32_t> numbers;
  quotient_.link_class.assign(colours_.size(), FlowQuotient::unused);
  for (std::uint32_t link = 0; link < colours_.size(); ++link) {
    if (used[link] == 0) continue;
    const auto [found, is_new] =
        numbers.try_emplace(colours_[link], static_cast<std::uint32_t>(front_.size()));
    quotient_.link_class[link] = found->second;
    if (!is_new) continue;
    front_.push_back(link);
    quotient_.capacities.push_back(capacities_[link]);
  }
}

Folding::Shape Folding::shape_of(const FlowStart& flow) const {
  Shape shape;
  for (const Crossing& at : flow.path.span()) {
    shape.emplace_back(quotient_.link_class[at.link], at.count);
  }
  std::sort(shape.begin(), shape.end());
  return shape;
}

bool Folding::same_shape(const FlowStart& flow, const FlowStart& representative) const {
  if (flow.start_ps != representative.start_ps || flow.bytes != representative.bytes ||
      flow.flows != representative.flows || flow.path.size != representative.path.size) {
    return false;
  }
  std::array<std::uint64_t, MaxMin::max_crossings> a{}, b{};
  const auto sorted = [this](const FlowStart& of, auto& into) {
    for (std::size_t i = 0; i < of.path.size; ++i) {
      const Crossing& at = of.path.crossings[i];
      into[i] = (std::uint64_t{quotient_.link_class[at.link]} << 32) | word(at.count);
    }
    std::sort(into.begin(), into.begin() + of.path.size);
  };
  sorted(flow, a);
  sorted(representative, b);
  return a == b;
}

bool Folding::same_changes() const {
  std::vector<std::vector<std::pair<std::int64_t, FlowRate>>> of_link(colours_.size());
  for (const CapacityChange& change : changes_) {
    of_link[change.link].emplace_back(change.time_ps, change.capacity);
  }
  for (std::uint32_t link = 0; link < colours_.size(); ++link) {
    const std::uint32_t number = quotient_.link_class[link];
    if (number != FlowQuotient::unused && of_link[link] != of_link[front_[number]]) return false;
  }
  return true;
}

// Every link of a class against the first, by exact counts.
bool Folding::check() {
  if (!same_changes()) return false;
  const std::size_t flow_classes = quotient_.flows.size();
  std::vector<std::vector<std::uint32_t>> on_link(colours_.size());  // flow classes, few per link
  std::vector<std::vector<std::int64_t>> count_on_link(colours_.size());
  for (std::int64_t i = 0; i < list_.size(); ++i) {
    const FlowStart flow = list_.flow(i);
    const auto number = static_cast<std::uint32_t>(class_of(flow));
    if (!same_shape(flow, quotient_.flows[number])) return false;
    for (const Crossing& at : flow.path.span()) {
      auto& classes = on_link[at.link];
      auto& counts = count_on_link[at.link];
      std::size_t place = 0;
      while (place < classes.size() && classes[place] != number) ++place;
      if (place == classes.size()) {
        classes.push_back(number);
        counts.push_back(0);
      }
      counts[place] += at.count;
    }
  }
  counts_.assign(front_.size() * flow_classes, 0);
  const auto row = [&](std::uint32_t link) {
    return counts_.data() + quotient_.link_class[link] * flow_classes;
  };
  for (const std::uint32_t link : front_) {
    for (std::size_t i = 0; i < on_link[link].size(); ++i)
      row(link)[on_link[link][i]] = count_on_link[link][i];
  }
  for (std::uint32_t link = 0; link < colours_.size(); ++link) {
    const std::uint32_t number = quotient_.link_class[link];
    if (number == FlowQuotient::unused) continue;
    const std::uint32_t front = front_[number];
    if (capacities_[link] != capacities_[front] || on_link[link].size() != on_link[front].size())
      return false;
    for (std::size_t i = 0; i < on_link[link].size(); ++i) {
      if (row(link)[on_link[link][i]] != count_on_link[link][i]) return false;
    }
  }
  return true;
}

void Folding::finish() {
  const std::size_t flow_classes = quotient_.flows.size();
  for (std::size_t f = 0; f < flow_classes; ++f) {
    FlowStart& flow = quotient_.flows[f];
    FlowPath path;
    for (const auto& [link, unused_count] : shape_of(flow)) {
      if (path.size > 0 && path.crossings[path.size - 1u].link == link) continue;
      path.add(link, static_cast<std::int32_t>(counts_[link * flow_classes + f]));
    }
    flow.path = path;
    flow.flows *= sizes_[f];
  }
  std::stable_sort(quotient_.flows.begin(), quotient_.flows.end(),
                   [](const auto& a, const auto& b) { return a.start_ps < b.start_ps; });
  for (std::size_t f = 0; f < flow_classes; ++f)
    quotient_.flows[f].tag = static_cast<std::int64_t>(f);
  // One change per class: all its links have the same ones (they are part of the first colours).
  for (const CapacityChange& change : changes_) {
    const std::uint32_t number = quotient_.link_class[change.link];
    if (number == FlowQuotient::unused || front_[number] != change.link) continue;
    quotient_.changes.push_back({change.time_ps, number, change.capacity});
  }
}

}  // namespace

std::optional<FlowQuotient> fold_flows(const FlowList& list, std::span<const FlowRate> capacities,
                                       std::span<const CapacityChange> changes) {
  return Folding(list, capacities, changes).run();
}

bool ListDriver::next(FlowStart& flow) {
  if (next_ == list_.size()) return false;
  flow = list_.flow(next_++);
  return true;
}

}  // namespace fabricast
