// What a call says when it refuses bad input, for tests of messages.
#pragma once

#include <string>

#include "emulator/base/error.hpp"

namespace fabricast {

// The text of the Refusal that the call throws; "(accepted)" if it returns. Anything else is not
// caught, so a wrong kind of error fails the test.
template <class Refusal = Error, class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Refusal& error) {
    return error.what();
  }
  return "(accepted)";
}

}  // namespace fabricast
