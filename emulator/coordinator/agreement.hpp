// Input is read and judged by rank 0 only; its verdict is everybody's.
//
// Collective: every process calls agree() at the same place. If rank 0's function throws a
// fabricast::Error, every process throws AgreedError with the same code and message, so that all
// leave with one exit code and one message is printed (cli/main.cpp).
#pragma once

#include <functional>
#include <string>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {

// Runs `on_root` on rank 0 and returns its text on every rank.
std::string agree(const Communicator& communicator, const std::function<std::string()>& on_root);

// Same without a payload: did it succeed?
void agree_that(const Communicator& communicator, const std::function<void()>& on_root);

// Runs `body` on every rank. Its usage and check errors are thrown by every process alike (the
// measurement harness and the choice of an executor promise that), so they count as agreed on;
// other errors may be one-sided and pass as they are.
template <class Body>
auto together(const Body& body) {
  try {
    return body();
  } catch (const UsageError& error) {
    throw AgreedError(error.code(), error.what());
  } catch (const CheckError& error) {
    throw AgreedError(error.code(), error.what());
  }
}

}  // namespace fabricast
