// Which switches two positions do not share: the key that decides the route between them.
//
// Attachments of a rank are its domain and the links it climbs on its way across the machine
// (leaf trunk, pod trunk ...), and its rail where a message to another rail first goes through the
// domain. They are read off Topology::route to other domains, so no builder is special. The key of
// a pair has one bit per attachment that differs, and where domains are of several kinds the kinds
// of both ends. Immutable; thread safe. O(positions) to build and store; key() is O(attachments).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "emulator/cost/exchange_costs.hpp"
#include "emulator/schedule/schedule.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

class PositionKeys {
 public:
  // `ranks`: the rank at each position.
  PositionKeys(const Topology& topology, std::span<const std::int32_t> ranks);

  bool operator==(const PositionKeys&) const = default;

  std::size_t keys() const { return plain_keys() * kinds_ * kinds_; }
  std::size_t positions() const { return run_end_.size(); }

  bool shares_all(std::size_t x, std::size_t y) const {
    return std::all_of(attachments_.begin(), attachments_.end(),
                       [x, y](const auto& labels) { return labels[x] == labels[y]; });
  }

  // Which others it reaches without a way through its domain; 0 where it is all of them.
  std::int32_t rail(std::size_t x) const { return rails_.empty() ? 0 : rails_[x]; }

  std::size_t key(std::size_t x, std::size_t y) const { return plain_key(x, y) | kind_bits(x, y); }

  // key(x, y), key(x, y + 1), ... without the kinds of both ends: as many as there is room for.
  void plain_keys_of_pairs(std::size_t x, std::size_t y, std::span<std::uint16_t> keys) const;

  // The smallest divisor P of positions() with key(x, y) == key(x + P, y + P), cyclically, for all
  // pairs: machines of equal groups look the same from every group.
  std::size_t period() const { return period_; }

  // The positions in groups by what all pairs from two parts of one share: kinds of pairs are keys
  // without the kinds of both ends, which are the classes.
  const ExchangeGroups& exchange_groups() const { return exchange_groups_; }

  // How many others each of the first `end` positions has of each key: [x * keys() + key].
  // O(positions * keys()).
  std::vector<std::int64_t> peers_by_key(std::size_t end) const;

  // Calls visit(first, length, key) for the pairs (x, (x + shift) mod positions), x in [0, end), in
  // runs of equal keys.
  template <class Visit>
  void for_shift(std::size_t shift, std::size_t end, Visit visit) const {
    shift_ranges(shift, end, [&](std::size_t x, std::size_t y, std::size_t count) {
      for_range(x, y, count, visit);
    });
  }

  // Do no two of all pairs (x, peer) of the map in repetition k share an attachment, and are all on
  // one rail, or none? False where it is not known: maps that are no shifts, machines whose
  // switches have too many positions in no order.
  bool all_far(const PeerMap& map, const RankSpace& space, std::int32_t k) const;
  // The key, without the kinds of both ends, of every pair of a repetition that is all_far().
  std::size_t far_key(const PeerMap& map, const RankSpace& space, std::int32_t k) const;
  // Is the key of every position with its peer the same in two repetitions that are all_far()?
  // False where it is not known.
  bool far_keys_repeat(const PeerMap& map, const RankSpace& space, std::int32_t before,
                       std::int32_t k) const;

  // for_pairs() of a repetition that is all_far(), in the longest runs of equal keys: the kinds of
  // both ends decide.
  template <class Visit>
  void for_far(const PeerMap& map, const RankSpace& space, std::int32_t k, std::size_t end,
               Visit visit) const {
    const std::size_t plain = far_key(map, space, k);
    if (kinds_ == 1) return visit(0, end, plain);
    std::size_t first = 0, length = 0, key = 0;
    for_ranges(map, space, k, end, [&](std::size_t x, std::size_t y, std::size_t count) {
      while (count > 0) {
        const std::size_t alike = std::min({static_cast<std::size_t>(kind_end_[x]) - x,
                                            static_cast<std::size_t>(kind_end_[y]) - y, count});
        const std::size_t next = kind_bits(x, y) | plain;
        if (next != key) {
          if (length > 0) visit(first, length, key);
          first = x;
          length = 0;
          key = next;
        }
        length += alike;
        x += alike;
        y += alike;
        count -= alike;
      }
    });
    visit(first, length, key);
  }

  // The pairs (x, peer), x < end, of a map in repetition k: in runs where the map allows it.
  // Positions without a peer are left out.
  template <class Visit>
  void for_pairs(const PeerMap& map, const RankSpace& space, std::int32_t k, std::size_t end,
                 Visit visit) const {
    if (map.kind == PeerMap::Kind::linear || map.kind == PeerMap::Kind::rounds) {
      for_ranges(map, space, k, end, [&](std::size_t x, std::size_t y, std::size_t count) {
        for_range(x, y, count, visit);
      });
      return;
    }
    for (std::size_t x = 0; x < end; ++x) {
      const std::int32_t y = peer_of(map, space, static_cast<std::int32_t>(x), k);
      if (y < 0) continue;
      visit(x, std::size_t{1}, key(x, static_cast<std::size_t>(y)));
    }
  }

 private:
  // Without the kinds of both ends.
  std::size_t plain_keys() const {
    return std::size_t{1} << (attachments_.size() + (rails_.empty() ? 0 : 1));
  }
  std::size_t plain_key(std::size_t x, std::size_t y) const {
    std::size_t bits = 0;
    for (std::size_t f = 0; f < attachments_.size(); ++f) {
      bits |= static_cast<std::size_t>(attachments_[f][x] != attachments_[f][y]) << f;
    }
    return bits | rail_bit(x, y);
  }
  std::size_t kind_bits(std::size_t x, std::size_t y) const {
    return (kind_of(x) * kinds_ + kind_of(y)) * plain_keys();
  }
  std::size_t kind_of(std::size_t x) const { return kinds_ == 1 ? 0 : kind_of_[x]; }
  std::size_t rail_bit(std::size_t x, std::size_t y) const {
    if (rails_.empty()) return 0;
    return static_cast<std::size_t>(rails_[x] != rails_[y]) << attachments_.size();
  }
  // Attachments, and rails where they matter: [one bit of a key][position].
  std::vector<std::vector<std::int32_t>> partitions() const;
  void find_kinds(const Topology& topology, std::span<const std::int32_t> ranks);
  std::size_t find_plain_period() const;
  // The ends of the finest intervals of [begin, end) such that positions of two of them share
  // nothing but what all of [begin, end) share, and maybe what partitions[but] says.
  static std::vector<std::int32_t> ends_of_parts(
      std::int32_t begin, std::int32_t end, std::span<const std::vector<std::int32_t>> partitions,
      std::size_t but);
  // Of labels that come round in [begin, ends.back()), a few times at least and as often in every
  // part.
  static std::optional<ExchangePattern> pattern_of(std::int32_t begin,
                                                   std::span<const std::int32_t> ends,
                                                   std::span<const std::int32_t> labels);
  void part(std::size_t group, std::span<const std::vector<std::int32_t>> partitions,
            ExchangeGroups& all) const;
  static void find_alike(std::span<const std::vector<std::int32_t>> partitions,
                         ExchangeGroups& all);
  ExchangeGroups find_exchange_groups() const;
  void find_near(std::size_t plain_period);
  void find_rails_after();

  // Pairs (x + i, y + i), i < count.
  template <class Visit>
  void for_range(std::size_t x, std::size_t y, std::size_t count, Visit& visit) const {
    while (count > 0) {
      const std::size_t length = std::min({static_cast<std::size_t>(run_end_[x]) - x,
                                           static_cast<std::size_t>(run_end_[y]) - y, count});
      if (rails_.empty()) {
        visit(x, length, key(x, y));
      } else {
        for_rails(x, y, length, visit);
      }
      x += length;
      y += length;
      count -= length;
    }
  }

  // A run of equal attachments, parted where rails that were the same are not any more.
  template <class Visit>
  void for_rails(std::size_t x, std::size_t y, std::size_t count, Visit& visit) const {
    for (std::size_t first = 0, i = 1; i <= count; ++i) {
      if (i < count && rail_bit(x + i, y + i) == rail_bit(x + first, y + first)) continue;
      visit(x + first, i - first, key(x + first, y + first));
      first = i;
    }
  }

  // Calls range(x, y, count) for the pairs (x + i, y + i), i < count, x + i < end, of a map that is
  // linear or of rounds.
  template <class Range>
  void for_ranges(const PeerMap& map, const RankSpace& space, std::int32_t k, std::size_t end,
                  Range range) const {
    if (map.kind == PeerMap::Kind::rounds) return block_ranges(map, space, k, end, range);
    shift_ranges(static_cast<std::size_t>(peer_of(map, space, 0, k)), end, range);
  }

  template <class Range>
  void shift_ranges(std::size_t shift, std::size_t end, Range range) const {
    const std::size_t p = positions();
    range(std::size_t{0}, shift, std::min(p - shift, end));
    if (p - shift < end) range(p - shift, std::size_t{0}, end - (p - shift));
  }

  // Shifts of two digits: a block of digit 0 goes to another one, in two parts.
  template <class Range>
  void block_ranges(const PeerMap& map, const RankSpace& space, std::int32_t k, std::size_t end,
                    Range range) const {
    const auto radix = static_cast<std::size_t>(space.radix(0));
    const auto blocks = static_cast<std::size_t>(space.radix(1));
    const auto of_first = static_cast<std::size_t>(peer_of(map, space, 0, k));
    const std::size_t shift = of_first % radix;
    std::size_t to = of_first / radix;  // all blocks are shifted alike
    for (std::size_t block = 0; block < end; block += radix) {
      const std::size_t first = to * radix + shift;
      if (++to == blocks) to = 0;
      const std::size_t count = std::min(radix - shift, end - block);
      range(block, first, count);
      if (shift == 0 || block + count >= end) continue;
      range(block + count, first - shift, std::min(shift, end - block - count));
    }
  }

  std::vector<std::vector<std::int32_t>> attachments_;  // [attachment][position]
  std::vector<std::int32_t> rails_;  // by position; empty where all reach each other directly
  std::size_t kinds_ = 1;
  std::vector<std::uint8_t> kind_of_;   // of domains, by position; empty where all are alike
  std::vector<std::int32_t> kind_end_;  // first later position of another kind; empty likewise
  std::int32_t kind_step_ = 0;          // divides all of these
  std::vector<std::int32_t> run_end_;   // first later position whose attachments differ
  std::size_t period_ = 0;
  ExchangeGroups exchange_groups_;
  std::vector<bool> near_;  // by shift: some pair shares an attachment; empty if not looked for
  // Of the pairs of a shift, those on one rail; by shift % size. One entry where rails are empty.
  enum class OneRail : std::uint8_t { none, all, some };
  std::vector<OneRail> rails_after_{OneRail::none};
};

}  // namespace fabricast
