// Typed indices: a RankId is not a NodeId.
//
// Invariants: a default-constructed id is invalid; comparing ids of different kinds does not
// compile. Cost: none over the bare integer.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace fabricast {

template <class Tag>
class Id {
 public:
  using value_type = std::uint32_t;
  static constexpr value_type invalid_value = 0xFFFFFFFFu;

  constexpr Id() = default;
  constexpr explicit Id(value_type value) : value_(value) {}
  static constexpr Id from(std::int64_t value) { return Id(static_cast<value_type>(value)); }

  constexpr value_type value() const { return value_; }
  constexpr bool valid() const { return value_ != invalid_value; }
  constexpr auto operator<=>(const Id&) const = default;

 private:
  value_type value_ = invalid_value;
};

using RankId = Id<struct RankTag>;            // a GPU (or host lane) of the communicator
using NodeId = Id<struct NodeTag>;            // an NVLink domain: an HGX box or a rack
using LinkId = Id<struct LinkTag>;            // a directed link or aggregated trunk
using LinkClassId = Id<struct LinkClassTag>;  // links with the same rating and parameters
using ChannelId = Id<struct ChannelTag>;
using ChunkId = Id<struct ChunkTag>;
using RankClassId = Id<struct RankClassTag>;  // symmetric ranks that behave identically

}  // namespace fabricast

template <class Tag>
struct std::hash<fabricast::Id<Tag>> {
  std::size_t operator()(fabricast::Id<Tag> id) const noexcept { return id.value(); }
};
