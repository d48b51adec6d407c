// Multimem kernels without a GPU: each runs when its stream comes to it, on what the made-up driver
// has mapped (fake_driver.cpp); others' at the same time, in their processes. With
// FAKE_MULTICAST=absent N process N never comes to a kernel.
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "emulator/base/host_name.hpp"
#include "kernels/cuda/multimem_launch.hpp"
#include "kernels/lane/group.hpp"
#include "tests/support/emulated_switch.hpp"
#include "tests/unit/runtime/fakes/fake_cuda.hpp"
#include "tests/unit/runtime/fakes/fake_driver.hpp"

namespace fabricast::fakes {
namespace {

std::map<std::uintptr_t, MappedObject> objects;

struct YieldPause {
  static void reset() {}
  bool operator()() const { return std::this_thread::yield(), true; }
};

struct Emulated {
  const cuda::MultimemLaunch what;
  const std::vector<std::byte*>& memories;
  std::int32_t own;  // of them, in the order in which GPUs were added
  template <class T, ReduceOp op>
  void operator()() const {
    const NoDelay no_delay;
    YieldPause pause;
    if constexpr (!std::is_same_v<T, float> || op == ReduceOp::sum) {
      for (std::int32_t c = 0; c < what.work.ctas; ++c) {
        lane::multimem_all_reduce<T, op>(what.work, c, EmulatedSwitch<>{memories, own, &no_delay},
                                         what.control, lane::SingleThread{}, pause);
      }
    }
  }
};

}  // namespace

void mapped_memory(std::byte*, std::size_t) {}
void mapped_object(const MappedObject& object) { objects[object.address] = object; }
void unmapped(std::uintptr_t address) { objects.erase(address); }

}  // namespace fabricast::fakes

// FAKE_HOST_BY_RANK: each process is on a host of its own.
std::string fabricast::this_host() {
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (std::getenv("FAKE_HOST_BY_RANK") != nullptr && rank != nullptr) {
    return std::string("host") + rank;
  }
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

namespace fabricast::cuda {

void launch_multimem(const MultimemLaunch& what) {
  const std::string way = std::getenv("FAKE_MULTICAST");
  if (way == "absent " + std::to_string(what.work.member)) return;
  const auto& object = fakes::objects.at(reinterpret_cast<std::uintptr_t>(what.multicast));
  const fakes::Emulated emulated{what, object.memories, static_cast<std::int32_t>(object.own)};
  fakes::put(what.stream,
             [emulated] { visit_type_and_op(emulated.what.type, emulated.what.op, emulated); });
}
int resident_multimem_ctas_per_sm() { return 2; }

}  // namespace fabricast::cuda
