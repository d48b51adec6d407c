// A torus of one to four axes with links to the next member along each (TPU, Trainium2).
//
// Member = x + nx * (y + ny * (z + ...)). An axis that does not wrap is a line (a slice of a larger
// torus); one of two members has one link each way. route(): axis by axis, x first, each the
// shorter way round; where both are as long, even coordinates go up and odd ones down. Links of an
// axis: line by line, first those up (c to c + 1), then those down. With all axes wrapped the
// diameter is the sum of floor(n / 2). Bisection: a cut across an axis of n crosses 2 N / n links
// each way, N / n where it does not wrap (W. Dally, IEEE Trans. Comput. 39, 1990); where n is odd
// it parts the middle layer too, as a torus of the other axes. The least over all orders of axes
// is told, a cut into real halves (one member more where all axes are odd). Ring orders:
// torus_rings.hpp.
#pragma once

#include <array>

#include "topologies/builders/direct_links.hpp"

namespace fabricast {

class Torus final : public DirectLinks {
 public:
  static constexpr std::size_t max_axes = 4;

  explicit Torus(const DomainSpec& domain);

  std::int64_t links() const override { return links_; }
  void add_route(Route& route, std::uint32_t first, std::uint32_t a,
                 std::uint32_t b) const override;
  std::vector<LinkClass> classes() const override { return classes_; }
  std::size_t class_of(std::int64_t link) const override { return axis_of(link).link_class; }
  std::string name(std::int64_t link) const override;
  std::int64_t pairs_on(std::int64_t link) const override;
  std::vector<std::vector<std::int32_t>> ring_orders() const override;
  double bisection_gb_per_s() const override;

 private:
  struct Axis {
    char letter = 'x';
    std::uint32_t size = 1, stride = 1;
    bool wraps = false;
    std::uint32_t per_way = 0;  // links of a line in one direction
    std::uint32_t first = 0;    // the axis' first link
    std::size_t link_class = 0;
    std::vector<std::int64_t> crossings;  // pairs of one line over each of its links

    // Steps from c to d, up or (negative) down.
    std::int32_t steps(std::uint32_t c, std::uint32_t d) const;
  };
  const Axis& axis_of(std::int64_t link) const;
  double least_cut(unsigned axes) const;
  void add_axis(const TorusAxis& given, const DomainSpec& domain);

  std::string member_;
  std::uint32_t members_ = 1;
  std::int64_t links_ = 0;
  std::vector<Axis> axes_;  // longer than one member
  std::vector<LinkClass> classes_;
};

// The axes that wrap in `whole` and no longer do in a part of it: "y 4 of 20, z 1 of 28 without
// wraps"; empty: none.
std::string open_axes(const DomainSpec& whole, const DomainSpec& cut);

}  // namespace fabricast
