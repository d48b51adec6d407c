#include "emulator/sim/rank_classes.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace fabricast {
namespace {

// Positions grouped by class in one array; classes split in place.
class Partition {
 public:
  explicit Partition(const std::vector<std::int32_t>& color);

  std::int32_t count() const { return static_cast<std::int32_t>(begin_.size()); }
  std::span<const std::int32_t> members(std::int32_t c) const {
    const auto at = static_cast<std::size_t>(c);
    return {elements_.data() + begin_[at], static_cast<std::size_t>(end_[at] - begin_[at])};
  }
  std::int32_t size(std::int32_t c) const {
    return end_[static_cast<std::size_t>(c)] - begin_[static_cast<std::size_t>(c)];
  }
  const std::vector<std::int32_t>& class_of() const { return class_of_; }

  // Mark positions, then split every touched class into marked and unmarked members. Calls
  // on_split(old class, new class).
  void mark(std::int32_t x);
  template <class OnSplit>
  void split(OnSplit on_split);

 private:
  void swap_elements(std::int32_t i, std::int32_t j);

  std::vector<std::int32_t> elements_, location_, class_of_;
  std::vector<std::int32_t> begin_, end_, marked_;
  std::vector<std::int32_t> touched_;
};

Partition::Partition(const std::vector<std::int32_t>& color)
    : elements_(color.size()), location_(color.size()), class_of_(color) {
  const std::int32_t classes =
      color.empty() ? 0 : *std::max_element(color.begin(), color.end()) + 1;
  begin_.assign(static_cast<std::size_t>(classes), 0);
  for (const std::int32_t c : color) ++begin_[static_cast<std::size_t>(c)];
  std::int32_t sum = 0;
  for (std::int32_t& b : begin_) sum += std::exchange(b, sum);
  end_ = begin_;
  marked_.assign(begin_.size(), 0);
  for (std::size_t x = 0; x < color.size(); ++x) {
    const std::int32_t at = end_[static_cast<std::size_t>(color[x])]++;
    elements_[static_cast<std::size_t>(at)] = static_cast<std::int32_t>(x);
    location_[x] = at;
  }
}

void Partition::swap_elements(std::int32_t i, std::int32_t j) {
  auto& a = elements_[static_cast<std::size_t>(i)];
  auto& b = elements_[static_cast<std::size_t>(j)];
  std::swap(a, b);
  location_[static_cast<std::size_t>(a)] = i;
  location_[static_cast<std::size_t>(b)] = j;
}

void Partition::mark(std::int32_t x) {
  const std::int32_t c = class_of_[static_cast<std::size_t>(x)];
  const auto at = static_cast<std::size_t>(c);
  const std::int32_t first_unmarked = begin_[at] + marked_[at];
  if (location_[static_cast<std::size_t>(x)] < first_unmarked) return;
  if (marked_[at] == 0) touched_.push_back(c);
  swap_elements(location_[static_cast<std::size_t>(x)], first_unmarked);
  ++marked_[at];
}

template <class OnSplit>
void Partition::split(OnSplit on_split) {
  for (const std::int32_t c : touched_) {
    const auto at = static_cast<std::size_t>(c);
    const std::int32_t marked = std::exchange(marked_[at], 0);
    if (marked == size(c)) continue;
    const std::int32_t fresh = count();
    const std::int32_t middle = begin_[at] + marked;
    begin_.push_back(begin_[at]);
    end_.push_back(middle);
    marked_.push_back(0);
    begin_[at] = middle;
    for (const std::int32_t x : members(fresh)) class_of_[static_cast<std::size_t>(x)] = fresh;
    on_split(c, fresh);
  }
  touched_.clear();
}

// Equal rows, equal hash. It decides; `is_equitable` compares the rows themselves, so a collision
// can cost the folding but never the result.
std::vector<std::uint64_t> hashes_of(const ClassInput& input) {
  const auto positions = static_cast<std::size_t>(input.positions);
  std::vector<std::uint64_t> hash(positions, 0);
  for (const auto& row : input.rows) {
    for (std::size_t x = 0; x < positions; ++x) {
      hash[x] = (hash[x] ^ static_cast<std::uint64_t>(row[x])) * 0x9E3779B97F4A7C15u;
      hash[x] ^= hash[x] >> 29;
    }
  }
  return hash;
}

std::vector<std::int32_t> colors_of(const std::vector<std::uint64_t>& hash) {
  std::unordered_map<std::uint64_t, std::int32_t> colors;
  std::vector<std::int32_t> color;
  for (const std::uint64_t each : hash) {
    color.push_back(
        colors.try_emplace(each, static_cast<std::int32_t>(colors.size())).first->second);
  }
  return color;
}

// Do all maps turn the positions, one of them by a step?
bool turns_by_a_step(const ClassInput& input) {
  const auto turns = [&](const ShiftMap& map) {
    return map.weight == 1 && map.radix == input.positions;
  };
  const auto by_a_step = [&](const ShiftMap& map) {
    return map.shift == 1 || map.shift == input.positions - 1;
  };
  return std::all_of(input.maps.begin(), input.maps.end(), turns) &&
         std::any_of(input.maps.begin(), input.maps.end(), by_a_step);
}

// After which all values repeat, cyclically: Knuth, Morris and Pratt's failure function.
std::size_t period_of(const std::vector<std::uint64_t>& values) {
  std::vector<std::size_t> border(values.size(), 0);
  for (std::size_t i = 1; i < values.size(); ++i) {
    std::size_t length = border[i - 1];
    while (length > 0 && values[i] != values[length]) length = border[length - 1];
    border[i] = values[i] == values[length] ? length + 1 : 0;
  }
  const std::size_t period = values.size() - border.back();
  return values.size() % period == 0 ? period : values.size();
}

}  // namespace

RankClasses classes_from(const std::vector<std::int32_t>& class_of) {
  RankClasses result;
  std::unordered_map<std::int32_t, std::int32_t> renumbered;
  result.class_of.reserve(class_of.size());
  for (std::size_t x = 0; x < class_of.size(); ++x) {
    const auto [it, added] = renumbered.try_emplace(class_of[x], result.count);
    if (added) {
      result.representative.push_back(static_cast<std::int32_t>(x));
      ++result.count;
    }
    result.class_of.push_back(it->second);
  }
  return result;
}

RankClasses refine(const ClassInput& input) {
  const std::vector<std::uint64_t> hashes = hashes_of(input);
  if (turns_by_a_step(input)) {
    // Two positions are alike where all that follows is: a whole number of periods apart.
    const std::size_t period = period_of(hashes);
    std::vector<std::int32_t> class_of(hashes.size());
    for (std::size_t x = 0; x < class_of.size(); ++x) {
      class_of[x] = static_cast<std::int32_t>(x % period);
    }
    return classes_from(class_of);
  }
  Partition partition(colors_of(hashes));
  std::vector<ShiftMap> maps;
  for (const ShiftMap& map : input.maps) {
    maps.push_back(map);
    maps.push_back(inverse(map, input.positions));
  }
  std::sort(maps.begin(), maps.end());
  maps.erase(std::unique(maps.begin(), maps.end()), maps.end());
  std::vector<std::int32_t> work;
  std::vector<bool> queued(static_cast<std::size_t>(partition.count()), true);
  for (std::int32_t c = 0; c < partition.count(); ++c) work.push_back(c);
  std::vector<std::int32_t> splitter;
  while (!work.empty()) {
    const std::int32_t c = work.back();
    work.pop_back();
    queued[static_cast<std::size_t>(c)] = false;
    const auto members = partition.members(c);
    splitter.assign(members.begin(), members.end());
    // The set of maps is closed under inversion: images are the preimages of the inverses.
    for (const ShiftMap& map : maps) {
      for (const std::int32_t x : splitter) partition.mark(map(x));
      partition.split([&](std::int32_t old, std::int32_t fresh) {
        queued.push_back(false);
        const bool both = queued[static_cast<std::size_t>(old)];
        const std::int32_t next =
            both || partition.size(fresh) <= partition.size(old) ? fresh : old;
        queued[static_cast<std::size_t>(next)] = true;
        work.push_back(next);
      });
    }
  }
  return classes_from(partition.class_of());
}

bool is_equitable(const ClassInput& input, const RankClasses& classes) {
  const auto positions = static_cast<std::size_t>(input.positions);
  if (classes.class_of.size() != positions) return false;
  const auto representative = [&](std::size_t x) {
    return static_cast<std::size_t>(
        classes.representative[static_cast<std::size_t>(classes.class_of[x])]);
  };
  for (const auto& row : input.rows) {
    for (std::size_t x = 0; x < positions; ++x) {
      if (row[x] != row[representative(x)]) return false;
    }
  }
  std::vector<std::int32_t> peer_class(positions);
  const auto same_peers = [&](const ShiftMap& map) {
    for (std::size_t x = 0; x < positions; ++x) {
      peer_class[x] = classes.class_of[static_cast<std::size_t>(map(static_cast<std::int32_t>(x)))];
      // Representatives come first in their class, so theirs is already known.
      if (peer_class[x] != peer_class[representative(x)]) return false;
    }
    return true;
  };
  return std::all_of(input.maps.begin(), input.maps.end(), [&](const ShiftMap& map) {
    return same_peers(map) && same_peers(inverse(map, input.positions));
  });
}

}  // namespace fabricast
