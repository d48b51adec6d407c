#include "emulator/nccl/overrides.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/nccl/graph.hpp"

namespace fabricast::nccl {
namespace {

[[noreturn]] void refuse(std::string_view name, std::string_view value, std::string_view takes) {
  throw UsageError(fmt::format("{}={}: takes {}", name, value, takes));
}

int number(std::string_view name, std::string_view value, int least, int most) {
  std::int64_t given = 0;
  try {
    given = parse_integer(value);
  } catch (const UsageError&) {
    refuse(name, value, fmt::format("a whole number from {} to {}", least, most));
  }
  if (given < least || given > most) {
    refuse(name, value, fmt::format("a whole number from {} to {}", least, most));
  }
  return static_cast<int>(given);
}

// "PXB", or NCCL's old numbers 0 to 5.
int level(std::string_view name, std::string_view value) {
  for (int type = 0; type <= static_cast<int>(PathType::sys); ++type) {
    if (value == to_string(static_cast<PathType>(type))) return type;
  }
  constexpr std::array old_levels{PathType::loc, PathType::pix, PathType::pxb,
                                  PathType::phb, PathType::sys, PathType::sys};
  if (value.empty() || value.front() < '0' || value.front() > '9') {
    refuse(name, value, "LOC, NVL, NVB, C2C, PIX, PXB, P2C, PXN, PHB or SYS");
  }
  const auto old = static_cast<std::size_t>(number(name, value, 0, 1000));
  return static_cast<int>(old_levels[std::min(old, old_levels.size() - 1)]);
}

using Setter = std::function<void(Overrides&, std::string_view, std::string_view)>;

Setter flag(bool Overrides::*field) {
  return [field](Overrides& to, std::string_view name, std::string_view value) {
    to.*field = number(name, value, 0, 1) == 1;
  };
}
Setter count(int Overrides::*field, int least, int most) {
  return [=](Overrides& to, std::string_view name, std::string_view value) {
    to.*field = number(name, value, least, most);
  };
}
Setter count(std::optional<int> Overrides::*field, int least, int most) {
  return [=](Overrides& to, std::string_view name, std::string_view value) {
    to.*field = number(name, value, least, most);
  };
}
Setter path_level(std::optional<int> Overrides::*field) {
  return [field](Overrides& to, std::string_view name, std::string_view value) {
    to.*field = level(name, value);
  };
}
Setter list(std::string Overrides::*field) {
  return [field](Overrides& to, std::string_view name, std::string_view value) {
    if (value.empty()) refuse(name, value, "a list of names");
    to.*field = value;
  };
}

const std::map<std::string, Setter>& setters() {
  static const std::map<std::string, Setter> all{
      {"NCCL_ALGO", list(&Overrides::algo)},
      {"NCCL_PROTO", list(&Overrides::proto)},
      {"NCCL_MIN_NCHANNELS", count(&Overrides::min_channels, 0, 64)},
      {"NCCL_MAX_NCHANNELS", count(&Overrides::max_channels, 1, 1024)},
      {"NCCL_MIN_CTAS", count(&Overrides::min_channels, 1, 64)},
      {"NCCL_MAX_CTAS", count(&Overrides::max_channels, 1, 64)},
      {"NCCL_NVLS_ENABLE", count(&Overrides::nvls_enable, 0, 2)},
      {"NCCL_NVLS_NCHANNELS", count(&Overrides::nvls_channels, 1, 64)},
      {"NCCL_COLLNET_ENABLE", flag(&Overrides::collnet_enable)},
      {"NCCL_COLLNET_NODE_THRESHOLD", count(&Overrides::collnet_node_threshold, 0, 1 << 24)},
      {"NCCL_CROSS_NIC", count(&Overrides::cross_nic, 0, 2)},
      {"NCCL_PAT_ENABLE", count(&Overrides::pat_enable, 0, 2)},
      {"NCCL_PXN_DISABLE", flag(&Overrides::pxn_disable)},
      {"NCCL_PXN_C2C", [](Overrides& to, std::string_view name,
                          std::string_view value) { to.pxn_c2c = number(name, value, 0, 1) == 1; }},
      {"NCCL_LL128_C2C", flag(&Overrides::ll128_c2c)},
      {"NCCL_MNNVL_SCATTER_NETS_ENABLE", flag(&Overrides::scatter_nets)},
      {"NCCL_NTHREADS", count(&Overrides::threads, 1, 4096)},
      {"NCCL_LL128_NTHREADS", count(&Overrides::ll128_threads, 1, 4096)},
      {"NCCL_NET_OVERHEAD",
       [](Overrides& to, std::string_view name, std::string_view value) {
         to.net_overhead_us = number(name, value, 0, 1'000'000'000) * .001;
       }},
      {"NCCL_P2P_LEVEL", path_level(&Overrides::p2p_level)},
      {"NCCL_NET_GDR_LEVEL", path_level(&Overrides::net_gdr_level)},
      {"NCCL_P2P_DISABLE",
       [](Overrides& to, std::string_view name, std::string_view value) {
         if (number(name, value, 0, 1) == 1) to.p2p_level = static_cast<int>(PathType::loc);
       }},
  };
  return all;
}

}  // namespace

void assign(Overrides& overrides, std::string_view name, std::string_view value) {
  const auto found = setters().find(std::string(name));
  if (found == setters().end()) {
    throw UsageError(unknown_name_message("NCCL variable", name, override_names()));
  }
  found->second(overrides, name, value);
  overrides.set[std::string(name)] = value;
}

Overrides overrides_from(const std::map<std::string, std::string>& environment) {
  Overrides overrides;
  for (const auto& [name, value] : environment) {
    if (setters().contains(name)) assign(overrides, name, value);
  }
  return overrides;
}

std::vector<std::string> override_names() {
  std::vector<std::string> names;
  for (const auto& [name, setter] : setters()) names.push_back(name);
  return names;
}

}  // namespace fabricast::nccl
