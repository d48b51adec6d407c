// Which jitter an emulation has, how many members, and from what seed: part of a Scenario.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "emulator/base/communicator.hpp"
#include "emulator/sim/jitter.hpp"

namespace fabricast {

inline constexpr std::int32_t default_members = 64;

struct EnsembleChoice {
  Jitter jitter;
  std::int32_t members = default_members;
  std::int64_t seed = 0;

  bool on() const { return jitter.on(); }
  // Lines for /config; empty without jitter.
  std::string to_yaml() const;
};

// `text` as jitter_from takes it, or "measured:TRACE": the samples of suite "collective" in that
// trace, each over the median of its condition. Collective call: rank 0 alone reads the file. Empty
// text: no jitter. Throws what is agreed on.
Jitter choose_jitter(const Communicator& communicator, const std::string& text);

}  // namespace fabricast
