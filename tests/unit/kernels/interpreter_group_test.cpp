// The interpreter with several threads per lane, as in a CTA: two lanes of two threads each
// exchange messages. ThreadSanitizer checks here that every hand-over inside a group is ordered.
#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <cstring>
#include <thread>
#include <tuple>
#include <vector>

#include "kernels/lane/image.hpp"
#include "kernels/lane/interpreter.hpp"
#include "kernels/lane/line_port.hpp"
#include "kernels/reference/collectives.hpp"

namespace fabricast::lane {
namespace {

constexpr std::int32_t group_size = 2;

struct GroupShared {
  std::barrier<> barrier{group_size};
  std::int32_t value = 0;
};

// What ThreadBlock is on the device.
struct ThreadGroup : Alone {
  GroupShared* shared;
  std::int32_t me;
  ThreadGroup(GroupShared* of_group, std::int32_t index_in_it)
      : shared(of_group), me(index_in_it) {}
  std::int32_t index() const { return me; }
  std::int32_t size() const { return group_size; }
  bool leader() const { return me == 0; }
  void sync() const { shared->barrier.arrive_and_wait(); }
  template <class Decide>
  std::int32_t share(const Decide& decide) const {
    if (leader()) shared->value = decide();
    shared->barrier.arrive_and_wait();
    return shared->value;
  }
};

struct YieldPause {
  void reset() {}
  bool operator()() {
    std::this_thread::yield();
    return true;
  }
};

// All-reduce of two ranks by one exchange of everything: send, then receive, reduce and store.
LaneImage exchange_lane(std::uint32_t rank, std::int64_t elements, std::int32_t loops) {
  LaneImage lane;
  lane.rank = static_cast<std::int32_t>(rank);
  const std::uint32_t peer = 1 - rank;
  Step send, receive;
  send.peer_out = peer & no_peer;
  send.action = action_send;
  receive.peer_in = peer & no_peer;
  receive.action = action_recv | action_reduce | action_copy;
  lane.steps = {send, receive};
  lane.links = {{-1, lane.rank, -1}, {static_cast<std::int32_t>(peer), -1, -1}};
  lane.bundles = {0, 1, 2};
  lane.layout.share = {0, elements};
  lane.layout.loops = loops;
  lane.layout.slices = 2;
  return lane;
}

// With every hand-off, and with lines that order lanes or only carry data.
class InterpreterWithGroups : public testing::TestWithParam<std::tuple<HandOff, bool>> {};
INSTANTIATE_TEST_SUITE_P(HandOffs, InterpreterWithGroups,
                         testing::Combine(testing::ValuesIn(hand_offs), testing::Bool()));

TEST_P(InterpreterWithGroups, TwoLanesOfTwoThreadsExchange) {
  constexpr std::int64_t elements = 3001;
  constexpr std::int64_t bytes = elements * 4;
  const reference::InputData inputs{DataType::float32, 2, true};
  ProgramImage image;
  image.lanes = {exchange_lane(0, elements, 5), exchange_lane(1, elements, 5)};
  std::vector<std::byte> memory[2];
  std::vector<LaneView> lanes;
  for (std::int32_t r = 0; r < 2; ++r) {
    image.buffers.push_back({2 * bytes, 0, bytes, bytes, bytes});
    memory[r].resize(2 * bytes);
    reference::fill_input(inputs, r, 0, std::span(memory[r]).first(bytes));
  }
  for (std::size_t r = 0; r < 2; ++r) lanes.push_back(view_of(image, r, memory[r].data()));
  std::vector<FifoCounters> counters(2);
  constexpr std::int64_t slot_bytes = 4096;
  alignas(line_bytes) std::byte slots[2 * 3 * slot_bytes] = {};
  const FifoPort fifos{counters.data(), slots, slot_bytes, 3};
  const auto [hand_off, ordered] = GetParam();
  ProgressLine progress[2];
  std::uint64_t stop = 0;
  StallRecord stall;
  const RunControl control{progress, 2, &stop, &stall, 20'000'000'000};
  LaneCursor cursors[2];
  GroupShared shared[2];
  std::vector<std::thread> threads;
  for (std::int32_t l = 0; l < 2; ++l) {
    for (std::int32_t t = 0; t < group_size; ++t) {
      threads.emplace_back([&, l, t, hand_off = hand_off, ordered = ordered] {
        const ThreadGroup group(&shared[l], t);
        if (group.leader()) cursors[l] = lanes[static_cast<std::size_t>(l)].start();
        YieldPause pause;
        with_port(hand_off, fifos, ordered, [&](const auto& port) {
          EXPECT_TRUE(run_lanes(lanes.data() + l, cursors + l, 1, l, port,
                                RunData{DataType::float32, ReduceOp::sum, 4}, control, group,
                                pause));
        });
      });
    }
  }
  for (auto& thread : threads) thread.join();
  std::vector<std::byte> expected(bytes);
  reference::expect_reduction(inputs, ReduceOp::sum, 0, expected);
  for (const auto& m : memory) {
    EXPECT_EQ(std::memcmp(m.data() + bytes, expected.data(), expected.size()), 0);
  }
}

// Of a message of many lines only the first has come. Where messages order lanes (semantics 2.3)
// the step must not touch the buffers yet: a later line may be what says that it may.
template <class Format>
bool stores_before_the_message_is_complete(bool ordered) {
  constexpr std::int64_t elements = 2000;
  constexpr std::int64_t bytes = elements * 4;
  ProgramImage image;
  image.lanes = {exchange_lane(0, elements, 1)};
  auto& lane = image.lanes[0];
  lane.steps.erase(lane.steps.begin());  // only receives
  lane.links.erase(lane.links.begin());
  lane.bundles = {0, 1};
  lane.layout.slices = 1;
  image.buffers.push_back({2 * bytes, 0, bytes, bytes, bytes});
  std::vector<std::byte> memory(2 * bytes);
  const std::byte zero{};
  const LaneView view = view_of(image, 0, memory.data());
  std::vector<FifoCounters> counters(2);
  alignas(line_bytes) static std::byte slots[2 * 32768];
  std::memset(slots, 0, sizeof slots);
  const LinePort<Format> port({counters.data(), slots, 32768, 1}, ordered);
  const float one = 1;
  PieceAt at[16];
  Piece pieces[16];
  for (int k = 0; k < 16; ++k) {
    at[k] = Format::piece(k, 240);
    for (auto& word : pieces[k].word) std::memcpy(&word, &one, sizeof word);
  }
  store_pieces(Format{}, port.back(1), Format::flag(0), ordered, at, pieces);
  ProgressLine progress;
  std::uint64_t stop = 0;
  StallRecord stall;
  const RunControl control{&progress, 1, &stop, &stall, 40'000'000};
  LaneCursor cursor = view.start();
  YieldPause pause;
  EXPECT_FALSE(run_lanes(&view, &cursor, 1, 0, port, RunData{DataType::float32, ReduceOp::sum, 4},
                         control, SingleThread{}, pause));
  EXPECT_EQ(stall.wait, Wait::message);
  return std::any_of(memory.begin() + bytes, memory.end(), [&](std::byte b) { return b != zero; });
}

TEST(InterpreterWithLines, OrderingMessagesAreAwaitedWhole) {
  EXPECT_FALSE(stores_before_the_message_is_complete<LlFormat>(true));
  EXPECT_FALSE(stores_before_the_message_is_complete<Ll128Format>(true));
  EXPECT_TRUE(stores_before_the_message_is_complete<LlFormat>(false));
  EXPECT_TRUE(stores_before_the_message_is_complete<Ll128Format>(false));
}

}  // namespace
}  // namespace fabricast::lane
