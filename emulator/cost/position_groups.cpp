// The part of PositionKeys that puts positions into the groups of an exchange.
#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "emulator/cost/position_keys.hpp"

namespace fabricast {

std::vector<std::int32_t> PositionKeys::ends_of_parts(
    std::int32_t begin, std::int32_t end, std::span<const std::vector<std::int32_t>> partitions,
    std::size_t but) {
  // A part reaches as far as the last position that shares something with one of its own.
  std::vector<std::int32_t> reach;
  for (std::int32_t x = begin; x < end; ++x) reach.push_back(x);
  const auto look_at = [&](const std::vector<std::int32_t>& labels) {
    const auto first = labels.begin() + begin, last_of_all = labels.begin() + end;
    if (std::adjacent_find(first, last_of_all, std::not_equal_to<>()) == last_of_all) return;
    std::unordered_map<std::int32_t, std::int32_t> last;
    for (std::int32_t x = begin; x < end; ++x) last[labels[static_cast<std::size_t>(x)]] = x;
    for (std::int32_t x = begin; x < end; ++x) {
      auto& far = reach[static_cast<std::size_t>(x - begin)];
      far = std::max(far, last[labels[static_cast<std::size_t>(x)]]);
    }
  };
  for (std::size_t f = 0; f < partitions.size(); ++f) {
    if (f != but) look_at(partitions[f]);
  }
  std::vector<std::int32_t> ends;
  std::int32_t so_far = begin;
  for (std::int32_t x = begin; x < end; ++x) {
    so_far = std::max(so_far, reach[static_cast<std::size_t>(x - begin)]);
    if (so_far == x) ends.push_back(x + 1);
  }
  return ends;
}

std::optional<ExchangePattern> PositionKeys::pattern_of(std::int32_t begin,
                                                        std::span<const std::int32_t> ends,
                                                        std::span<const std::int32_t> labels) {
  const std::int32_t end = ends.back();
  std::int32_t whole = 0, from = begin;  // divides all parts
  for (const std::int32_t to : ends) {
    whole = std::gcd(whole, to - from);
    from = to;
  }
  const std::int32_t longest = std::min((end - begin) / 4, 255);
  for (std::int32_t period = 2; period <= std::min(longest, whole); ++period) {
    if (whole % period != 0) continue;
    if (!std::equal(labels.begin() + begin + period, labels.begin() + end,
                    labels.begin() + begin)) {
      continue;
    }
    ExchangePattern pattern;
    pattern.labels.assign(static_cast<std::size_t>(period), 0);
    std::unordered_map<std::int32_t, std::size_t> known;
    for (std::int32_t x = begin; x < begin + period; ++x) {
      const std::size_t label =
          known.try_emplace(labels[static_cast<std::size_t>(x)], known.size()).first->second;
      pattern.labels[static_cast<std::size_t>(x % period)] = static_cast<std::uint8_t>(label);
    }
    pattern.count = known.size();
    return pattern;
  }
  return std::nullopt;
}

void PositionKeys::part(std::size_t group, std::span<const std::vector<std::int32_t>> partitions,
                        ExchangeGroups& all) const {
  ExchangeGroup parted = all.groups[group];
  auto ends = ends_of_parts(parted.begin, parted.end, partitions, partitions.size());
  std::size_t but = 0;
  std::optional<ExchangePattern> pattern;
  for (; ends.size() < 2 && but < partitions.size(); ++but) {
    ends = ends_of_parts(parted.begin, parted.end, partitions, but);
    if (ends.size() >= 2) pattern = pattern_of(parted.begin, ends, partitions[but]);
    if (pattern) break;
    ends.clear();
  }
  if (ends.size() < 2) return;
  parted.between =
      plain_key(static_cast<std::size_t>(parted.begin), static_cast<std::size_t>(ends[0]));
  if (pattern) {
    const std::size_t unlike = std::size_t{1} << but;
    parted.between_unlike = parted.between | unlike;
    parted.between &= ~unlike;
    const auto known = std::find(all.patterns.begin(), all.patterns.end(), *pattern);
    parted.pattern = static_cast<std::size_t>(known - all.patterns.begin());
    if (known == all.patterns.end()) all.patterns.push_back(std::move(*pattern));
  }
  if (ends.size() == static_cast<std::size_t>(parted.end - parted.begin)) {
    parted.parts = ExchangeGroup::Parts::positions;
  } else {
    parted.parts = ExchangeGroup::Parts::groups;
    parted.first = static_cast<std::int32_t>(all.groups.size());
    std::int32_t begin = parted.begin;
    for (const std::int32_t end : ends) {
      ExchangeGroup child;
      child.begin = begin;
      child.end = begin = end;
      child.alike_to = static_cast<std::int32_t>(all.groups.size());
      all.groups.push_back(child);
    }
    parted.last = static_cast<std::int32_t>(all.groups.size());
  }
  all.groups[group] = parted;
}

// The same attachments are shared by the same members.
void PositionKeys::find_alike(std::span<const std::vector<std::int32_t>> partitions,
                              ExchangeGroups& all) {
  std::map<std::vector<std::int32_t>, std::int32_t> known;
  for (std::int32_t g = all.groups.front().first; g < all.groups.front().last; ++g) {
    ExchangeGroup& group = all.groups[static_cast<std::size_t>(g)];
    std::vector<std::int32_t> shape;
    for (const auto& labels : partitions) {
      std::unordered_map<std::int32_t, std::int32_t> first;
      for (std::int32_t x = group.begin; x < group.end; ++x) {
        shape.push_back(
            first.try_emplace(labels[static_cast<std::size_t>(x)], x - group.begin).first->second);
      }
    }
    group.alike_to = known.try_emplace(std::move(shape), g).first->second;
  }
}

ExchangeGroups PositionKeys::find_exchange_groups() const {
  ExchangeGroups all;
  ExchangeGroup whole;
  whole.end = static_cast<std::int32_t>(positions());
  all.groups.push_back(whole);
  const auto partitions = this->partitions();
  part(0, partitions, all);
  if (kinds_ == 1) {
    find_alike(partitions, all);
  } else {
    all.classes = kind_of_;
    all.class_count = kinds_;
  }
  for (std::size_t g = 1; g < all.groups.size(); ++g) {  // grows
    if (all.groups[g].alike_to == static_cast<std::int32_t>(g)) part(g, partitions, all);
  }
  return all;
}

}  // namespace fabricast
