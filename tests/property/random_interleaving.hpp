// One interleaving of all lanes on random words, chosen by a seed: docs/semantics.md 1 and 2 in the
// plainest way, and the judge of mutants. It shares no code with verify/interpreter.hpp.
//
// A step first reads, then writes and sends; other lanes may run in between, so that two lanes that
// add to one chunk lose a sum. One loop, one slice per message, FIFOs of D slots. Not thread safe;
// O(steps * lanes).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "emulator/base/counter_rng.hpp"
#include "emulator/schedule/expand.hpp"

namespace fabricast {

struct Random {
  std::uint64_t seed = 0, next = 0;
  std::int32_t upto(std::size_t n) {
    return static_cast<std::int32_t>(
        random_int(seed, 0, next++, 0, static_cast<std::int64_t>(n) - 1));
  }
};

// Who runs next: any lane; or always the first that can of lanes in a random order, which drives
// some of them as far ahead of others as messages, slots and dependences allow.
enum class Manner { any, first_of_order };

class RandomInterleaving {
 public:
  // Both must outlive it. `programs` by lane number, rank * roles + role.
  RandomInterleaving(const Schedule& schedule, const std::vector<LaneProgram>& programs,
                     std::uint64_t seed, Manner manner = Manner::any)
      : schedule_(schedule), programs_(programs), random_{seed}, manner_(manner) {}

  // The outputs of all ranks; nullopt if it got stuck, lost a message or did something illegal.
  std::optional<std::vector<std::uint64_t>> run();

 private:
  using Message = std::vector<std::uint64_t>;
  using Fifo = std::deque<Message>;

  void fill_memory();
  void interleave();
  void interleave_in_order();
  // Half a step, if the lane can do one.
  bool advance(std::size_t lane);
  bool waits(std::size_t rank, const StepExtra& extra) const;
  void read(std::size_t lane, std::size_t rank, const Step& step, const Fifo* in);
  void write(std::size_t lane, std::size_t rank, const Step& step);
  // Null, and illegal from then on, if the buffer has no such chunk.
  std::uint64_t* cell(std::size_t rank, Buffer buffer, std::uint64_t first, const Step& step,
                      std::uint32_t i);

  const Schedule& schedule_;
  const std::vector<LaneProgram>& programs_;
  Random random_;
  Manner manner_;
  std::vector<std::vector<std::uint64_t>> memory_;  // [rank]: input, output, scratch
  std::vector<std::size_t> at_;                     // [lane]
  std::vector<std::optional<Message>> read_;        // [lane]: values of a step half done
  std::map<std::tuple<std::uint64_t, std::uint64_t, unsigned>, Fifo> queues_;
  bool illegal_ = false;
};

}  // namespace fabricast
