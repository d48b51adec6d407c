#include "emulator/base/units.hpp"

#include <cmath>

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

__extension__ using Wide = __int128;

}  // namespace

SimDuration transfer_time(Bytes bytes, Bandwidth bandwidth) {
  FABRICAST_EXPECT(bandwidth.value() > 0, "a link needs a positive bandwidth");
  FABRICAST_EXPECT(bytes.value() >= 0, "a transfer cannot have negative bytes");
  const Wide numerator =
      static_cast<Wide>(bytes.value()) * ps_per_s + (bandwidth.value() - 1);
  const Wide ps = numerator / bandwidth.value();
  return ps > SimDuration::max().value() ? SimDuration::max()
                                         : SimDuration(static_cast<std::int64_t>(ps));
}

SimDuration duration_from_us(double us) {
  FABRICAST_EXPECT(std::isfinite(us) && us >= 0, "a duration is finite and not negative");
  return SimDuration(static_cast<std::int64_t>(std::ceil(us * 1e6)));
}

}  // namespace fabricast
