// Runs a function that recurses deeper than an ordinary stack allows.
//
// The search visits one GPU per level: 16,384 levels for a domain of 576 GPUs. The stack is
// address space, used as it is touched. Exceptions come back to the caller. RuntimeError when no
// thread can be made.
#pragma once

#include <cstddef>
#include <functional>

namespace fabricast::nccl {

void call_with_stack(std::size_t bytes, const std::function<void()>& body);

}  // namespace fabricast::nccl
