// Which engine times the rows of an emulation, and why: part of a Scenario.
//
// "auto" is the sweep, unless something was asked for that only flows can say. The choice is in
// /config where it is not the sweep, in each row of /results, and in --stats. Value type.
#pragma once

#include <string>

#include "emulator/flow/flow_network.hpp"

namespace fabricast {

struct EngineChoice {
  bool flow = false;
  std::string why = "nothing was asked for that needs flows";
  FlowChoice routes;  // of the flow engine

  // Lines for /config; empty for the sweep.
  std::string to_yaml() const;
};

// `engine`: sweep, flow or auto. `routing`: spray, ecmp, ecmp:SEED, dmodk or rail; empty: not asked
// for. Throws UsageError.
EngineChoice engine_choice(const std::string& engine, const std::string& routing);

}  // namespace fabricast
