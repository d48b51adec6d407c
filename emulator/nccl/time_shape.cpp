#include "emulator/nccl/time_shape.hpp"

#include <array>

namespace fabricast {
namespace {

template <std::size_t count, typename Enum>
std::string_view name_in(const std::array<std::string_view, count>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

}  // namespace

std::string_view to_string(TimeGeneration generation) {
  static constexpr std::array<std::string_view, 6> names{"volta",  "ampere",    "ada",
                                                         "hopper", "blackwell", "cdna"};
  return name_in(names, generation);
}

std::string_view to_string(TimeLink link) {
  static constexpr std::array<std::string_view, 5> names{"nvswitch", "nvlink_mesh", "pcie",
                                                         "pcie_host", "infinity_fabric"};
  return name_in(names, link);
}

std::string_view to_string(TimeNetwork network) {
  static constexpr std::array<std::string_view, 8> names{
      "none", "infiniband", "roce", "efa", "slingshot", "tcpx", "tcpxo", "ethernet"};
  return name_in(names, network);
}

std::string_view to_string(TimeAlgorithm algorithm) {
  static constexpr std::array<std::string_view, 8> names{
      "ring", "tree", "nvls", "nvls_tree", "collnet", "symmetric", "p2p", "pat"};
  return name_in(names, algorithm);
}

std::string_view to_string(TimeProtocol protocol) {
  static constexpr std::array<std::string_view, 3> names{"ll", "ll128", "simple"};
  return name_in(names, protocol);
}

}  // namespace fabricast
