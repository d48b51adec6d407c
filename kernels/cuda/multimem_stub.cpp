// Built without nvcc, or with a toolkit that does not know multicast objects and how to find the
// driver's calls for them: the same symbols, no devices.
#include "emulator/base/error.hpp"
#include "kernels/cuda/multimem.hpp"

namespace fabricast::cuda {
namespace {
constexpr const char* not_built =
    "sharing GPU memory by the driver is not built (no nvcc of CUDA 12.5 or later at configure "
    "time) configure with FABRICAST_ENABLE_CUDA=ON where such a toolkit is installed";
}

std::string why_no_fabric_handles(int) { return not_built; }
std::string why_no_multicast(int) { return not_built; }

AllocationHandle::AllocationHandle(AllocationHandle&&) noexcept = default;
AllocationHandle& AllocationHandle::operator=(AllocationHandle&&) noexcept = default;
AllocationHandle::~AllocationHandle() = default;
SharedHandle AllocationHandle::share(ShareBy, const std::string&) const {
  throw RuntimeError(not_built);
}
AllocationHandle AllocationHandle::import(const SharedHandle&, const std::string&) {
  throw RuntimeError(not_built);
}
std::size_t allocation_granularity(int, ShareBy) { throw RuntimeError(not_built); }
AllocationHandle allocate_shared(int, std::size_t, ShareBy) { throw RuntimeError(not_built); }
MappedMemory::MappedMemory(int, const AllocationHandle&, std::size_t, std::size_t,
                           const std::string&) {
  throw RuntimeError(not_built);
}
MappedMemory::MappedMemory(MappedMemory&&) noexcept = default;
MappedMemory& MappedMemory::operator=(MappedMemory&&) noexcept = default;
MappedMemory::~MappedMemory() = default;

MulticastMemory::MulticastMemory(int device, int members, ShareBy by)
    : device_(device), members_(members), by_(by) {}
MulticastMemory::~MulticastMemory() = default;
std::size_t MulticastMemory::size_for(std::size_t) const { throw RuntimeError(not_built); }
void MulticastMemory::create(std::size_t) { throw RuntimeError(not_built); }
SharedHandle MulticastMemory::share() const { throw RuntimeError(not_built); }
void MulticastMemory::adopt(const SharedHandle&, std::size_t) { throw RuntimeError(not_built); }
void MulticastMemory::add_device() { throw RuntimeError(not_built); }
void MulticastMemory::bind() { throw RuntimeError(not_built); }

struct MultimemAllReduce::State {};
MultimemAllReduce::MultimemAllReduce(int) { throw RuntimeError(not_built); }
MultimemAllReduce::~MultimemAllReduce() = default;
std::string MultimemAllReduce::description() const { return not_built; }
std::int32_t MultimemAllReduce::max_ctas() const { return 0; }
void MultimemAllReduce::set_stall_limit(double) { throw RuntimeError(not_built); }
void MultimemAllReduce::use(const MulticastMemory&) { throw RuntimeError(not_built); }
void MultimemAllReduce::write_input(const lane::MultimemWork&, std::span<const std::byte>) {
  throw RuntimeError(not_built);
}
void MultimemAllReduce::read_output(const lane::MultimemWork&, std::span<std::byte>) {
  throw RuntimeError(not_built);
}
double MultimemAllReduce::run(lane::MultimemWork, DataType, ReduceOp,
                              const std::function<void()>&) {
  throw RuntimeError(not_built);
}
bool MultimemAllReduce::stalled() const { return false; }
lane::StallRecord MultimemAllReduce::stall() const { return {}; }

}  // namespace fabricast::cuda
