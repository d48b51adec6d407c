// A full mesh: every member has a link of its own to every other (Infinity Fabric, Gaudi).
//
// The link from a to b has number a * (n - 1) + (b < a ? b : b - 1); its bandwidth is that of a
// member's links together over n - 1. Every route is one link. Diameter 1; a cut into halves
// crosses floor(n / 2) * ceil(n / 2) links each way.
// Rings: for even n the patterned one-factorization GK(n) of Z(n-1) and a point at infinity,
// F(i) = {inf, i}, {i + j, i - j}: the union of two consecutive factors is a Hamiltonian cycle (W.
// D. Wallis, One-Factorizations, 1997), n - 1 cycles that hold every link of each direction twice.
// For odd n the (n - 1) / 2 zigzags of Walecki, which hold every link once (B. Alspach, Bull. ICA
// 52, 2008). Each cycle is used in both directions.
#pragma once

#include "topologies/builders/direct_links.hpp"

namespace fabricast {

class FullMesh final : public DirectLinks {
 public:
  explicit FullMesh(const DomainSpec& domain);

  std::int64_t links() const override;
  void add_route(Route& route, std::uint32_t first, std::uint32_t a,
                 std::uint32_t b) const override;
  std::vector<LinkClass> classes() const override { return {link_}; }
  std::size_t class_of(std::int64_t) const override { return 0; }
  std::string name(std::int64_t link) const override;
  std::int64_t pairs_on(std::int64_t) const override { return 1; }
  std::vector<std::vector<std::int32_t>> ring_orders() const override;
  double bisection_gb_per_s() const override;

 private:
  std::uint32_t members_;
  std::string member_;
  LinkClass link_;
};

}  // namespace fabricast
