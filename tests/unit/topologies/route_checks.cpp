#include "tests/unit/topologies/route_checks.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace fabricast {
namespace {

LinkKind kind_of(const Topology& machine, LinkId link) {
  return machine.link_classes()[machine.link_class(link).value()].kind;
}

// The name of the link in the other direction.
std::string reversed(std::string name) {
  const bool up = name.ends_with(" up");
  EXPECT_TRUE(up || name.ends_with(" down")) << name;
  name.resize(name.size() - (up ? 3 : 5));
  return name + (up ? " down" : " up");
}

}  // namespace

void expect_sound_route(const Topology& machine, RankId a, RankId b) {
  const Route route = machine.route(a, b);
  const auto links = route.span();
  const auto back = machine.route(b, a);
  if (a == b) {
    EXPECT_EQ(route.count, 0);
    return;
  }
  ASSERT_GE(route.count, 2);
  ASSERT_LE(route.count, Route::max_links);
  ASSERT_EQ(route.count % 2, 0) << "up and down pair";
  ASSERT_EQ(back.count, route.count);
  const auto n = static_cast<std::size_t>(route.count);
  for (std::size_t i = 0; i < n; ++i) {
    ASSERT_LT(links[i].value(), machine.links());
    const std::string name = machine.link_name(links[i]);
    EXPECT_TRUE(name.ends_with(i < n / 2 ? " up" : " down")) << name;
    EXPECT_EQ(kind_of(machine, links[i]), kind_of(machine, links[n - 1 - i])) << name;
    if (i > 0 && i < n / 2) {
      EXPECT_LT(kind_of(machine, links[i - 1]), kind_of(machine, links[i])) << "climbs the tiers";
    }
    // The way back is the same cables in the other direction.
    EXPECT_EQ(machine.link_name(back.span()[n - 1 - i]), reversed(name));
  }
  // The ends: the names say whose they are.
  const std::int32_t size = machine.space().domain_size();
  const auto domain = [&](RankId rank) { return static_cast<std::int32_t>(rank.value()) / size; };
  const auto owner = [&](LinkId link) {
    const std::string name = machine.link_name(link);
    return std::stoi(name.substr(name.find(' ') + 1));
  };
  EXPECT_EQ(owner(links.front()), domain(a));
  EXPECT_EQ(owner(links.back()), domain(b));
  const bool scale_up = domain(a) == domain(b);
  EXPECT_EQ(kind_of(machine, links.front()) != LinkKind::nic, scale_up);
  if (scale_up) {
    EXPECT_EQ(links.front().value(), 2 * a.value());
    EXPECT_EQ(links.back().value(), 2 * b.value() + 1);
    EXPECT_EQ(route.count, 2);
  }
}

void expect_dense_links(const Topology& machine) {
  std::set<std::string> names;
  std::vector<std::int64_t> of_class(machine.link_classes().size());
  for (std::int64_t id = 0; id < machine.links(); ++id) {
    const LinkId link = LinkId::from(id);
    ASSERT_LT(machine.link_class(link).value(), machine.link_classes().size());
    ++of_class[machine.link_class(link).value()];
    ASSERT_TRUE(names.insert(machine.link_name(link)).second) << machine.link_name(link);
  }
  for (const auto count : of_class) {
    EXPECT_GT(count, 0) << "a class without links";
    EXPECT_EQ(count % 2, 0) << "up and down";
  }
}

}  // namespace fabricast
