// Contracts catch bugs of ours, never bad input (that is fabricast::Error, see error.hpp).
//
//   FABRICAST_EXPECT  precondition     FABRICAST_ASSERT  inside     FABRICAST_ENSURE  postcondition
//
// On in Debug and in CI (FABRICAST_CONTRACTS), off in Release: the condition is then not evaluated.
#pragma once

namespace fabricast {
[[noreturn]] void contract_failed(const char* kind, const char* condition, const char* message,
                                  const char* file, int line);
}

#ifdef FABRICAST_CONTRACTS_ON
#define FABRICAST_CONTRACT_(kind, condition, message)                                          \
  ((condition) ? static_cast<void>(0)                                                          \
               : ::fabricast::contract_failed(kind, #condition, message, __FILE__, __LINE__))
#else
#define FABRICAST_CONTRACT_(kind, condition, message) \
  static_cast<void>(sizeof(static_cast<bool>(condition)))
#endif
#define FABRICAST_EXPECT(condition, message) FABRICAST_CONTRACT_("precondition", condition, message)
#define FABRICAST_ASSERT(condition, message) FABRICAST_CONTRACT_("assertion", condition, message)
#define FABRICAST_ENSURE(condition, message) FABRICAST_CONTRACT_("postcondition", condition, message)
