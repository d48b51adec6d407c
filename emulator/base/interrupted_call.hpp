// A system call, repeated for as long as a signal or a network file system interrupts it (EINTR).
//
// Not for close(): on Linux the descriptor is gone whatever it returns. Thread safe.
#pragma once

#include <cerrno>

namespace fabricast {

// `call` returns -1 and sets errno when it fails.
template <class Call>
auto while_interrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace fabricast
