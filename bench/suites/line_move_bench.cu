// Suite lines: each CTA moves its part of the data between two sets of lines, pass by pass. The
// first call of every size checks all data after the last pass.
#include <set>
#include <tuple>

#include "bench/suites/line_move.hpp"
#include "bench/suites/session.cuh"
#include "emulator/cost/micro_model.hpp"
#include "kernels/lane/group.hpp"

namespace fabricast::micro {
namespace {

constexpr std::int64_t unit = 240;  // bytes of a pair of LL128's lines: parts are whole ones

// CTA c has bytes [c * part, ...) and its own lines.
struct Parts {
  std::byte* lines[2];
  std::int64_t bytes, part, wire;  // all data; of a CTA
};

struct Place {
  std::int64_t first, bytes, wire;
};
__device__ inline Place place_of(const Parts& parts) {
  const std::int64_t first = parts.part * blockIdx.x;
  const std::int64_t left = parts.bytes - first;
  return {first, left < parts.part ? left : parts.part, parts.wire * blockIdx.x};
}

__device__ inline std::uint32_t word_at(std::int64_t i) { return pattern(1, i); }

__global__ void fill_words(std::uint32_t* to, std::int64_t count) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    to[i] = word_at(i);
  }
}

__global__ void count_wrong(const std::uint32_t* words, std::int64_t count,
                            unsigned long long* wrong) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    if (words[i] != word_at(i)) atomicAdd(wrong, 1ull);
  }
}

template <class Format>
__global__ void __launch_bounds__(threads_per_cta)
    write_kernel(Parts parts, const std::byte* from, std::uint64_t number) {
  const Place at = place_of(parts);
  if (at.bytes <= 0) return;
  write_lines<Format>(from + at.first, parts.lines[0] + at.wire, at.bytes, number,
                      lane::ThreadBlock{});
}

template <class Format>
__global__ void __launch_bounds__(threads_per_cta)
    read_kernel(Parts parts, int which, std::byte* to, std::uint64_t number,
                unsigned long long* stalled) {
  const Place at = place_of(parts);
  if (at.bytes <= 0) return;
  if (!read_lines<Format>(parts.lines[which] + at.wire, to + at.first, at.bytes, number,
                          lane::ThreadBlock{})) {
    atomicAdd(stalled, 1ull);
  }
}

template <class Format, bool awaits>
__global__ void __launch_bounds__(threads_per_cta)
    move_kernel(Parts parts, std::uint64_t first, std::int64_t passes,
                unsigned long long* stalled) {
  const lane::ThreadBlock block;
  const Place at = place_of(parts);
  if (at.bytes <= 0) return;
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    const int from = static_cast<int>(pass % 2);
    const bool done =
        move_message_lines<Format>(parts.lines[from] + at.wire, parts.lines[1 - from] + at.wire,
                                   at.bytes, first + pass, awaits, block);
    if (__syncthreads_and(done) == 0) {
      if (block.leader()) atomicAdd(stalled, 1ull);
      return;
    }
  }
}

template <class Format>
struct Kernels {
  static constexpr auto write = write_kernel<Format>;
  static constexpr auto read = read_kernel<Format>;
  static constexpr auto move = move_kernel<Format, false>;
  static constexpr auto await_move = move_kernel<Format, true>;
};

}  // namespace

struct LineMoveBench::State {
  std::shared_ptr<Session> session;
  DeviceArray<std::byte> lines[2];
  DeviceArray<std::uint32_t> source, result;
  DeviceArray<unsigned long long> wrong, stalled;
  std::set<std::tuple<Protocol, std::int32_t, std::int64_t, bool>> checked;

  Parts parts_of(Protocol protocol, std::int32_t ctas, std::int64_t bytes) {
    Parts parts{};
    parts.bytes = bytes;
    parts.part = (bytes + ctas * unit - 1) / (ctas * unit) * unit;
    parts.wire = protocol == Protocol::ll ? lane::LlFormat::wire_bytes(parts.part)
                                          : lane::Ll128Format::wire_bytes(parts.part);
    const auto all = static_cast<std::size_t>(parts.wire * ctas);
    if (lines[0].size() < all) {
      for (auto& set : lines) {
        set = {};
        set = DeviceArray<std::byte>(all, "a set of lines");
      }
    }
    for (int i = 0; i < 2; ++i) parts.lines[i] = lines[i].data();
    return parts;
  }

  void fill(std::int64_t bytes) {
    const std::int64_t count = bytes / 4;
    if (static_cast<std::int64_t>(source.size()) >= count) return;
    source = DeviceArray<std::uint32_t>(static_cast<std::size_t>(count), "a line's source");
    result = DeviceArray<std::uint32_t>(static_cast<std::size_t>(count), "a line's result");
    fill_words<<<1024, 256>>>(source.data(), count);
    check(cudaGetLastError(), "filling a line's source");
  }

  unsigned long long value(const DeviceArray<unsigned long long>& counter) {
    unsigned long long found = 0;
    check(cudaMemcpy(&found, counter.data(), sizeof found, cudaMemcpyDeviceToHost),
          "checking lines");
    return found;
  }

  // Before any word is looked at: what did not come is not wrong.
  [[noreturn]] static void stop() {
    throw RuntimeError(
        "lines that a CTA wrote itself did not come for two seconds (a bug, or a GPU in trouble)");
  }

  template <class Format>
  double timed(const Parts& parts, std::int32_t ctas, bool awaits, bool first) {
    using K = Kernels<Format>;
    // Each call starts anew: lines of an earlier one are of other sizes, and their flags of no use.
    constexpr std::uint64_t number = 0;
    for (const auto& set : lines) set.zero("a set of lines");
    stalled.zero("the count of stalled CTAs");
    fill(parts.bytes);
    K::write<<<ctas, threads_per_cta>>>(parts, reinterpret_cast<const std::byte*>(source.data()),
                                        number);
    check(cudaGetLastError(), "writing lines");
    const std::int64_t passes = micro_passes(parts.bytes);
    const double us = session->timed_launch("a move of lines", awaits ? K::await_move : K::move,
                                            ctas, parts, number, passes, stalled.data());
    if (value(stalled) != 0) stop();
    if (first) {
      result.zero("a line's result");
      wrong.zero("the count of wrong words");
      K::read<<<ctas, threads_per_cta>>>(
          parts, static_cast<int>(passes % 2), reinterpret_cast<std::byte*>(result.data()),
          number + static_cast<std::uint64_t>(passes), stalled.data());
      count_wrong<<<1024, 256>>>(result.data(), parts.bytes / 4, wrong.data());
      check(cudaGetLastError(), "reading lines");
      if (value(stalled) != 0) stop();
      const auto found = value(wrong);
      if (found != 0) {
        throw CheckError("lines: " + std::to_string(found) + " of " +
                         std::to_string(parts.bytes / 4) + " words are wrong after " +
                         std::to_string(passes) + " passes");
      }
    }
    return us / static_cast<double>(passes);
  }
};

LineMoveBench::LineMoveBench(std::shared_ptr<Session> session) : state_(std::make_unique<State>()) {
  state_->session = std::move(session);
  state_->wrong = DeviceArray<unsigned long long>(1, "the count of wrong words");
  state_->stalled = DeviceArray<unsigned long long>(1, "the count of stalled CTAs");
}
LineMoveBench::~LineMoveBench() = default;

double LineMoveBench::once_us(Protocol protocol, std::int32_t ctas, std::int64_t bytes,
                              bool awaits) {
  State& state = *state_;
  const Parts parts = state.parts_of(protocol, ctas, bytes);
  const bool first = !state.checked.contains({protocol, ctas, bytes, awaits});
  const double us = protocol == Protocol::ll
                        ? state.timed<lane::LlFormat>(parts, ctas, awaits, first)
                        : state.timed<lane::Ll128Format>(parts, ctas, awaits, first);
  state.checked.insert({protocol, ctas, bytes, awaits});
  return us;
}

}  // namespace fabricast::micro
