#include "topologies/builders/full_mesh.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

using Order = std::vector<std::int32_t>;

// F(i) and F(i + 1) of GK(n), walked from infinity (member n - 1): i, then alternately a step in
// F(i + 1), which turns x into 2 (i + 1) - x, and one in F(i), which turns it into 2 i - x.
Order factor_cycle(std::int32_t n, std::int32_t i) {
  const std::int32_t m = n - 1;
  Order order{m};
  std::int32_t at = i % m;
  for (std::int32_t step = 0; step + 1 < n; ++step) {
    order.push_back(at);
    const std::int32_t twice = 2 * (step % 2 == 0 ? i + 1 : i);
    at = ((twice - at) % m + m) % m;
  }
  return order;
}

// i, i + 1, i - 1, i + 2, i - 2 ... modulo n - 1, closed by the last member.
Order zigzag_cycle(std::int32_t n, std::int32_t i) {
  const std::int32_t m = n - 1;
  Order order{m};
  for (std::int32_t step = 0; step < m; ++step) {
    const std::int32_t away = step % 2 == 1 ? (step + 1) / 2 : -step / 2;
    order.push_back(((i + away) % m + m) % m);
  }
  return order;
}

}  // namespace

FullMesh::FullMesh(const DomainSpec& domain)
    : members_(static_cast<std::uint32_t>(domain.size.value)), member_(domain.member) {
  FABRICAST_EXPECT(members_ >= 2, "a mesh of several members");
  Sourced bandwidth = *domain.bandwidth;
  bandwidth.value /= members_ - 1;
  bandwidth.source = fmt::format("{:.10g} {} over {} others: {}", domain.bandwidth->value,
                                 bandwidth.unit, members_ - 1, domain.bandwidth->source);
  link_ = {std::string(to_string(domain.kind)), domain.kind, bandwidth, *domain.latency};
  link_.direct = true;
}

std::int64_t FullMesh::links() const {
  return static_cast<std::int64_t>(members_) * (members_ - 1);
}

void FullMesh::add_route(Route& route, std::uint32_t first, std::uint32_t a,
                         std::uint32_t b) const {
  route.add(LinkId(first + a * (members_ - 1) + (b < a ? b : b - 1)));
}

std::string FullMesh::name(std::int64_t link) const {
  const std::int64_t a = link / (members_ - 1), other = link % (members_ - 1);
  return fmt::format("{} {} {} to {} {}", member_, a, to_string(link_.kind), member_,
                     other < a ? other : other + 1);
}

std::vector<Order> FullMesh::ring_orders() const {
  const auto n = static_cast<std::int32_t>(members_);
  std::vector<Order> orders;
  if (n == 2) return {{0, 1}};
  for (std::int32_t i = 0; i < (n % 2 == 0 ? n - 1 : (n - 1) / 2); ++i) {
    orders.push_back(n % 2 == 0 ? factor_cycle(n, i) : zigzag_cycle(n, i));
    orders.emplace_back(orders.back().rbegin(), orders.back().rend());
  }
  return orders;
}

double FullMesh::bisection_gb_per_s() const {
  return static_cast<double>(members_ / 2) * ((members_ + 1) / 2) * link_.bandwidth.value;
}

}  // namespace fabricast
