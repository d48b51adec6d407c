// Suites pcie and copy_engine: cudaMemcpyAsync. Host memory is pinned.
#include <cstring>
#include <set>
#include <vector>

#include "bench/suites/session.cuh"

namespace fabricast::micro {
namespace {

struct PinnedDeleter {
  void operator()(std::byte* p) const { cudaFreeHost(p); }
};
using Pinned = std::unique_ptr<std::byte, PinnedDeleter>;

Pinned pinned(std::size_t bytes) {
  void* memory = nullptr;
  check(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault), "pinning host memory");
  return Pinned(static_cast<std::byte*>(memory));
}

std::byte pattern_byte(std::size_t i) { return static_cast<std::byte>((i * 2654435761u) >> 13); }

}  // namespace

struct EngineCopyBench::State {
  std::shared_ptr<Session> session;
  std::size_t size = 0;
  DeviceArray<std::byte> a, b;
  Pinned up, down;
  cudaEvent_t other_done = nullptr, other_may = nullptr;
  std::set<std::pair<CopyPath, std::int64_t>> checked;

  ~State() {
    if (other_done != nullptr) cudaEventDestroy(other_done);
    if (other_may != nullptr) cudaEventDestroy(other_may);
  }

  void reserve(std::size_t bytes, bool host) {
    if (size < bytes) {
      a = {};
      b = {};
      up.reset();
      down.reset();
      a = DeviceArray<std::byte>(bytes, "a copy's source");
      b = DeviceArray<std::byte>(bytes, "a copy's destination");
      size = bytes;
      checked.clear();
    }
    if (host && !up) {
      up = pinned(size);
      down = pinned(size);
      for (std::size_t i = 0; i < size; ++i) up.get()[i] = pattern_byte(i);
      std::memset(down.get(), 0, size);
    }
  }

  void copy(CopyPath path, std::size_t bytes) {
    Session& s = *session;
    const auto one = [&](void* to, const void* from, cudaMemcpyKind kind, cudaStream_t stream) {
      check(cudaMemcpyAsync(to, from, bytes, kind, stream), "copying");
    };
    switch (path) {
      case CopyPath::on_device:
        return one(b.data(), a.data(), cudaMemcpyDeviceToDevice, s.stream);
      case CopyPath::to_device:
        return one(a.data(), up.get(), cudaMemcpyHostToDevice, s.stream);
      case CopyPath::from_device:
        return one(down.get(), a.data(), cudaMemcpyDeviceToHost, s.stream);
      case CopyPath::both_ways:
        // The other stream starts with this one and this one ends with the other.
        check(cudaEventRecord(other_may, s.stream), "recording an event");
        check(cudaStreamWaitEvent(s.other, other_may, 0), "ordering streams");
        one(b.data(), up.get(), cudaMemcpyHostToDevice, s.stream);
        one(down.get(), a.data(), cudaMemcpyDeviceToHost, s.other);
        check(cudaEventRecord(other_done, s.other), "recording an event");
        check(cudaStreamWaitEvent(s.stream, other_done, 0), "ordering streams");
        return;
    }
  }

  // Up, across and down again: every byte must come back, whichever path is checked.
  void check_data(std::size_t bytes) {
    std::memset(down.get(), 0, bytes);
    check(cudaMemcpy(a.data(), up.get(), bytes, cudaMemcpyHostToDevice), "copying up");
    check(cudaMemcpy(b.data(), a.data(), bytes, cudaMemcpyDeviceToDevice), "copying across");
    check(cudaMemcpy(down.get(), b.data(), bytes, cudaMemcpyDeviceToHost), "copying down");
    if (std::memcmp(down.get(), up.get(), bytes) != 0) {
      throw CheckError("copies through the GPU do not bring every byte back");
    }
  }
};

EngineCopyBench::EngineCopyBench(std::shared_ptr<Session> session)
    : state_(std::make_unique<State>()) {
  state_->session = std::move(session);
  constexpr unsigned untimed = cudaEventDisableTiming;
  check(cudaEventCreateWithFlags(&state_->other_done, untimed), "creating an event");
  check(cudaEventCreateWithFlags(&state_->other_may, untimed), "creating an event");
}
EngineCopyBench::~EngineCopyBench() = default;

double EngineCopyBench::once_us(CopyPath path, std::int64_t bytes) {
  State& state = *state_;
  const auto size = static_cast<std::size_t>(bytes);
  const bool host = path != CopyPath::on_device;
  state.reserve(size, host);
  if (host && state.checked.insert({path, bytes}).second) state.check_data(size);
  return state.session->timed("a copy", [&] { state.copy(path, size); });
}

}  // namespace fabricast::micro
