// What tests and kernels made up for tests ask the CUDA runtime made up for tests (fake_cuda.cpp).
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <string>
#include <vector>

namespace fabricast::fakes {

// What came to the streams since it was last asked, in order: "gate", one that was closed, and its
// "opened"; "operation" and "graph" of the fake NCCL, with " held" where they have to wait;
// "captured".
std::vector<std::string> take_seen();

// When what was put into the stream before is done.
void put(cudaStream_t stream, std::function<void()> work);

}  // namespace fabricast::fakes
