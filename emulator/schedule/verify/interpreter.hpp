// The executable form of docs/semantics.md 1 and 2: all lanes, one after the other, on symbolic
// values, with FIFOs of D slots. Data only; time is the engines' business.
//
// A lane runs until it must wait; who releases it puts it back on the list. Deterministic. The
// result does not depend on the order, because lanes and FIFOs are a Kahn network (semantics 2.5).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "emulator/schedule/verify/lane_clocks.hpp"
#include "emulator/schedule/verify/lane_source.hpp"
#include "emulator/schedule/verify/promise.hpp"
#include "emulator/schedule/verify/values.hpp"

namespace fabricast {

// Chunk i of a message: `stride` apart, modulo the chunks of the buffer (semantics 2.9).
inline std::int32_t chunk_in_message(const Schedule& schedule, Buffer buffer, std::uint32_t first,
                                     std::uint32_t stride_log2, std::uint32_t i) {
  const std::int64_t chunk = std::int64_t{first} + (std::int64_t{i} << stride_log2);
  const std::int64_t chunks =
      buffer == Buffer::scratch ? schedule.scratch_chunks : schedule.chunks;
  // A step may name a buffer that it does not use and the rank does not have.
  return static_cast<std::int32_t>(chunks == 0 ? chunk : chunk % chunks);
}

// A rank's memory as slots: input and output by loop, then scratch by loop (semantics 2.8). In place, input and output
// are the same slots.
struct MemoryLayout {
  std::int64_t chunks = 0, scratch = 0, loops = 1;
  bool in_place = false;

  std::int64_t slot(Buffer buffer, std::int64_t chunk, std::int32_t loop) const {
    if (buffer == Buffer::scratch) return 2 * chunks * loops + loop * scratch + chunk;
    const bool second = buffer == Buffer::output || in_place;
    return (2 * loop + (second ? 1 : 0)) * chunks + chunk;
  }
  std::int64_t slots() const { return (2 * chunks + scratch) * loops; }
};

// What a lane that does not go on waits for.
struct LaneWait {
  enum class For : std::uint8_t { nothing, message, room, lane };
  For what = For::nothing;
  std::int32_t lane = -1;  // whose step is missing; -1: nobody will ever do it
  std::int32_t peer = -1;  // rank at the other end
  StepOrigin origin{};
  std::int32_t loop = 0, slice = 0;
};

template <class Value>
class Interpreter {
 public:
  struct Settings {
    std::int32_t loops = 1, slices = 1;
    std::int32_t root = 0;
    bool in_place = false;
    // Prove the order of accesses as well, of so many lanes from the first on (LaneClocks); 0: no.
    std::int32_t first_clocked = 0, clocked = 0;
  };

  Interpreter(const LaneSource& source, const Settings& settings);

  // False: a deadlock; see waits().
  bool run();
  std::vector<LaneWait> waits() const;
  // Messages sent that nobody took, as (source, destination, fifo).
  struct Leftover {
    std::int32_t source, destination, fifo, messages;
  };
  std::vector<Leftover> leftovers() const;
  // After a run: output chunk of a rank in a loop.
  Value output(std::int32_t rank, std::int32_t chunk, std::int32_t loop) const {
    return load(rank, Buffer::output, chunk, loop);
  }
  std::int64_t steps() const { return steps_; }
  std::int64_t messages() const { return messages_; }
  std::int64_t connections() const { return static_cast<std::int64_t>(connections_.size()); }
  const std::vector<UnorderedAccess>& unordered() const { return unordered_; }
  // A received message had another number of chunks than the step expects.
  struct LengthMismatch {
    std::int32_t lane;
    StepOrigin origin;
    std::int32_t peer;
    std::uint32_t got, wanted;
  };
  const std::vector<LengthMismatch>& mismatches() const { return mismatches_; }

 private:
  struct Message {
    std::vector<Value> values;  // of slice 0; other slices carry only their length
    std::uint32_t count = 0;
    Clock clock;
  };
  struct Connection {
    std::int32_t source = 0, destination = 0, fifo = 0;
    std::int32_t sending_lane = -1, receiving_lane = -1;
    std::int32_t waiting_sender = -1, waiting_receiver = -1;
    std::vector<Message> slots;  // grows to D, then reused in turn
    std::size_t head = 0, used = 0;
  };
  struct Lane {
    LaneSource::Cursor cursor;
    LaneProgram bundle;
    std::int32_t loop = 0, slice = 0;
    std::size_t step = 0;
    std::int32_t stages_done = -1;  // last stage ended in this loop
    bool finished = false;
    std::vector<std::int32_t> waiters;  // lanes that wait for a stage of this one
    LaneWait::For waits = LaneWait::For::nothing;
  };

  void advance(std::int32_t lane);
  bool fetch(std::int32_t lane);
  bool try_step(std::int32_t lane);
  bool dependence_met(std::int32_t lane, const StepExtra& extra);
  void execute(std::int32_t lane, const Step& step, Message* in, Message* out);
  void touch(std::int32_t lane, const Step& step);
  Connection& connection(std::int32_t source, std::int32_t destination, std::int32_t fifo);
  void wake(std::int32_t& waiting);
  void wake_waiters(Lane& lane);
  std::int32_t lane_at(const Connection& connection, bool sending) const;

  Value load(std::int32_t rank, Buffer buffer, std::int32_t chunk, std::int32_t loop) const;
  Value* store(std::int32_t rank, Buffer buffer, std::int32_t chunk, std::int32_t loop);

  const LaneSource& source_;
  const Schedule& schedule_;
  Settings settings_;
  Promise promise_;
  MemoryLayout layout_;
  std::vector<std::vector<Value>> output_;  // [rank][loop * chunks + chunk]
  std::vector<std::vector<Value>> scratch_;
  std::vector<Lane> lanes_;
  std::unordered_map<std::uint64_t, Connection> connections_;
  std::vector<std::int32_t> runnable_;
  std::unique_ptr<LaneClocks> clocks_;
  std::vector<UnorderedAccess> unordered_;
  std::vector<LengthMismatch> mismatches_;
  std::int64_t steps_ = 0, messages_ = 0;
};

extern template class Interpreter<Fingerprint>;
extern template class Interpreter<Contributions>;

}  // namespace fabricast
