// A space of as many ranks for every algorithm of the catalogue: what needs one domain gets one.
#pragma once

#include "emulator/schedule/catalogue.hpp"

namespace fabricast {

inline RankSpace fitting_space(const AlgorithmEntry& entry, const RankSpace& usual) {
  return entry.needs == Needs::one_domain ? RankSpace{usual.size()} : usual;
}

}  // namespace fabricast
