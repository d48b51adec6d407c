#include "topologies/builders/torus.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "topologies/builders/torus_rings.hpp"

namespace fabricast {

std::int32_t Torus::Axis::steps(std::uint32_t c, std::uint32_t d) const {
  const auto straight = static_cast<std::int32_t>(d) - static_cast<std::int32_t>(c);
  const auto n = static_cast<std::int32_t>(size);
  if (!wraps) return straight;
  const std::int32_t up = straight < 0 ? straight + n : straight;
  if (2 * up == n) return c % 2 == 0 ? up : -up;
  return 2 * up < n ? up : up - n;
}

Torus::Torus(const DomainSpec& domain) : member_(domain.member) {
  FABRICAST_EXPECT(!domain.axes.empty() && domain.axes.size() <= max_axes, "one to four axes");
  for (const TorusAxis& axis : domain.axes) add_axis(axis, domain);
  FABRICAST_EXPECT(members_ == static_cast<std::uint32_t>(domain.size.value),
                   "the axes hold all members");
  for (Axis& axis : axes_) {
    axis.first = static_cast<std::uint32_t>(links_);
    axis.per_way = axis.wraps ? axis.size : axis.size - 1;
    links_ += std::int64_t{members_ / axis.size} * 2 * axis.per_way;
    axis.crossings.assign(2 * std::size_t{axis.per_way}, 0);
    for (std::uint32_t c = 0; c < axis.size; ++c) {
      for (std::uint32_t d = 0; d < axis.size; ++d) {
        const std::int32_t steps = axis.steps(c, d);
        for (std::int32_t i = 0; i < std::abs(steps); ++i) {
          const std::uint32_t from = steps > 0 ? c + static_cast<std::uint32_t>(i)
                                               : c + axis.size - static_cast<std::uint32_t>(i) - 1;
          ++axis.crossings[(steps > 0 ? 0 : axis.per_way) + from % axis.size];
        }
      }
    }
  }
}

// Axes of equal links share a class, named after all of them where there are several classes.
void Torus::add_axis(const TorusAxis& given, const DomainSpec& domain) {
  const auto letter = "xyzw"[static_cast<std::size_t>(&given - domain.axes.data())];
  const auto size = static_cast<std::uint32_t>(given.size);
  if (size > 1) {
    std::size_t c = 0;
    while (c < classes_.size() && classes_[c].bandwidth.value != given.bandwidth.value) ++c;
    if (c == classes_.size()) {
      const std::string kind(to_string(domain.kind));
      classes_.push_back({classes_.empty() ? kind : fmt::format("{}_{}", kind, letter), domain.kind,
                          given.bandwidth, *domain.latency});
      classes_.back().direct = true;
    }
    axes_.push_back({letter, size, members_, given.wraps && size > 2, 0, 0, c, {}});
  }
  members_ *= size;
}

void Torus::add_route(Route& route, std::uint32_t first, std::uint32_t a, std::uint32_t b) const {
  std::uint32_t at = a;
  for (const Axis& axis : axes_) {
    std::uint32_t c = at / axis.stride % axis.size;
    const std::uint32_t d = b / axis.stride % axis.size;
    if (c == d) continue;
    const std::int32_t steps = axis.steps(c, d);
    const std::uint32_t line = at / (axis.stride * axis.size) * axis.stride + at % axis.stride;
    const std::uint32_t base =
        first + axis.first + line * 2 * axis.per_way + (steps > 0 ? 0 : axis.per_way);
    at = at - c * axis.stride + d * axis.stride;
    for (std::int32_t i = 0; i < std::abs(steps); ++i) {
      if (steps < 0) c = c == 0 ? axis.size - 1 : c - 1;
      route.add(LinkId(base + c));
      if (steps > 0) c = c + 1 == axis.size ? 0 : c + 1;
    }
  }
}

const Torus::Axis& Torus::axis_of(std::int64_t link) const {
  std::size_t i = axes_.size() - 1;
  while (axes_[i].first > link) --i;
  return axes_[i];
}

std::string Torus::name(std::int64_t link) const {
  const Axis& axis = axis_of(link);
  const std::int64_t of_axis = link - axis.first;
  const std::int64_t line = of_axis / (2 * axis.per_way), at = of_axis % (2 * axis.per_way);
  const bool up = at < axis.per_way;
  std::int64_t c = up ? at : at - axis.per_way;
  if (!up) c = (c + 1) % axis.size;  // whose link it is
  const std::int64_t member =
      line / axis.stride * axis.stride * axis.size + c * axis.stride + line % axis.stride;
  return fmt::format("{} {} {} {}{}", member_, member, to_string(classes_[0].kind), axis.letter,
                     up ? '+' : '-');
}

// A line is met by any source before the axis and any destination behind it.
std::int64_t Torus::pairs_on(std::int64_t link) const {
  const Axis& axis = axis_of(link);
  const std::int64_t at = (link - axis.first) % (2 * axis.per_way);
  return axis.crossings[static_cast<std::size_t>(at)] * (members_ / axis.size);
}

std::vector<std::vector<std::int32_t>> Torus::ring_orders() const {
  std::vector<std::int32_t> sizes;
  bool wraps = true;
  for (const Axis& axis : axes_) {
    sizes.push_back(static_cast<std::int32_t>(axis.size));
    wraps = wraps && (axis.wraps || axis.size == 2);
  }
  return torus_rings(sizes, wraps);
}

// Of the torus of some axes (a bit each): across one of them, and through its middle layer where
// that belongs to neither side.
double Torus::least_cut(unsigned axes) const {
  double members = 1;
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if ((axes >> i & 1) != 0) members *= axes_[i].size;
  }
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if ((axes >> i & 1) == 0) continue;
    const Axis& axis = axes_[i];
    const double across =
        classes_[axis.link_class].bandwidth.value * (axis.wraps ? 2 : 1) * (members / axis.size);
    const unsigned others = axes & ~(1u << i);
    least = std::min(least, across + (axis.size % 2 == 1 && others != 0 ? least_cut(others) : 0));
  }
  return least;
}

std::string open_axes(const DomainSpec& whole, const DomainSpec& cut) {
  std::string text;
  for (std::size_t i = 0; i < cut.axes.size(); ++i) {
    if (!whole.axes[i].wraps || cut.axes[i].wraps || cut.axes[i].size == whole.axes[i].size)
      continue;
    text += fmt::format("{}{} {} of {}", text.empty() ? "" : ", ", "xyzw"[i], cut.axes[i].size,
                        whole.axes[i].size);
  }
  return text.empty() ? "" : text + " without wraps";
}

double Torus::bisection_gb_per_s() const { return least_cut((1u << axes_.size()) - 1); }

}  // namespace fabricast
