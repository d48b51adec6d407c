#include "topologies/model/topology.hpp"

namespace fabricast {

std::string_view to_string(Origin origin) {
  switch (origin) {
    case Origin::measured:
      return "measured";
    case Origin::published:
      return "published";
    case Origin::datasheet:
      return "datasheet";
    case Origin::assumed:
      return "assumed";
  }
  return "";
}

std::string_view to_string(LinkKind kind) {
  switch (kind) {
    case LinkKind::nvlink:
      return "nvlink";
    case LinkKind::shared_memory:
      return "shared_memory";
    case LinkKind::pcie:
      return "pcie";
    case LinkKind::nic:
      return "nic";
    case LinkKind::leaf_uplink:
      return "leaf_uplink";
    case LinkKind::spine_uplink:
      return "spine_uplink";
  }
  return "";
}

}  // namespace fabricast
