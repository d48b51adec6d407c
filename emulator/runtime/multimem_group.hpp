// One multicast object over the GPUs of all processes, made together.
//
// Process 0 creates it; its handle goes to the others as a descriptor on one host, as a fabric
// handle between hosts. Collective: every step is agreed on, so that nobody waits for a GPU that
// will not come; errors are AgreedErrors. No kernel of any process may run during grow() or when
// the object goes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "emulator/base/communicator.hpp"
#include "kernels/cuda/multicast_memory.hpp"

namespace fabricast {

class MultimemGroup {
 public:
  // Throws AgreedError (runtime) where a GPU cannot take part, naming the first process with such.
  MultimemGroup(Communicator processes, int device);

  // Afterwards memory() has at least so many bytes on every GPU: the old one, or a new object.
  void grow(std::int64_t bytes);
  const cuda::MulticastMemory& memory() const { return *memory_; }
  bool spans_hosts() const { return by_ == cuda::ShareBy::fabric; }

 private:
  void hand_out(std::size_t bytes);

  Communicator processes_;
  int device_;
  cuda::ShareBy by_ = cuda::ShareBy::descriptor;
  std::unique_ptr<cuda::MulticastMemory> memory_;
};

}  // namespace fabricast
