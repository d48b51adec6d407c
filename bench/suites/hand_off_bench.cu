// Suite hand_off: ping-pong between two CTAs through device memory, by protocol.
//
// The launch is 1 part in some thousand of the rounds and stays in. Every message is checked.
#include <map>

#include "bench/suites/line_ping_pong.hpp"
#include "bench/suites/session.cuh"
#include "kernels/lane/group.hpp"
#include "kernels/lane/line_access.hpp"

namespace fabricast::micro {
namespace {

constexpr std::uint32_t rounds = 2000;
constexpr std::size_t words_per_line = 16;  // of 64 bits: 128 bytes

struct Outcome {
  std::int32_t wrong;    // words that were not what was sent
  std::int32_t stalled;  // a message that did not come
};

struct Inbox {
  std::uint64_t* flag;  // on a line of its own
  std::uint32_t* data;
};

struct Words {
  std::uint32_t v[4];
};

// The interpreter's own accesses (line_access.hpp), which only the device has.
__device__ inline void store_words(std::uint32_t* to, const Words& w) {
#if defined(__CUDA_ARCH__)
  lane::detail::store_volatile(reinterpret_cast<std::byte*>(to), w.v[0], w.v[1], w.v[2], w.v[3]);
#endif
}
__device__ inline Words load_words(const std::uint32_t* from) {
  Words w{};
#if defined(__CUDA_ARCH__)
  lane::detail::load_volatile(reinterpret_cast<const std::byte*>(from), w.v);
#endif
  return w;
}

struct Simple {
  static __device__ void send(const Inbox& to, std::int64_t bytes, std::uint32_t round) {
    const lane::ThreadBlock block;
    send_simple(block, *to.flag, to.data, bytes, round);
  }
  static __device__ bool receive(const Inbox& at, std::int64_t bytes, std::uint32_t round,
                                 std::int32_t& wrong) {
    const lane::ThreadBlock block;
    const std::int32_t seen = receive_simple(block, *at.flag, at.data, bytes, round);
    if (seen > 0) wrong += seen;
    return seen >= 0;
  }
};

struct Ll {
  static __device__ void send(const Inbox& to, std::int64_t bytes, std::uint32_t round) {
    const std::int64_t lines = lines_for(bytes, ll_line_data);
    for (std::int64_t i = threadIdx.x; i < lines; i += blockDim.x) {
      store_words(to.data + 4 * i,
                  {{pattern(round, 2 * i), round, pattern(round, 2 * i + 1), round}});
    }
  }
  static __device__ bool receive(const Inbox& at, std::int64_t bytes, std::uint32_t round,
                                 std::int32_t& wrong) {
    const std::int64_t lines = lines_for(bytes, ll_line_data);
    bool came = true;
    for (std::int64_t i = threadIdx.x; i < lines && came; i += blockDim.x) {
      Patience patience;
      Words w = load_words(at.data + 4 * i);
      while (w.v[1] != round || w.v[3] != round) {
        if (patience.exhausted()) {
          came = false;
          break;
        }
        w = load_words(at.data + 4 * i);
      }
      wrong += w.v[0] == pattern(round, 2 * i) && w.v[2] == pattern(round, 2 * i + 1) ? 0 : 1;
    }
    return __syncthreads_and(came) != 0;
  }
};

struct Ll128 {
  static constexpr int parts = 8;  // of 16 bytes
  static __device__ bool is_flag(std::int64_t part) { return part % parts == parts - 1; }
  // All lanes of a warp take part: `part` may be beyond the end.
  static __device__ std::int64_t parts_of(std::int64_t bytes) {
    return lines_for(bytes, ll128_line_data) * parts;
  }
  static __device__ void send(const Inbox& to, std::int64_t bytes, std::uint32_t round) {
    for (std::int64_t i = threadIdx.x; i < parts_of(bytes); i += blockDim.x) {
      Words w{{pattern(round, 4 * i), pattern(round, 4 * i + 1), pattern(round, 4 * i + 2),
               pattern(round, 4 * i + 3)}};
      if (is_flag(i)) w.v[2] = w.v[3] = round;
      store_words(to.data + 4 * i, w);
    }
  }
  static __device__ bool receive(const Inbox& at, std::int64_t bytes, std::uint32_t round,
                                 std::int32_t& wrong) {
    constexpr unsigned whole_warp = 0xFFFFFFFFu;
    const std::int64_t last = parts_of(bytes);
    bool came = true;
    for (std::int64_t base = threadIdx.x & ~31u; base < last && came; base += blockDim.x) {
      const std::int64_t i = base + (threadIdx.x & 31u);
      const bool mine = i < last;
      Patience patience;
      Words w{};
      bool waiting = true;
      while (waiting) {
        if (mine) w = load_words(at.data + 4 * i);
        const bool missing = mine && is_flag(i) && (w.v[2] != round || w.v[3] != round);
        waiting = __any_sync(whole_warp, missing) != 0;
        if (waiting && __any_sync(whole_warp, patience.exhausted()) != 0) {
          came = false;
          break;
        }
      }
      if (!mine || !came) continue;
      const int data = is_flag(i) ? 2 : 4;
      for (int k = 0; k < data; ++k) wrong += w.v[k] == pattern(round, 4 * i + k) ? 0 : 1;
    }
    return __syncthreads_and(came) != 0;
  }
};

// As steps of lanes that share data go (kernels/lane/move_message.hpp): a fence and a barrier
// behind the lines received, a barrier and a fence of the first warp before the lines sent.
template <bool ordered>
__device__ inline void after_receiving() {
  if constexpr (ordered) {
    lane::order_lanes<false>();
    __syncthreads();
  }
}
template <bool ordered>
__device__ inline void before_sending() {
  if constexpr (ordered) {
    __syncthreads();
    if (threadIdx.x < lane::ThreadBlock::team_size) lane::order_lanes<false>();
  }
}

template <class Format, bool ordered>
__global__ void __launch_bounds__(threads_per_cta)
    ping_pong_kernel(Inbox first_side, Inbox second_side, std::int64_t bytes, std::uint32_t first,
                     Outcome* outcome) {
  const int me = static_cast<int>(blockIdx.x);
  const Inbox own = me == 0 ? first_side : second_side;
  const Inbox peer = me == 0 ? second_side : first_side;
  std::int32_t wrong = 0;
  for (std::uint32_t r = 0; r < rounds; ++r) {
    const std::uint32_t round = first + r;
    if (me == 0) {
      before_sending<ordered>();
      Format::send(peer, bytes, round);
    }
    if (!Format::receive(own, bytes, round, wrong)) {
      if (threadIdx.x == 0) outcome->stalled = 1;
      break;
    }
    after_receiving<ordered>();
    if (me == 1) {
      before_sending<ordered>();
      Format::send(peer, bytes, round);
    }
  }
  if (wrong != 0) atomicAdd(&outcome->wrong, wrong);
}

struct Buffers {
  DeviceArray<std::uint32_t> data[2];
  DeviceArray<std::uint64_t> flags;
  std::uint32_t next_round = 1;
};

}  // namespace

struct HandOffBench::State {
  std::shared_ptr<Session> session;
  std::map<std::pair<Protocol, std::int64_t>, Buffers> buffers;
  DeviceArray<Outcome> outcome;

  Buffers& buffers_of(Protocol protocol, std::int64_t bytes) {
    Buffers& made = buffers[{protocol, bytes}];
    if (made.flags.size() > 0) return made;
    const auto words = static_cast<std::size_t>(lines_for(bytes, ll_line_data) * 4 + 32);
    for (auto& data : made.data) {
      data = DeviceArray<std::uint32_t>(words, "a ping-pong's inbox");
      data.zero("a ping-pong's inbox");
    }
    made.flags = DeviceArray<std::uint64_t>(2 * words_per_line, "a ping-pong's flags");
    made.flags.zero("a ping-pong's flags");
    return made;
  }
};

HandOffBench::HandOffBench(std::shared_ptr<Session> session) : state_(std::make_unique<State>()) {
  state_->session = std::move(session);
  state_->outcome = DeviceArray<Outcome>(1, "a ping-pong's outcome");
}
HandOffBench::~HandOffBench() = default;

double HandOffBench::once_us(Protocol protocol, std::int64_t bytes, bool ordered) {
  Session& s = *state_->session;
  Buffers& b = state_->buffers_of(protocol, bytes);
  state_->outcome.zero("a ping-pong's outcome");
  const Inbox one{b.flags.data(), b.data[0].data()};
  const Inbox two{b.flags.data() + words_per_line, b.data[1].data()};
  const std::uint32_t first = b.next_round;
  b.next_round += rounds;
  const auto with_lines = [ordered](auto plain, auto fenced) { return ordered ? fenced : plain; };
  const auto kernel =
      protocol == Protocol::ll ? with_lines(ping_pong_kernel<Ll, false>, ping_pong_kernel<Ll, true>)
      : protocol == Protocol::ll128
          ? with_lines(ping_pong_kernel<Ll128, false>, ping_pong_kernel<Ll128, true>)
          : ping_pong_kernel<Simple, false>;
  const double us =
      s.timed_launch("a ping-pong", kernel, 2, one, two, bytes, first, state_->outcome.data());
  Outcome outcome{};
  check(cudaMemcpy(&outcome, state_->outcome.data(), sizeof outcome, cudaMemcpyDeviceToHost),
        "reading a ping-pong's outcome");
  if (outcome.stalled != 0) {
    throw RuntimeError(std::string("hand-off ") + std::string(to_string(protocol)) +
                       ": a message did not come for two seconds (a bug, or a GPU in trouble)");
  }
  if (outcome.wrong != 0) {
    throw CheckError(std::string("hand-off ") + std::string(to_string(protocol)) + ": " +
                     std::to_string(outcome.wrong) + " words arrived wrong");
  }
  return us / (2.0 * rounds);
}

}  // namespace fabricast::micro
