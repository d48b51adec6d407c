// Processor time of this thread, in seconds: other load on the machine does not count.
#pragma once

#include <ctime>

namespace fabricast {

inline double thread_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace fabricast
