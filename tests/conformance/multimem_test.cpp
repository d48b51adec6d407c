// The multimem all-reduce on an emulated switch (tests/support/emulated_switch.hpp): a thread per
// member and CTA, held up at random. Against kernels/reference, and clean under
// ThreadSanitizer (preset tsan).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <tuple>
#include <vector>

#include "emulator/base/counter_rng.hpp"
#include "kernels/lane/group.hpp"
#include "kernels/reference/collectives.hpp"
#include "kernels/reference/reduce.hpp"
#include "tests/support/emulated_switch.hpp"

namespace fabricast {
namespace {

struct RandomDelay {
  std::uint64_t seed;
  std::uint64_t thread;
  mutable std::uint64_t index = 0;
  void operator()() const {
    const std::uint64_t draw = random_bits(seed, thread, index++);
    if (draw % 16 == 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(draw / 16 % 60));
    } else if (draw % 4 == 0) {
      std::this_thread::yield();
    }
  }
};

struct YieldPause {
  static void reset() {}
  bool operator()() const {
    std::this_thread::yield();
    return true;
  }
};

struct alignas(lane::line_bytes) Line {
  std::byte bytes[lane::line_bytes];
};

// Members' memories, their controls, and the runs on them.
class Members {
 public:
  Members(std::int32_t members, std::int32_t ctas, std::int64_t bytes, bool in_place)
      : controls_(static_cast<std::size_t>(members)) {
    work_.members = members;
    work_.ctas = ctas;
    work_.bytes = (bytes + 15) / 16 * 16;
    constexpr auto line = static_cast<std::int64_t>(lane::line_bytes);
    const std::int64_t lines = (work_.bytes + line - 1) / line;
    work_.input_offset = lane::multimem_data_offset;
    work_.output_offset = work_.input_offset + (in_place ? 0 : lines * line);
    for (std::int32_t m = 0; m < members; ++m) {
      storage_.emplace_back(static_cast<std::size_t>(work_.output_offset / line + lines));
      memories_.push_back(storage_.back().front().bytes);
    }
    for (auto& control : controls_) control.progress.resize(static_cast<std::size_t>(ctas));
  }
  std::byte* input(std::int32_t member) const { return at(member) + work_.input_offset; }
  std::byte* output(std::int32_t member) const { return at(member) + work_.output_offset; }
  const lane::MultimemWork& work() const { return work_; }

  // Member `m` by itself, as its process and GPU would: `runs` times fill, all CTAs, look. Members
  // meet in the CTAs only.
  template <class T, ReduceOp op, class Fill, class Look>
  void run_member(std::int32_t m, std::uint64_t runs, std::uint64_t seed, double limit_seconds,
                  const Fill& fill, const Look& look) {
    const RandomDelay between{seed, static_cast<std::uint64_t>(1000 + m)};
    auto work = work_;
    work.member = m;
    for (std::uint64_t n = 0; n < runs; ++n) {
      between();
      fill(m, n);
      std::vector<std::thread> ctas;
      for (std::int32_t c = 0; c < work.ctas; ++c) {
        ctas.emplace_back([=, this] {
          const RandomDelay delay{seed + n, static_cast<std::uint64_t>(m * work.ctas + c)};
          YieldPause pause;
          lane::multimem_all_reduce<T, op>(work, c,
                                           EmulatedSwitch<RandomDelay>{memories_, m, &delay},
                                           control(m, limit_seconds), lane::SingleThread{}, pause);
        });
      }
      for (auto& cta : ctas) cta.join();
      work.meetings += lane::meetings_per_run;
      between();
      look(m, n);
    }
  }
  template <class T, ReduceOp op, class Fill, class Look>
  void run(std::uint64_t runs, std::uint64_t seed, const Fill& fill, const Look& look,
           std::int32_t absent = -1, double limit_seconds = 20) {
    std::vector<std::thread> members;
    for (std::int32_t m = 0; m < work_.members; ++m) {
      if (m == absent) continue;
      members.emplace_back(
          [=, this, &fill, &look] { run_member<T, op>(m, runs, seed, limit_seconds, fill, look); });
    }
    for (auto& member : members) member.join();
  }
  bool stopped(std::int32_t member) const {
    return controls_[static_cast<std::size_t>(member)].stop != 0;
  }
  lane::StallRecord stall(std::int32_t member) const {
    return controls_[static_cast<std::size_t>(member)].stall;
  }

 private:
  struct Control {
    std::vector<lane::ProgressLine> progress;
    std::uint64_t stop = 0;
    lane::StallRecord stall;
  };
  std::byte* at(std::int32_t member) const { return memories_[static_cast<std::size_t>(member)]; }
  lane::RunControl control(std::int32_t member, double limit_seconds) {
    Control& c = controls_[static_cast<std::size_t>(member)];
    return {c.progress.data(),
            work_.ctas,
            &c.stop,
            &c.stall,
            static_cast<std::uint64_t>(limit_seconds * 1e9),
            nullptr};
  }

  lane::MultimemWork work_;
  std::vector<std::vector<Line>> storage_;
  std::vector<std::byte*> memories_;
  std::vector<Control> controls_;
};

constexpr auto nothing = [](std::int32_t, std::uint64_t) {};

// Three runs on the same counters, each with other data.
struct CheckedRuns {
  DataType type;
  ReduceOp op;
  std::int32_t members, ctas;
  std::int64_t elements;
  bool in_place;
  std::uint64_t seed;
  std::atomic<std::int64_t>& wrong;

  template <class T, ReduceOp operation>
  void operator()() const {
    if constexpr (!std::is_same_v<T, float> || operation == ReduceOp::sum) {
      const std::size_t bytes = static_cast<std::size_t>(elements) * sizeof(T);
      Members group(members, ctas, static_cast<std::int64_t>(bytes), in_place);
      const reference::InputData data{type, members, true};
      const auto fill = [&](std::int32_t m, std::uint64_t n) {
        std::fill_n(group.output(m), bytes, std::byte{0xFF});
        reference::fill_input(data, m, first_of(n), {group.input(m), bytes});
      };
      const auto look = [&](std::int32_t m, std::uint64_t n) {
        std::vector<std::byte> expected(bytes);
        reference::expect_reduction(data, op, first_of(n), expected);
        wrong += group.stopped(m) ? 1 : 0;
        wrong += reference::count_mismatches({group.output(m), bytes}, expected,
                                             static_cast<std::int32_t>(sizeof(T)));
      };
      group.run<T, operation>(3, seed, fill, look);
    }
  }
  std::int64_t first_of(std::uint64_t run) const {
    return static_cast<std::int64_t>(run) * elements;
  }
};

std::vector<std::tuple<DataType, ReduceOp>> pairs_of_the_switch() {
  std::vector<std::tuple<DataType, ReduceOp>> pairs;
  for (const DataType type :
       {DataType::float32, DataType::float16, DataType::bfloat16, DataType::int32}) {
    for (const ReduceOp op : {ReduceOp::sum, ReduceOp::min, ReduceOp::max}) {
      if (lane::switch_reduces(type, op)) pairs.emplace_back(type, op);
    }
  }
  return pairs;
}

class Multimem : public testing::TestWithParam<std::tuple<DataType, ReduceOp>> {};

TEST_P(Multimem, EveryMemberHoldsTheReferencesBitsWhateverTheTiming) {
  const auto [type, op] = GetParam();
  std::uint64_t seed = 4711;
  for (const std::int32_t members : {2, 5}) {
    for (const std::int32_t ctas : {1, 3}) {
      for (const std::int64_t elements : {7, 1501}) {
        for (const bool in_place : {false, true}) {
          SCOPED_TRACE(fmt::format("{} members of {} CTAs, {} elements", members, ctas, elements));
          std::atomic<std::int64_t> wrong = 0;
          visit_type_and_op(
              type, op, CheckedRuns{type, op, members, ctas, elements, in_place, seed += 3, wrong});
          EXPECT_EQ(wrong, 0);
        }
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Pairs, Multimem, testing::ValuesIn(pairs_of_the_switch()),
                         [](const auto& named) {
                           return fmt::format("{}_{}", to_string(std::get<0>(named.param)),
                                              to_string(std::get<1>(named.param)));
                         });

TEST(MultimemOrder, IntegersWrapAndHalvesAreRoundedOnce) {
  Members integers(2, 1, 4, false);
  const std::int32_t most = 2147483647, one = 1, least = -2147483647 - 1;
  std::memcpy(integers.input(0), &most, 4);
  std::memcpy(integers.input(1), &one, 4);
  integers.run<std::int32_t, ReduceOp::sum>(1, 1, nothing, nothing);
  EXPECT_EQ(std::memcmp(integers.output(0), &least, 4), 0);
  // 2048 + 1 + 1 is 2050 if rounded once; each partial sum in f16 would stay at 2048.
  Members halves(3, 1, 2, false);
  const Half values[] = {to_half(2048), to_half(1), to_half(1)};
  for (int m = 0; m < 3; ++m) std::memcpy(halves.input(m), &values[m], 2);
  halves.run<Half, ReduceOp::sum>(1, 2, nothing, nothing);
  Half sum{};
  std::memcpy(&sum, halves.output(2), 2);
  EXPECT_EQ(to_float(sum), 2050);
}

TEST(MultimemShares, CoverTheMessageOnceInWholeLines) {
  for (const std::int64_t bytes : {16, 112, 128, 144, 4096, 70000 * 16}) {
    lane::MultimemWork work;
    work.members = 5;
    work.ctas = 7;
    work.bytes = bytes;
    std::int64_t next = 0, longest = 0, shortest = bytes;
    for (work.member = 0; work.member < work.members; ++work.member) {
      for (std::int32_t c = 0; c < work.ctas; ++c) {
        const auto share = lane::share_of(work, c);
        EXPECT_EQ(share.first, next);
        EXPECT_TRUE(share.first % 128 == 0 || share.first == bytes);
        next = share.end;
        longest = std::max(longest, share.end - share.first);
        shortest = std::min(shortest, share.end - share.first);
      }
    }
    EXPECT_EQ(next, bytes);
    EXPECT_LE(longest - shortest, 2 * 128);
  }
}

TEST(MultimemStall, AnAbsentMemberStopsTheOthersWithinTheLimit) {
  Members group(3, 2, 4096, false);
  const auto start = std::chrono::steady_clock::now();
  group.run<float, ReduceOp::sum>(1, 3, nothing, nothing, /*absent=*/1, 0.4);
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
  EXPECT_GE(waited.count(), 0.4);
  EXPECT_LT(waited.count(), 5.0);  // the machine may be busy
  EXPECT_FALSE(group.stopped(1));
  for (const std::int32_t m : {0, 2}) {
    EXPECT_TRUE(group.stopped(m));
    EXPECT_GE(group.stall(m).lane, 0);
    EXPECT_LT(group.stall(m).lane, 2);
    EXPECT_EQ(group.stall(m).step, 0) << "waits before it reduces";
  }
}

}  // namespace
}  // namespace fabricast
