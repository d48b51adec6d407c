#include "topologies/builders/direct_links.hpp"

#include "topologies/builders/full_mesh.hpp"
#include "topologies/builders/torus.hpp"

namespace fabricast {

std::unique_ptr<const DirectLinks> direct_links_of(const DomainSpec& domain) {
  if (domain.size.value < 2) return nullptr;
  if (domain.shape == "full_mesh") return std::make_unique<const FullMesh>(domain);
  if (domain.shape == "torus") return std::make_unique<const Torus>(domain);
  return nullptr;
}

}  // namespace fabricast
