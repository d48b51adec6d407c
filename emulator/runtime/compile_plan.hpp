// From an ExecutionPlan to lane programs with resolved connections: what every interpreter runs.
//
// expand() has lowered groups to messages between two ranks (semantics 1.4), so executors know
// nothing of them. Scratch of different channels is disjoint; that of different
// loops too, where lanes of several roles use it.
//
// Checks what an executor relies on, so that a wrong schedule is an error here and not a wild
// write: every step by itself (step_checks.hpp), one sending and one receiving lane per connection,
// and, where both ends are compiled, equal messages at both (message_lengths.hpp). Throws
// RuntimeError naming lane and step, UsageError for an impossible request. O(messages of a run of
// the compiled ranks).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "emulator/runtime/executor.hpp"
#include "emulator/schedule/expand.hpp"
#include "kernels/lane/image.hpp"
#include "kernels/lane/stall.hpp"

namespace fabricast {

struct Connection {
  std::int32_t source = 0;
  std::int32_t destination = 0;
  std::int32_t channel = 0;
  std::int32_t fifo = 0;   // of several between the two ranks on this channel (semantics 1.1)
  std::int32_t label = 0;  // its number among those of the two ranks, the same at both ends
  std::int32_t sending_lane = -1;  // index into the image's lanes; -1: not compiled here
  std::int32_t receiving_lane = -1;
  std::int64_t sent = 0;  // messages per run, as far as compiled here
  std::int64_t received = 0;
};

struct CompiledPlan {
  lane::ProgramImage image;
  std::vector<Connection> connections;                     // image's FIFO f is connections[f]
  std::vector<std::vector<StepOrigin>> origins;            // parallel to image.lanes
  std::vector<std::shared_ptr<const Schedule>> schedules;  // by channel, for names of stages
};

// Lanes of the ranks first .. end-1 (all of them for executors that hold every rank).
CompiledPlan compile_plan(const RunRequest& request, std::int32_t first_rank,
                          std::int32_t end_rank);

// How many labels of connections a plan uses: channels times parallel FIFOs.
std::int32_t connection_labels(const ExecutionPlan& plan);

// "rank 2 channel 0 role 1 waits at step 3 of 14 (stage turn, repetition 0, loop 0, slice 0) for a
// message from rank 1" (a free slot towards rank 1; role 0 to end stage scatter)
std::string describe_stall(const CompiledPlan& compiled, const lane::StallRecord& stall);
// The message of the RuntimeError of a stalled run.
std::string stall_message(const std::string& executor, const CompiledPlan& compiled,
                          const lane::StallRecord& stall, double limit_seconds);

}  // namespace fabricast
