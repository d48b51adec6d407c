#include "emulator/cost/slow_elements.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

constexpr std::array<std::string_view, 4> kinds{"rank", "nic", "link", "rack"};
constexpr double most = 1000;

std::int32_t number_below(const SlowElement& element, std::int32_t end, std::string_view what,
                          const Topology& topology) {
  std::int32_t number = -1;
  const char* last = element.name.data() + element.name.size();
  const auto [stop, problem] = std::from_chars(element.name.data(), last, number);
  if (problem != std::errc() || stop != last || number < 0 || number >= end) {
    throw UsageError(fmt::format("--slow {}: {} has no such {}: they are numbered 0 to {}",
                                 element.text(), topology.name(), what, end - 1));
  }
  return number;
}

// Every directed link that is rank r's own: those of its kind on routes to and from others, at its
// end of them.
void add_nic(const Topology& topology, std::int32_t r, std::set<LinkId>& links) {
  const auto kind = [&](LinkId link) {
    return topology.link_classes()[topology.link_class(link).value()].kind;
  };
  for (std::int32_t peer = 0; peer < topology.ranks(); ++peer) {
    if (peer == r) continue;
    const Route out = topology.route(RankId::from(r), RankId::from(peer));
    for (const LinkId link : out.span()) {
      if (kind(link) != LinkKind::nic) continue;
      links.insert(link);
      break;  // the next one is the peer's
    }
    const Route in = topology.route(RankId::from(peer), RankId::from(r));
    for (int i = in.count; i-- > 0;) {
      const LinkId link = in.links[static_cast<std::size_t>(i)];
      if (kind(link) != LinkKind::nic) continue;
      links.insert(link);
      break;
    }
  }
}

LinkId link_named(const Topology& topology, const SlowElement& element) {
  for (std::int64_t l = 0; l < topology.links(); ++l) {
    if (topology.link_name(LinkId::from(l)) == element.name) return LinkId::from(l);
  }
  throw UsageError(fmt::format(
      "--slow {}: {} has no link of that name; its {} links are called like "
      "\"{}\" and \"{}\"",
      element.text(), topology.name(), topology.links(), topology.link_name(LinkId::from(0)),
      topology.link_name(LinkId::from(topology.links() - 1))));
}

// Links between members of the domain, and the NICs of all of them.
void add_rack(const Topology& topology, std::int32_t first, std::int32_t end,
              std::set<LinkId>& links) {
  // Few links on many routes: a torus of thousands has millions of pairs.
  std::vector<bool> seen(static_cast<std::size_t>(topology.links()), false);
  for (std::int32_t r = first; r < end; ++r) {
    for (std::int32_t q = first; q < end; ++q) {
      if (q == r) continue;
      const Route route = topology.route(RankId::from(r), RankId::from(q));
      for (const LinkId link : route.span()) {
        if (seen[link.value()]) continue;
        seen[link.value()] = true;
        links.insert(link);
      }
    }
    add_nic(topology, r, links);
  }
}

}  // namespace

std::string SlowElement::text() const {
  return fmt::format("{}={}:x{}", kinds[static_cast<std::size_t>(kind)], name, factor);
}

SlowElement slow_element_from(std::string_view text) {
  const auto fail = [text](std::string_view why) {
    throw UsageError(fmt::format(
        "--slow {}: {}; say rank=17:x1.3, nic=R:xF, link=NAME:xF or rack=D:xF", text, why));
  };
  const auto equals = text.find('=');
  const auto colon = text.rfind(':');
  if (equals == std::string_view::npos || colon == std::string_view::npos || colon < equals) {
    fail("it has no element and factor");
  }
  SlowElement element;
  std::size_t kind = 0;
  while (kind < kinds.size() && kinds[kind] != text.substr(0, equals)) ++kind;
  if (kind == kinds.size()) fail(fmt::format("there is no element \"{}\"", text.substr(0, equals)));
  element.kind = static_cast<SlowElement::Kind>(kind);
  element.name = std::string(text.substr(equals + 1, colon - equals - 1));
  std::string_view number = text.substr(colon + 1);
  for (const std::string_view times : {std::string_view("x"), std::string_view("\u00d7")}) {
    if (number.starts_with(times)) number.remove_prefix(times.size());
  }
  const auto [end, problem] =
      std::from_chars(number.data(), number.data() + number.size(), element.factor);
  if (problem != std::errc() || end != number.data() + number.size() ||
      !(element.factor >= 1 && element.factor <= most)) {
    fail(fmt::format("the factor is a number from 1 to {}", most));
  }
  return element;
}

SlowElements::SlowElements(const Topology& topology, const std::vector<SlowElement>& elements) {
  if (elements.empty()) return;
  rank_.assign(static_cast<std::size_t>(topology.ranks()), 1.0);
  const auto slow_rank = [this](std::int32_t r, double factor) {
    rank_[static_cast<std::size_t>(r)] *= factor;
  };
  for (const SlowElement& element : elements) {
    std::set<LinkId> links;
    switch (element.kind) {
      case SlowElement::Kind::rank:
        slow_rank(number_below(element, topology.ranks(), "rank", topology), element.factor);
        break;
      case SlowElement::Kind::nic:
        add_nic(topology, number_below(element, topology.ranks(), "rank", topology), links);
        if (links.empty()) {
          throw UsageError(fmt::format("--slow {}: no route of {} goes through a NIC",
                                       element.text(), topology.name()));
        }
        break;
      case SlowElement::Kind::link:
        links.insert(link_named(topology, element));
        break;
      case SlowElement::Kind::rack: {
        const std::int32_t domains = topology.space().domains();
        const std::int32_t size = topology.ranks() / domains;
        const std::int32_t first = number_below(element, domains, "rack", topology) * size;
        for (std::int32_t r = first; r < first + size; ++r) slow_rank(r, element.factor);
        add_rack(topology, first, first + size, links);
        break;
      }
    }
    if (links.empty()) continue;
    if (link_.empty()) link_.assign(static_cast<std::size_t>(topology.links()), 1.0);
    for (const LinkId link : links) link_[link.value()] *= element.factor;
  }
}

}  // namespace fabricast
